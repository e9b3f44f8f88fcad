"""The recorder's book-keeping: what a run will cost, what it did cost, and every epoch into the store."""

import time
import warnings
from collections.abc import Mapping
from dataclasses import asdict, replace
from math import prod
from types import TracebackType
from typing import Any, Self

from nissl.core.budget import Budget
from nissl.core.hearing import Hearing
from nissl.core.joining import among
from nissl.core.layer import Layer
from nissl.core.plan import BATCH, Plan, batch_spec, rounded
from nissl.core.quantity import Context
from nissl.core.ranks import Facts, Ranks
from nissl.core.screen import amount
from nissl.core.settings import Settings
from nissl.core.store import ArraySpec, Record, Store
from nissl.core.task import Task
from nissl.errors import BadValue, NisslWarning, listing

KEPT = 16  # records held back when the disk refuses them, to be tried again with the next epoch


class Ledger:
    """Owns the store while a recorder is open."""

    def __init__(self, store: Store, settings: Settings, header: Mapping[str, Any], ranks: Ranks):
        self.store, self.settings, self._header, self._ranks = store, settings, dict(header), ranks
        self.task: Task | None = None
        self.expected: tuple[str, ...] = ()
        """The classes to reckon with until labels have been seen."""
        self.last: int | None = None
        self.costs: dict[str, float] = {
            "bytes": 0,
            "epochs": 0,
            "seconds_hearing": 0,
            "seconds_reading": 0,
            "seconds_writing": 0,
        }
        self._waiting: list[Record] = []
        self._block = self._each = self._epochs = 0
        self._budget = Budget(settings.budget if isinstance(settings.budget, int) else None)
        self._alike = True  # do the labels mean on every process the same?
        self._began = time.time()

    def open(self, hearing: Hearing, *, resume: bool) -> None:
        """Begin the trace, or go on with the one that is there."""
        self._hearing = hearing
        if resume:
            self.store.reopen()
            entries = self.store.entries()
            self.last = entries[-1].epoch if entries else None
            self.task = _task(self.store.header.get("task"))
            if hearing.following is not None:
                hearing.following.recall(self.store)
            self._block = next((s.shape[0] for s in self.store.specs.values() if s.name.startswith("batches.")), 0)
        else:
            self.store.create(self._header | {"layers": self._described(), "settings": self.settings.recipe()})

    def facts(self) -> Facts:
        """What the other processes need to know to record their parts of it."""
        said = asdict(self.task) if self.task else None
        known = {"run_id": self.store.header.get("run_id"), "last": self.last, "task": said}
        return known | {"options": self._options(), "shapes": self._hearing.shapes, "followed": self._hearing.followed}

    def _options(self) -> Facts:
        probe = self._hearing.probe
        return {"layers": self._hearing.layers, "probe": probe.count if probe else 0} | self.settings.recipe()

    def join(self, hearing: Hearing, facts: Facts) -> None:
        """Record this process's part of the trace that the first one has begun."""
        self._hearing = hearing
        self._ranks.same(facts["options"], self._options())
        hearing.shapes = {name: tuple(shape) for name, shape in facts["shapes"].items()}
        if hearing.following is not None:
            hearing.following.told(facts["followed"])
        self.last, self.task = facts["last"], _task(facts["task"])
        self.store.join(facts["run_id"], self._ranks.rank)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._write()
            if self._ranks.first:
                self.store.amend({"layers": self._described(), "costs": self.costs, "ended": _ending(error)})
            self.store.close(wait=error is None)
        except Exception as refused:  # noqa: BLE001 - the run is over and its results must reach the user
            lost = f" Epochs not written: {[record.epoch for record in self._waiting]}." if self._waiting else ""
            message = f"nissl: the trace could not be finished: {type(refused).__name__}: {refused}.{lost}"
            warnings.warn(message, NisslWarning, stacklevel=2)

    def decided(self, task: Task) -> None:
        """The classes are known now; a resumed run must have the same."""
        if self.task is not None and self.task.names != task.names:
            raise BadValue(
                f"This trace cannot go on with the classes {listing(task.names)}: it has {listing(self.task.names)}. Leave "
                "classes out when resuming."
            )
        self.task, self._alike = task, not self._ranks.several
        self._amend({"task": asdict(task), "classes": list(task.names)})

    def _compare(self) -> None:
        """Where each process has to tell from its own labels what they mean, it must be what the first one's mean."""
        first = _task(self.store.header.get("task")) if not (self._ranks.first or self._alike) else None
        if first is not None and self.task is not None and first != self.task:
            raise BadValue(
                f"labels are {self.task.kind} ({len(self.task.names)} classes) here, and {first.kind} ({len(first.names)}) on rank 0. "
                "Pass probe=(x, y), from which all processes can tell"
            )
        self._alike = self._alike or first is not None

    def _amend(self, changes: Mapping[str, Any]) -> None:
        """Change the header; what a full disk refuses is kept by the store and written with the next change."""
        if not self._ranks.first:
            return
        try:
            self.store.amend(changes)
        except OSError as error:
            warnings.warn(f"nissl: the trace's header could not be written yet: {error}", NisslWarning, stacklevel=2)

    def _described(self) -> list[dict[str, Any]]:
        """The recorded layers as plain values; later calls (`name#2`) belong to the layer that was chosen."""
        return [
            asdict(replace(self._sized(layer), parameters={k: tuple(v) for k, v in layer.parameters.items()}))
            for layer in among(self._hearing.network.layers, self._hearing.layers)
        ]

    def _plan(self) -> Plan:
        names, kind = (self.task.names, self.task.kind) if self.task else (self.expected, "unlabelled")
        chosen = [layer for layer in self._hearing.network.layers if layer.name in self._hearing.layers]
        total = sum(prod(shape) for layer in chosen for shape in layer.parameters.values())
        return Plan(
            self._hearing.quantities,
            Context(
                names, self._hearing.probe.count if self._hearing.probe else 0, total, kind, self._hearing.followed
            ),
            steps=self._hearing.network.steps_heard,
            precision=self.settings.precision,
            merges=self._ranks.several,
        )

    def agree(self) -> None:
        """A resumed trace must be given what it already holds: said now, and not when its first epoch cannot be written."""
        plan, known = self._plan(), self.store.specs
        for layer in [None, *(layer for layer in self._chosen() if layer.units)]:
            for spec in plan.specs(layer):
                held = known.get(spec.key, spec)
                if held != spec:
                    before, now = ({c.name for c in s.columns} or {str(s.shape)} for s in (held, spec))
                    where = f"layer {spec.layer!r}" if spec.layer else "the network"
                    raise BadValue(
                        f"This trace cannot go on with these settings: {spec.name} of {where} holds "
                        f"{listing(sorted(before - now) or [held.shape])} where it would now hold "
                        f"{listing(sorted(now - before) or [spec.shape])}. Resume with the quantities, probe and classes "
                        "that it began with, or record into another path."
                    )

    def forecast(self, first: int, last: int) -> str:
        """What the run will take, before it starts; OverBudget if that is more than is allowed."""
        layers = self._chosen()
        parts = self._plan().bytes_per_epoch(layers)
        self._each, self._epochs = sum(parts.values()), len(self.settings.schedule.among(first, last))
        most = ", ".join(f"{name} {amount(n)}" for name, n in sorted(parts.items(), key=lambda p: -p[1])[:4])
        self._budget.allow(self._each, self._epochs, f"By array: {most}. ")
        neurons, unknown = sum(layer.units or 0 for layer in layers), sum(1 for layer in layers if not layer.units)
        one = self._hearing.per_example
        return (
            f"recording {neurons:,} neurons in {len(layers)} layers: {amount(self._each)} an epoch before compression ({most})"
            + ("" if self.settings.drop_batches else " + every batch's statistics")
            + f"; {self._epochs} epochs, at most {amount(self._each * self._epochs)}"
            + (f", {unknown} layers of unknown size not counted" if unknown else "")
            + (f"; hearing costs about {one * 1e6:.2g} us an example" if one is not None else "")
            + (
                f". Numbers said below are rank 0's, the trace's are of all {self._ranks.world} processes"
                if self._ranks.several
                else ""
            )
        )

    def afford(self, steps: int | None) -> None:
        """The first loader has shown how many batches an epoch has: their statistics count too where they are kept."""
        if steps and not self.settings.drop_batches and self._epochs:
            table = sum(layer.units or 0 for layer in self._chosen()) * len(BATCH) * 4
            self._budget.allow(
                self._each + steps * table,
                self._epochs,
                f"Every batch's statistics are {amount(steps * table)} of it. ",
            )

    def _chosen(self) -> list[Layer]:
        return [self._sized(layer) for layer in self._hearing.network.layers if layer.name in self._hearing.layers]

    def commit(self, epoch: int, scalars: dict[str, float], *, trained: bool) -> dict[str, float]:
        """Read what was heard, write it as this epoch, and give its numbers back."""
        start = time.perf_counter()
        plan, weight = self._plan(), self._hearing.examples_since()
        found, numbers = self._hearing.read(plan.context, trained=trained)
        specs: list[ArraySpec] = []
        arrays: dict[str, Any] = {}
        for name, values in found.items():
            layer = self._sized(self._hearing.network.layer(name), values) if name is not None else None
            specs += plan.specs(layer)
            arrays |= plan.pack(layer, values)
        batches = self._batches(specs) if trained else {}
        self._compare()
        self.store.declare(specs)
        scalars = numbers | scalars
        kept = {k: rounded(v, self.settings.rounding) for k, v in (arrays | batches).items()}
        if not self._budget.fits(epoch, sum(array.nbytes for array in kept.values()), self.costs["bytes"]):
            return scalars
        record = Record(epoch, kept, scalars, self._ranks.rank, self._ranks.world, max(weight, 1))
        self.costs["seconds_reading"] += time.perf_counter() - start
        self._waiting.append(record)
        self._write()
        if self.last is None or (trained and self.costs["epochs"] <= 2):
            self._amend({"layers": self._described()})  # by now the first pass has shown edges and routes
        self.last = epoch
        return scalars

    def _sized(self, layer: Layer, values: Mapping[str, Any] | None = None) -> Layer:
        """The layer with what is known of it by now: the shape of a unit, and how many there are if that had to be heard."""
        units = layer.units or next(
            (len(v) for key, v in (values or {}).items() if key.removeprefix("probe_") in ("mean", "bias", "weight")),
            None,
        )
        return replace(layer, units=units, unit_shape=tuple(self._hearing.shapes.get(layer.name, layer.unit_shape)))

    def _batches(self, specs: list[ArraySpec]) -> dict[str, Any]:
        """Every batch's statistics, in blocks as long as the first epoch had steps."""
        from nissl.core.batches import blocks  # kept apart: only runs that keep batches need it

        tap = self._hearing.taps.get("activation")
        if tap is None or not tap.batches:
            return {}
        parts, tap.batches = tap.batches, {}
        self._block = self._block or max(map(len, parts.values()))
        arrays = {}
        for name, sums in parts.items():
            layer = replace(self._hearing.network.layer(name), units=len(sums[0].mean))
            for index, table in enumerate(blocks(sums, self._block)):
                spec = batch_spec(layer, index, self._block)
                specs.append(spec)
                arrays[spec.key] = table
        return arrays

    def _write(self) -> None:
        """Everything that waits, oldest first; what the disk refuses waits for the next epoch."""
        start = time.perf_counter()
        try:
            while self._waiting:
                self.costs["bytes"] += self.store.append(self._waiting[0])
                self.costs["epochs"] += 1
                self._waiting.pop(0)
        except OSError as error:
            while len(self._waiting) > KEPT:
                gone = self._waiting.pop(0).epoch
                warnings.warn(
                    f"nissl: epoch {gone} is lost: the disk has refused it too often.", NisslWarning, stacklevel=2
                )
            epochs = [record.epoch for record in self._waiting]
            message = (
                f"nissl: could not write epochs {epochs}: {error}. They are kept in memory and tried again with the next "
                "epoch; the training goes on."
            )
            warnings.warn(message, NisslWarning, stacklevel=2)
        self.costs["seconds_writing"] += time.perf_counter() - start

    def first_cost(self, hearing: float, scalars: Mapping[str, float]) -> str:
        """What the first recorded epoch has cost, said while there is time to change the settings."""
        after = self.costs["seconds_reading"] + self.costs["seconds_writing"]
        each, share = hearing / scalars["steps"], (hearing + after) / max(scalars["seconds"] + after, 1e-9)
        return f"recording costs {each * 1e3:.2f} ms a step and {after:.2f} s at the end of an epoch: {share:.1%} of its time"

    def account(self) -> str:
        """What the run did cost."""
        c = self.costs
        spent = c["seconds_hearing"] + c["seconds_reading"] + c["seconds_writing"]
        wall = max(time.time() - self._began, 1e-9)
        return (
            f"recorded {c['epochs']:.0f} epochs, {amount(c['bytes'])} written; recording took {spent:.2f} s of {wall:.1f} s "
            f"(hearing {c['seconds_hearing']:.2f}, probe and reading {c['seconds_reading']:.2f}, writing {c['seconds_writing']:.2f})"
        )


def _task(said: Mapping[str, Any] | None) -> Task | None:
    """As it was said by `asdict`, and went through JSON."""
    return Task(said["kind"], tuple(said["names"]), tuple(said["edges"]), said["one_hot"]) if said else None


def _ending(error: BaseException | None) -> str:
    return "finished" if error is None else f"{type(error).__name__}: {error}"
