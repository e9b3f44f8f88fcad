"""What was found to stay and to change: as sentences, tables, frames, JSON."""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nissl.core import address
from nissl.core.change.likeness import chosen
from nissl.core.change.paths import Paths, distances
from nissl.core.change.scan import Jump, Scan
from nissl.core.change.spectra import rows as of_weights
from nissl.core.change.turns import NONE
from nissl.core.labelled import Labelled
from nissl.core.marks import plain
from nissl.errors import BadValue, MissingDependency, UnknownName, listing

if TYPE_CHECKING:
    from nissl.core.trace import Trace

Array = NDArray[Any]
VERSION = 1
TABLE = (
    "layer", "neuron", "moved", "travel", "settled", "jumps", "when", "size", "p", "q", "class_first", "class_last", "events"
)  # fmt: skip
POINTS = ("of", "layer", "neuron", "epoch", "size", "p", "q")
EVENTS = ("epoch", "event", "layer", "neuron", "before", "after")
DRIFTS = {"profile": "", "mean": "mean", "bias": "bias", "weight": "weight"}


@dataclass(frozen=True, eq=False)
class Alike:
    """How alike epochs and layers are as wholes: debiased linear CKA."""

    epochs: tuple[int, ...]
    layers: tuple[str, ...]
    by: str
    """"samples": the probe's recorded activations; "classes": class profiles, which are few points."""
    points: int
    """How many examples, or classes, were compared."""
    within: Mapping[str, Array]
    """By layer (epoch, epoch); NaN where there are fewer than four points, or nothing differs."""
    across: Array
    """(epoch, layer, layer)."""
    sizes: Mapping[str, Array]
    """By layer (epoch, effective dimension and rank) of its activations."""
    shapes: Array
    """(epoch, layer, number): how each layer's examples lie to one another, in few numbers."""


@dataclass(frozen=True, eq=False)
class Changes:
    """What of a trace stays the same and what changes, when."""

    trace: "Trace"
    level: float
    """The false discovery rate that was allowed."""
    lasting: int
    scans: Mapping[str, Scan]
    moved: Mapping[str, tuple[Jump, ...]]
    """By layer its units' jumps, the largest first."""
    wholes: Mapping[str, tuple[tuple[str, Jump], ...]]
    """Jumps of layers' geometry, of relations between layers, and of the pace of drift."""
    alike: Alike

    @cached_property
    def weights(self) -> tuple[Mapping[str, Any], ...]:
        """A row for each layer and epoch whose weights were kept in full; their singular values are found when first asked for."""
        epochs = chosen(self.trace.epochs)
        return self.trace.undamaged(
            lambda: tuple(row for name in self.trace.layers for row in of_weights(self.trace, name, epochs))
        )

    @property
    def sentences(self) -> tuple[str, ...]:
        """What stays and what changes, in words."""
        from nissl.core.change.told import sentences

        return tuple(sentences(self))

    def rows(self) -> list[tuple[Any, ...]]:
        """As TABLE names them, for every unit: first those that jumped, by size, then the others by how far they moved."""
        found = [row for name in self.scans for row in self._units(name)]
        return sorted(found, key=lambda row: (-(row[7] or 0.0), -np.nan_to_num(row[2]), row[0], row[1]))

    @property
    def table(self) -> Any:
        """A pandas frame of `rows`."""
        return _frame(self.rows(), TABLE)

    @property
    def points(self) -> Any:
        """A pandas frame of every jump: of units, and of layers' geometry, relations and pace."""
        return _frame(self.jumps(), POINTS)

    @property
    def events(self) -> Any:
        """A pandas frame: birth, death, saturation, recovery, and preference, with the class before and after."""
        return _frame(self.turned(), EVENTS)

    @property
    def drift(self) -> Any:
        """A pandas frame of layers: root mean square drift from the previous epoch and to the last, in parts of the layer's spread."""
        rows = [
            (name, epoch, float(scan.previous[at]), float(scan.last[at]))
            for name, scan in self.scans.items()
            for at, epoch in enumerate(scan.epochs)
        ]
        return _frame(rows, ("layer", "epoch", "previous", "last"))

    @property
    def dimensions(self) -> Any:
        """A pandas frame: effective dimension and rank of each layer's activations."""
        return _frame(self._sizes(), ("layer", "epoch", "effective_dimension", "rank"))

    @property
    def spectra(self) -> Any:
        """A pandas frame of `weights`."""
        return _frame(
            [tuple(row.values()) for row in self.weights], tuple(self.weights[0]) if self.weights else ("layer",)
        )

    def jumps(self) -> list[tuple[Any, ...]]:
        """As POINTS names them."""
        found: list[tuple[Any, ...]] = [
            ("unit", name, jump.unit, jump.epoch, jump.size, jump.p, jump.q)
            for name, jumps in self.moved.items()
            for jump in jumps
        ]
        for kind, jumps in self.wholes.items():
            found += [(kind, name, None, jump.epoch, jump.size, jump.p, jump.q) for name, jump in jumps]
        return found

    def turned(self) -> list[tuple[Any, ...]]:
        """As EVENTS names them, in order of epochs."""
        found = []
        for name, scan in self.scans.items():
            for epoch, event, unit, before, after in scan.turned:
                told = (self._class(before), self._class(after)) if event == "preference" else (None, None)
                found.append((epoch, event, name, unit, *told))
        return sorted(found, key=lambda row: row[0])

    def units(self, layer: str, of: str = "profile", since: str = "previous") -> Labelled:
        """(epoch, neuron): how far each unit drifted since the "previous" epoch, or is from the "last", in parts of the layer's spread.

        of: "profile" (responses to classes), "mean" (activity), "bias" or "weight" (incoming, where recorded in full).
        """
        name = address.layer_name(layer, tuple(self.scans))
        if of not in DRIFTS or since not in ("previous", "last"):
            raise BadValue(f"of={of!r}, since={since!r}: of is one of {listing(DRIFTS)}; since is previous or last.")
        paths = self._drifting(name, of)
        found = np.full((len(paths.epochs), paths.units), np.nan)
        for units, path in paths.blocks():
            found[:, units] = distances(path)[since == "last"]
        coords: dict[str, tuple[Any, ...]] = {"epoch": paths.epochs, "neuron": tuple(range(paths.units))}
        return Labelled(f"{of} drift, {since}", found, ("epoch", "neuron"), coords)

    def to_dict(self) -> dict[str, Any]:
        """Everything but what single units do at single epochs, as JSON knows it."""
        alike = self.alike
        told = {
            "level": self.level, "lasting": self.lasting, "sentences": self.sentences,
            "units": [dict(zip(TABLE, row, strict=True)) for row in self.rows()],
            "points": [dict(zip(POINTS, row, strict=True)) for row in self.jumps()],
            "events": [dict(zip(EVENTS, row, strict=True)) for row in self.turned()],
            "layers": [
                {"layer": name, "of": scan.source, "epochs": scan.epochs, "previous": scan.previous, "last": scan.last}
                for name, scan in self.scans.items()
            ],
            "cka": {
                "by": alike.by, "points": alike.points, "epochs": alike.epochs, "layers": alike.layers,
                "within": dict(alike.within), "across": alike.across,
            },
            "dimensions": self._sizes(), "weights": [dict(row) for row in self.weights],
        }  # fmt: skip
        found: dict[str, Any] = _plain(told)
        return found

    def save(self, path: str | Path) -> Path:
        """As JSON."""
        file = Path(path)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps({"nissl_changes": VERSION, **self.to_dict()}, allow_nan=False) + "\n")
        return file

    def __rich__(self) -> Any:
        from nissl.core.change.told import read

        return read(self)

    def __str__(self) -> str:
        return "\n".join(self.sentences)

    def __repr__(self) -> str:
        count = sum(map(len, self.moved.values()))
        return f"<Changes of {len(self.trace.epochs)} epochs: {count} jumps of units, {len(self.turned())} events>"

    def _drifting(self, layer: str, of: str) -> Paths:
        if of == "profile":
            return self.scans[layer].paths
        known = self.trace.names(layer)
        for name in (f"probe_{DRIFTS[of]}", DRIFTS[of]):
            paths = Paths(self.trace, layer, name) if name in known else None
            if paths is not None and paths.epochs:
                return paths
        raise UnknownName(f"No {of} of {layer!r} was recorded. There are: {listing(known, 60)}.")

    def _class(self, number: int) -> str | None:
        return None if number == NONE else self.trace.classes[number]

    def _sizes(self) -> list[tuple[str, int, float, int]]:
        return [
            (name, epoch, float(sizes[at, 0]), int(sizes[at, 1]))
            for name, sizes in self.alike.sizes.items()
            for at, epoch in enumerate(self.alike.epochs)
        ]

    def _units(self, name: str) -> list[tuple[Any, ...]]:
        scan = self.scans[name]
        largest: dict[int, Jump] = {}
        for jump in self.moved[name]:
            largest.setdefault(jump.unit, jump)
        counts = Counter(jump.unit for jump in self.moved[name])
        turned: dict[int, list[str]] = {}
        for epoch, event, unit, *_ in scan.turned:
            turned.setdefault(unit, []).append(f"{event} E_{epoch}")
        rows = []
        for unit in range(scan.paths.units):
            most = largest.get(unit)
            told = (most.epoch, most.size, most.p, most.q) if most else (None, None, float(scan.p[unit]), None)
            settled = scan.epochs[scan.settled[unit]] if np.isfinite(scan.moved[unit]) else None
            first, last = (self._class(int(number)) for number in scan.preferred[unit])
            events = ", ".join(turned.get(unit, ()))
            numbers = (float(scan.moved[unit]), float(scan.travel[unit]), settled, counts[unit])
            rows.append((name, unit, *numbers, *told, first, last, events))
        return rows


def _frame(rows: list[tuple[Any, ...]], columns: tuple[str, ...]) -> Any:
    try:
        import pandas
    except ImportError as error:
        raise MissingDependency("A frame needs pandas: pip install 'nissl[analysis]'; `rows()` does without") from error
    return pandas.DataFrame(rows, columns=list(columns))


def _plain(value: Any) -> Any:
    """As JSON knows it; mappings too, which `plain` has none of."""
    if isinstance(value, Mapping):
        return {str(name): _plain(inner) for name, inner in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(inner) for inner in value]
    return plain(value)
