"""Structures while they form: at the end of every recorded epoch, what each unit adds to each class on some of the probe."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nissl.core import aim
from nissl.core.aim import Aim
from nissl.core.capabilities import Passage
from nissl.core.finder import Case, Finder, finder
from nissl.core.network import Network, batches
from nissl.core.pool import rows_of
from nissl.core.probe import Probe
from nissl.core.quantity import Context, Heard, Quantity
from nissl.core.question import asked, candidates
from nissl.core.store import Store
from nissl.core.task import Task
from nissl.core.units import by_unit
from nissl.errors import BadValue, NisslWarning, Unsupported, listing

Array = NDArray[Any]
Tables = dict[str, Array]
"""By layer what each unit adds to each class, (unit, class); NaN for a class without examples."""
KINDS = ("multiclass", "binary")


class Following:
    """Asks the same question of the same examples whenever an epoch is recorded; training never sees it."""

    def __init__(self, network: Network, layers: Sequence[str], probe: Probe | None, quantity: Quantity):
        self.network, self.layers, self.quantity = network, tuple(layers), quantity
        if probe is None or probe.labels is None:
            raise BadValue(
                f"{quantity!r}: structures are found on the probe, by its classes: pass probe=(inputs, labels)."
            )
        if not network.whole:
            raise Unsupported(
                f"{quantity!r}: each process holds but a part of this model, and structures are found in whole ones. Leave it "
                "out of quantities."
            )
        self.probe = probe
        self.last: Tables = {}
        """As they were at the last recorded epoch."""
        self._names: tuple[str, ...] | None = None
        self._task: Task | None = None
        self._case: Case | None = None
        self._finder: Finder = finder("attribution_patching", {})
        self._said: set[str] = set()

    @property
    def names(self) -> tuple[str, ...]:
        """The layers whose units are followed; asked for when a pass has shown the network."""
        if self._names is None:
            self.network.look(next(batches(next(iter(self.probe))[0], 2)))  # shows also what bends a layer's value
            every = [layer.name for layer in candidates(self.network, None)]
            self._names = tuple(name for name in every if name.split("#")[0] in self.layers)
            if not self._names:
                raise BadValue(
                    f"{self.quantity!r}: structures are made of units of {listing(every)}, and none of these layers is "
                    f"recorded, only {listing(self.layers)}."
                )
        return self._names

    def told(self, names: Sequence[str]) -> None:
        """Another process has seen which layers these are."""
        self._names = tuple(names)

    def decide(self, task: Task) -> None:
        """Now it is known what labels mean: choose the examples, and try once whether this network can be asked."""
        if task == self._task:
            return
        if task.kind not in KINDS:
            raise Unsupported(
                f"{self.quantity!r}: structures belong to classes of which an example has one, and these labels are {task.kind}. "
                "Leave it out of quantities."
            )
        self._task, names = task, self.names
        try:
            few = self._few(task)
            batch = min(self._option("batch", 300), sum(len(y) for _, y in few))
            case = asked(self.network, few, layers=names, classes=task.names, batch=batch)
            self._case = _Glance(**{f.name: getattr(case, f.name) for f in fields(case)} | {"aim": _beheld()})
            self._tables()
        except Exception as error:
            raise Unsupported(
                f"{self.quantity!r} cannot be recorded of this network: {type(error).__name__}: {error}"
            ) from error

    def heard(self, context: Context) -> dict[str | None, Heard]:
        """What there is at the end of this epoch; whatever fails is said, and nothing is recorded of it."""
        try:
            tables = self._tables()
        except Exception as error:  # noqa: BLE001 - recording never kills training
            said = f"nissl: no structures are recorded at this epoch: {type(error).__name__}: {error}"
            if said not in self._said:
                self._said.add(said)
                warnings.warn(said, NisslWarning, stacklevel=2)
            return {}
        heards: dict[str | None, Heard] = {n: Heard(context, attribution=table) for n, table in tables.items()}
        heards[None] = Heard(context, attributions=tables, before=self.last)
        self.last = tables
        return heards

    def _tables(self) -> Tables:
        assert self._case is not None
        found = self._finder(replace(self._case))  # of another epoch nothing must be left, least of all its means
        groups = range(len(self._case.targets))
        return {name: np.stack([_mean(rows[found.which == k]) for k in groups], 1) for name, rows in found.rows.items()}

    def recall(self, store: Store) -> None:
        """Go on from what a trace holds of the last epoch that has structures."""
        specs = [spec for spec in store.specs.values() if spec.name == "attribution"]
        held = [entry.epoch for entry in store.entries() if {spec.key for spec in specs} <= entry.arrays]
        if specs and held:
            self.last = {str(spec.layer): store.read(spec.key, held[-1:])[0] for spec in specs}

    def _option(self, name: str, usual: int) -> int:
        return int(getattr(self.quantity, name, usual))

    def _few(self, task: Task) -> list[tuple[Any, Array]]:
        """Batches of the chosen examples, with their labels as they were given."""
        labels = [np.asarray(self.network.to_numpy(y)) for _, y in self.probe]
        groups = np.concatenate([np.asarray(task.groups(y)).reshape(len(y), -1)[:, -1] for y in labels])
        each = len(np.unique(groups[groups >= 0]))  # of a class without an example nothing would be known
        chosen = evenly(groups, max(self._option("examples", 300), each), self._option("seed", 0))
        parts, start = [], 0
        for (x, _), y in zip(self.probe, labels, strict=True):
            mine = chosen[(chosen >= start) & (chosen < start + len(y))] - start
            if len(mine):
                parts.append((rows_of(self.network, x, mine), y[mine]))
            start += len(y)
        return parts


def evenly(groups: Array, count: int, seed: int) -> Array:
    """The numbers of `count` examples, as many of each class as there are to be had; -1 is no class."""
    shuffled = np.random.default_rng(seed).permutation(len(groups))
    turn = np.zeros(len(groups), int)
    for k in np.unique(groups):
        mine = shuffled[groups[shuffled] == k]
        turn[mine] = np.arange(len(mine))
    order = shuffled[np.argsort(turn[shuffled], kind="stable")]
    return np.sort(order[groups[order] >= 0][:count])


def _mean(rows: Array) -> Array:
    return rows.mean(0, dtype=np.float64) if len(rows) else np.full(rows.shape[1], np.nan)


def _beheld() -> Aim:
    """The log-odds of a class; whether outputs are probabilities is seen anew each time."""

    def seen(outputs: Array) -> Aim:
        return aim.of_class("logodds", squashed=aim.looks_squashed(outputs))

    return Aim("logodds", lambda o, which: seen(o).values(o, which), lambda o, which: seen(o).slopes(o, which))


@dataclass(frozen=True, eq=False)
class _Glance(Case):
    """A case of one epoch, whose means come out of the pass that gives the slopes where one pass shows all examples."""

    def passage(self, part: Array, **options: Any) -> Passage:
        found = super().passage(part, **options)
        if len(part) == self.pool.count:
            rows = {layer.name: by_unit(layer, found.values[layer.name]) for layer in self.layers}
            self.__dict__["means"] = {name: row.mean((0, 1), dtype=np.float64) for name, row in rows.items()}
        return found
