"""What was found to be the same in two runs, and what differs."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nissl.core.marks import plain
from nissl.core.trace import Trace
from nissl.errors import MissingDependency, plural

Array = NDArray[Any]
VERSION = 1
TABLE = ("layer", "neuron", "other_layer", "other_neuron", "correlation", "alike", "distance", "apart")
ROWS = 20
NEAR = 0.02
"""Of the layer's spread: nearer than that, two units are one."""


@dataclass(frozen=True, eq=False)
class Matching:
    """Pairs of units that fit together best as a whole; of layers of different width some have no partner."""

    one: Array
    other: Array
    correlation: Array
    """Of each pair; 0 where a unit does not respond."""
    null: Array
    """The same of pairs that were matched after each unit's responses had been shuffled, sorted."""

    @property
    def mean(self) -> float:
        """Of the correlations."""
        return float(self.correlation.mean()) if len(self.correlation) else float("nan")

    @property
    def chance(self) -> float:
        """The mean of what shuffled responses are matched with."""
        return float(self.null.mean()) if len(self.null) else float("nan")

    def partners(self, level: float) -> Array:
        """Which pairs are alike beyond what shuffling gives, in a share `level` of cases."""
        bound = float(np.quantile(self.null, 1 - level)) if len(self.null) else np.inf
        found: Array = self.correlation > bound
        return found


@dataclass(frozen=True, eq=False)
class Pair:
    """Two layers side by side."""

    one: str
    other: str
    units: tuple[int, int]
    by: str
    """"samples" or "classes": what units were matched by."""
    points: int
    matching: Matching
    kin: bool
    """Most units began alike: each was matched with the unit of its own number."""
    epochs: tuple[int, ...]
    """Those that both runs recorded, of many some."""
    distances: Array
    """(epoch, pair): root mean square difference of partners' profiles, in parts of the first run's spread."""


@dataclass(frozen=True, eq=False)
class Twins:
    """Two runs: which units answer to which, and what differs."""

    one: Trace
    other: Trace
    level: float
    pairs: tuple[Pair, ...]
    across: Array
    """(layer of one, layer of the other): debiased CKA at the last epochs."""

    @property
    def sentences(self) -> tuple[str, ...]:
        """What is the same, and what differs, in words."""
        return tuple(_sentences(self))

    def rows(self) -> list[tuple[Any, ...]]:
        """As TABLE names them: every pair of units, the most unlike first."""
        found = []
        for pair in self.pairs:
            alike, match = pair.matching.partners(self.level), pair.matching
            for place, (unit, partner) in enumerate(zip(match.one, match.other, strict=True)):
                far = float(pair.distances[-1, place]) if len(pair.distances) else float("nan")
                apart = (
                    next((e for e, d in zip(pair.epochs, pair.distances[:, place], strict=True) if d > NEAR), None)
                    if pair.epochs
                    else None
                )
                row = (
                    pair.one,
                    int(unit),
                    pair.other,
                    int(partner),
                    float(match.correlation[place]),
                    bool(alike[place]),
                    far,
                    apart,
                )
                found.append(row)
        return sorted(found, key=lambda row: (row[4], row[0], row[1]))

    @property
    def table(self) -> Any:
        """A pandas frame of `rows`."""
        try:
            import pandas
        except ImportError as error:
            raise MissingDependency(
                "A frame needs pandas: pip install 'nissl[analysis]'; `rows()` does without"
            ) from error
        return pandas.DataFrame(self.rows(), columns=list(TABLE))

    def to_dict(self) -> dict[str, Any]:
        """As JSON knows it."""
        layers = [
            {
                "layer": p.one, "other": p.other, "units": p.units, "by": p.by, "points": p.points, "kin": p.kin,
                "correlation": p.matching.mean, "chance": p.matching.chance,
                "alike": int(p.matching.partners(self.level).sum()), "cka": float(self.across[place, place]),
                "epochs": p.epochs, "distance": np.sqrt((p.distances**2).mean(1)) if p.epochs else [],
            }
            for place, p in enumerate(self.pairs)
        ]  # fmt: skip
        units = [{name: plain(value) for name, value in zip(TABLE, row, strict=True)} for row in self.rows()]
        told = [{name: plain(value) for name, value in layer.items()} for layer in layers]
        return {"sentences": list(self.sentences), "layers": told, "cka": plain(self.across), "units": units}

    def save(self, path: str | Path) -> Path:
        """As JSON."""
        file = Path(path)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps({"nissl_changes": VERSION, **self.to_dict()}, allow_nan=False) + "\n")
        return file

    def __str__(self) -> str:
        return "\n".join(self.sentences)

    def __repr__(self) -> str:
        return f"<Twins: {len(self.pairs)} layers, {sum(len(p.matching.one) for p in self.pairs)} pairs of units>"

    def __rich__(self) -> Any:
        from rich import box
        from rich.console import Group
        from rich.markup import escape
        from rich.table import Table

        made = Table(box=box.SIMPLE_HEAD, pad_edge=False)
        for number, column in enumerate(
            ("layer", "unit", "its partner", "correlation", "beyond chance", "distance", "apart from")
        ):
            made.add_column(column, justify="right" if number in (3, 5) else "left", overflow="fold")
        rows = self.rows()
        for layer, unit, other, partner, correlation, alike, far, apart in rows[:ROWS]:
            whose = f"n_{partner}" if other == layer else f"{other} n_{partner}"
            when = "-" if apart is None else f"E_{apart}"
            cells = (
                layer,
                f"n_{unit}",
                whose,
                f"{correlation:.2f}",
                "yes" if alike else "no",
                "-" if np.isnan(far) else f"{far:.2f}",
                when,
            )
            made.add_row(*map(escape, cells))
        shown = f"{min(len(rows), ROWS)} of {len(rows):,} pairs shown, the most unlike first; distance in parts of the layer's spread"
        return Group(*map(escape, self.sentences), "", shown, made)


def _sentences(of: Twins) -> Iterator[str]:
    for place, pair in enumerate(of.pairs):
        yield from _layer(of, pair, float(of.across[place, place]))
    for name in ("probe_accuracy", "accuracy"):
        if name in of.one.scalars and name in of.other.scalars:
            one, other = (float(trace.scalars[name].values[-1]) for trace in (of.one, of.other))
            yield f"{'Held-out accuracy' if 'probe' in name else 'Accuracy'} is {one:.3f} in the first run and {other:.3f} in the other."
            break


def _layer(of: Twins, pair: Pair, cka: float) -> Iterator[str]:
    match, count = pair.matching, len(pair.matching.one)
    name = pair.one if pair.one == pair.other else f"{pair.one} and {pair.other}"
    last = pair.distances[-1] if len(pair.distances) else np.zeros(0)
    same = int((last <= NEAR).sum()) if len(last) else 0
    if pair.kin and same == count:
        yield f"{name} is the same in both: all {plural(count, 'unit')} answer alike."
        return
    if pair.kin:
        apart = [e for e, d in zip(pair.epochs, pair.distances, strict=True) if (d > NEAR).any()]
        yield f"{name} began alike in both; {count - same:,} of {plural(count, 'unit')} answer otherwise, the first from E_{apart[0]} on."
    alike = int(match.partners(of.level).sum())
    whole = f"; as wholes they are {cka:.2f} alike (debiased CKA)" if np.isfinite(cka) else ""
    points = f"{pair.points:,} {'examples' if pair.by == 'samples' else 'classes'}"
    yield (
        f"{alike:,} of {plural(count, 'unit')} of {name} have a partner beyond chance: matched by {points}, mean correlation {match.mean:.2f}, "
        f"{match.chance:.2f} where responses are shuffled{whole}."
    )
    if pair.units[0] != pair.units[1]:
        yield f"{name}: {pair.units[0]:,} units and {pair.units[1]:,}; {abs(pair.units[0] - pair.units[1]):,} have no partner."
