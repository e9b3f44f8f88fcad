"""What divides examples into groups: labels, predictions, whether they agree, columns of a table, and crossings of these."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nissl.core import aim
from nissl.core.network import Network
from nissl.core.pool import last, settled
from nissl.core.task import Task, class_names
from nissl.errors import BadValue, UnknownName, listing, near

Array = NDArray[Any]
WORDS = ("label", "prediction", "correct", "confusion")
"""confusion: label and prediction."""
MOST = 200
"""A column of so many different fractions is a measurement, and no grouping."""
ANSWERS = ("wrong", "right")


@dataclass(frozen=True, eq=False)
class Factor:
    """One thing that examples differ in; `codes` are the numbers of each one's level, -1 where it is missing."""

    name: str
    levels: tuple[str, ...] = ()
    codes: Array | None = None
    """None: the labels or the network's answers tell, batch by batch."""


class Grouping:
    """Tells the number of each example's group as batches come; groups are numbered as they are met."""

    def __init__(self, network: Network, groups: Any, classes: Any = None):
        self.network, self.said = network, groups
        self.factors = factors(groups)
        self.classes = network.class_names(classes)
        self.task: Task | None = None
        self.seen = 0
        self._squashed = False
        self._width: int | None = network.layers[-1].units if network.layers else None
        self._rows: dict[int, int] = {}

    def __len__(self) -> int:
        return len(self._rows)

    def asks(self, *names: str) -> bool:
        """Does one of these words divide the examples?"""
        return any(factor.codes is None and factor.name in names for factor in self.factors)

    def start(self, labels: Any, outputs: Array | None, *, needed: bool = False) -> None:
        """Decide from the first batch what the labels mean; `needed`: for something else, too."""
        asked = self.asks("label", "correct")
        if asked and labels is None:
            raise BadValue(
                f"groups={self.said!r} needs labels, and the data have none: give (x, y), or groups='prediction', or a column "
                "of your own, groups=column, with a value for each example."
            )
        if outputs is not None:
            self._width = settled(outputs).shape[1]
            self._squashed = aim.looks_squashed(settled(outputs))
        if labels is not None and (asked or needed):
            self.task = Task.of(last(self._labels(labels), self._width), self._width, self.classes)
        self.factors = tuple(
            f if f.codes is not None else replace(f, levels=self._levels(f.name)) for f in self.factors
        )

    def _levels(self, name: str) -> tuple[str, ...]:
        width = max(self._width or 0, 2)  # a single output tells two classes apart
        names = self.task.names if self.task is not None else ()
        if name != "prediction" and (self.task is None or not names or self.task.kind == "multilabel"):
            what = "several classes for each example" if names else "values, and no classes"
            raise BadValue(f"The labels are {what}: give groups=column, with a value for each example.")
        if name == "correct":
            if self.task is not None and self.task.kind == "grouped":
                raise BadValue(
                    f"The network's outputs are not the {len(names)} classes: none of its answers is right or wrong."
                )
            return ANSWERS
        known = names or class_names(self.classes)
        return names if name == "label" else known if len(known) == width else tuple(map(str, range(width)))

    def number(self, count: int, labels: Any, outputs: Array | None) -> NDArray[np.int64]:
        """For each of the next `count` examples the number of its group; -1: it is in none."""
        truth = self.truth(labels) if labels is not None and self.task is not None else None
        place, missing = np.zeros(count, np.int64), np.zeros(count, bool)
        for factor in self.factors:
            codes = self._codes(factor, count, truth, outputs)
            place = place * len(factor.levels) + codes
            missing |= codes < 0
        self.seen += count
        place[missing] = -1
        found, which = np.unique(place, return_inverse=True)
        rows = [self._rows.setdefault(int(one), len(self._rows)) if one >= 0 else -1 for one in found]
        return np.array(rows, np.int64)[which]

    def _codes(self, factor: Factor, count: int, truth: Array | None, outputs: Array | None) -> Array:
        if factor.codes is not None:
            found = factor.codes[self.seen : self.seen + count]
            if len(found) < count:
                raise BadValue(self._uneven(factor, f"more than {self.seen + len(found)}"))
            return found
        if factor.name == "prediction" and outputs is not None:
            return self.predicted(outputs)
        if truth is None:
            raise BadValue("Some batches of the data have labels and some have none: give labels with all of them.")
        if len(truth) != count:
            raise BadValue(f"There are {count} inputs and {len(truth)} labels: give one label for each input.")
        if factor.name == "label" or outputs is None:
            return truth
        return np.where(truth < 0, -1, truth == self.predicted(outputs))

    def truth(self, labels: Any) -> NDArray[np.int64]:
        """Labels as numbers of classes, a negative one for none; checked against how many there are."""
        assert self.task is not None
        found = np.asarray(self.task.groups(last(self._labels(labels), self._width))).astype(np.int64)
        names = self.task.names
        if found.size and found.max() >= len(names):
            raise BadValue(
                f"There are labels up to {found.max()}, but {len(names)} classes, numbered from 0. Where the network's outputs are "
                "not the classes, pass classes=NUMBER or classes=[names]."
            )
        return np.maximum(found, -1)

    def predicted(self, outputs: Array) -> NDArray[np.int64]:
        """The class that each example is taken for."""
        table = settled(outputs)
        if table.shape[1] > 1:
            return np.asarray(table.argmax(1), np.int64)
        return np.asarray(table[:, 0] >= (0.5 if self._squashed else 0.0), np.int64)

    def _labels(self, labels: Any) -> Array:
        given = self.network.numbered(labels)
        return self.network.to_numpy(given) if hasattr(given, "dtype") else np.asarray(given)

    def finish(self) -> tuple[list[tuple[str, ...]], Array]:
        """The groups' levels by factor, in the order of the levels, and which row each has."""
        for factor in self.factors:
            if factor.codes is not None and len(factor.codes) != self.seen:
                raise BadValue(self._uneven(factor, str(self.seen)))
        if not self._rows:
            raise BadValue(f"groups={self.said!r}: no example is in a group; all their values are missing.")
        order = sorted(self._rows)
        sizes = [len(factor.levels) for factor in self.factors]
        levels = [np.unravel_index(place, sizes) for place in order]
        keys = [tuple(f.levels[int(i)] for f, i in zip(self.factors, one, strict=True)) for one in levels]
        return keys, np.array([self._rows[place] for place in order])

    def _uneven(self, factor: Factor, count: str) -> str:
        known = (
            f" The words that groups knows are: {listing(WORDS)}."
            if len(factor.codes if factor.codes is not None else ()) < 9
            else ""
        )
        return f"{factor.name} has {len(factor.codes if factor.codes is not None else ()):,} values for {count} examples: give one for each.{known}"


def factors(groups: Any) -> tuple[Factor, ...]:
    """What a user means by `groups`: a word, a column, or several of them by name or in a list, to be crossed."""
    if isinstance(groups, Mapping):
        named = [_renamed(f, str(name)) for name, given in groups.items() for f in _one(given, str(name))]
    elif isinstance(groups, list | tuple) and len(groups) and all(_crosses(part) for part in groups):
        named = [factor for place, part in enumerate(groups, 1) for factor in _one(part, f"column {place}")]
    else:
        named = _one(groups, "column")
    if not named:
        raise BadValue(f"groups={groups!r} is empty: give one of {listing(WORDS)}, or a column.")
    names = [factor.name for factor in named]
    again = sorted({name for name in names if names.count(name) > 1})
    if again:
        raise BadValue(f"groups crosses {listing(again)} with itself: name each once.")
    return tuple(named)


def joined(names: Sequence[str], key: Sequence[str]) -> str:
    """What a group is called: '3', '3 as 5' for a cell of confusion, 'old, left' for a crossing."""
    return " as ".join(key) if tuple(names) == ("label", "prediction") else ", ".join(key)


def _crosses(part: Any) -> bool:
    return part in WORDS if isinstance(part, str) else np.ndim(part) > 0


def _one(given: Any, name: str) -> list[Factor]:
    if isinstance(given, str):
        if given not in WORDS:
            raise UnknownName(
                f"groups={given!r} is no grouping.{near(given, WORDS)} There are: {listing(WORDS)}; or give a column, with a "
                "value for each example."
            )
        return [Factor("label"), Factor("prediction")] if given == "confusion" else [Factor(given)]
    told = getattr(given, "name", None)
    return [_column(given, told if isinstance(told, str) else name)]


def _renamed(factor: Factor, name: str) -> Factor:
    """Columns are called as the user calls them; words keep theirs."""
    return factor if factor.codes is None else replace(factor, name=name)


def _column(given: Any, name: str) -> Factor:
    if hasattr(given, "cat"):  # pandas' categories have an order of their own
        return Factor(name, tuple(map(str, given.cat.categories)), np.asarray(given.cat.codes, np.int64))
    values = np.asarray(given)
    values = values[:, 0] if values.ndim == 2 and values.shape[1] == 1 else values
    if values.ndim != 1 or not len(values):
        raise BadValue(f"groups: {name} has the shape {values.shape}; a column has one value for each example.")
    if values.dtype.kind == "O":
        values = np.array(["" if _missing(v) else str(v) for v in values])
        there = values != ""
    else:
        there = ~np.isnan(values) if values.dtype.kind == "f" else np.ones(len(values), bool)
    found, codes = np.unique(values[there], return_inverse=True)
    if values.dtype.kind == "f":
        if len(found) > MOST and (found % 1).any():
            raise BadValue(f"groups: {name} has {len(found):,} different values: divide them, by np.digitize say.")
        found = found.astype(np.int64) if not (found % 1).any() else found
    every = np.full(len(values), -1, np.int64)
    every[there] = codes
    return Factor(name, tuple(map(str, found.tolist())), every)


def _missing(value: Any) -> bool:
    return value is None or (not isinstance(value, str) and str(value) in ("nan", "<NA>", "NaT"))
