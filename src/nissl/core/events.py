"""How structures come about: which units are born into them and die out of them, when each settles, who changes owner."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nissl.core.belonging import NOBODY, Flags, jaccard, members, owners
from nissl.core.choosing import Size
from nissl.core.question import class_number
from nissl.core.traced import SCORES, at, checked, epochs, layers
from nissl.errors import BadValue

if TYPE_CHECKING:
    from nissl.core.trace import Trace

Array = NDArray[Any]
COLUMNS = ("epoch", "event", "class", "layer", "neuron", "before")
SETTLED = 0.9
"""How much a structure must have in common with the last one to count as settled."""


def events(trace: "Trace", target: Any, size: float, rank: str, lasting: int) -> Any:
    """A data frame of `told`."""
    import pandas as pd

    found = pd.DataFrame(told(trace, target, size, rank, lasting), columns=COLUMNS)
    return found.astype({"epoch": "int64", "neuron": "Int64"})


def told(
    trace: "Trace", target: Any = None, size: float = 0.1, rank: str = "contrast", lasting: int = 3
) -> list[tuple[Any, ...]]:
    """One row an event, as `COLUMNS` names it, in the order of epochs; what lasts for fewer than `lasting` recorded epochs is none."""
    if not hasattr(lasting, "__index__") or isinstance(lasting, bool) or lasting < 1:
        raise BadValue(f"lasting={lasting!r}: for how many recorded epochs something must stay to count, from 1.")
    wanted, known = checked(size, rank), epochs(trace)
    names = trace.spec(layers(trace)[0], SCORES).labels["class"]
    asked = range(len(names)) if target is None else [class_number(names, target)]
    history = History(trace, known, wanted, rank, int(lasting))
    rows = [row for row in history.rows(names) if row[2] in {names[k] for k in asked}]
    rows.sort(key=lambda row: row[0])  # stable: within an epoch by kind, class, layer and unit
    return rows


class History:
    """Goes through the epochs once, with one epoch's tables and a few numbers for each unit and class in memory."""

    def __init__(self, trace: "Trace", known: list[int], size: Size, rank: str, lasting: int):
        self.known, self.lasting = known, lasting
        last = members(at(trace, known[-1]), size, rank)
        self.stays = {name: _Stays(flags.shape, lasting) for name, flags in last.items()}
        self.owned = {name: _Owned(len(flags), lasting) for name, flags in last.items()}
        likeness = []
        for number, epoch in enumerate(known):
            tables = at(trace, epoch)
            now = members(tables, size, rank)
            likeness.append(jaccard(now, last))
            for name, flags in now.items():
                self.stays[name].see(number, flags)
                self.owned[name].see(number, owners(tables[name]))
        self.likeness = np.array(likeness)

    def rows(self, names: tuple[str, ...]) -> Iterator[tuple[Any, ...]]:
        """As `COLUMNS` names them."""
        final = len(self.known) - 1
        for name, stays in self.stays.items():
            for unit, k in np.argwhere(stays.born >= 0):
                yield self.known[stays.born[unit, k]], "birth", names[k], name, unit, None
                if stays.left[unit, k] < final:
                    yield self.known[stays.left[unit, k] + 1], "death", names[k], name, unit, None
        for name, owned in self.owned.items():
            for number, unit, before, after in owned.changes:
                yield self.known[number], "owner", names[after], name, unit, names[before]
        for k, target in enumerate(names):
            loose = np.flatnonzero(~(self.likeness[:, k] >= SETTLED))
            start = int(loose[-1]) + 1 if len(loose) else 0
            if start + self.lasting <= len(self.known):
                yield self.known[start], "freeze", target, None, None, None


class _Stays:
    """For each unit and class when its first stay began and its last one ended."""

    def __init__(self, shape: tuple[int, ...], lasting: int):
        self.lasting = lasting
        self.run = np.zeros(shape, np.int32)
        self.born, self.left = np.full((2, *shape), -1, np.int32)

    def see(self, number: int, inside: Flags) -> None:
        self.run = np.where(inside, self.run + 1, 0)
        staying = self.run >= self.lasting
        self.born = np.where(staying & (self.born < 0), number - self.lasting + 1, self.born)
        self.left = np.where(staying, number, self.left)


class _Owned:
    """When a unit went from one class, whose it had been for a while, to another, and stayed."""

    def __init__(self, units: int, lasting: int):
        self.lasting = lasting
        self.run = np.zeros(units, np.int32)
        self.now, self.settled = np.full((2, units), NOBODY)
        self.changes: list[tuple[int, int, int, int]] = []

    def see(self, number: int, owner: Array) -> None:
        self.run = np.where(owner == self.now, self.run + 1, 1)
        self.now = owner
        new = (self.run >= self.lasting) & (owner != self.settled) & (owner != NOBODY)
        for unit in np.flatnonzero(new & (self.settled != NOBODY)):
            began = number - self.lasting + 1
            self.changes.append((began, int(unit), int(self.settled[unit]), int(owner[unit])))
        self.settled = np.where(new, owner, self.settled)
