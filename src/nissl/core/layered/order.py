"""In which order things stand within their ranks, so that few lines cross."""

from bisect import bisect_right, insort
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

SWEEPS = 12
"""No graph of a network tried got better by more."""
BEGINNINGS, FEW = 12, 64
"""So many further orders to begin with, where there are so few lines: middles alone leave one small graph in twenty tangled."""


@dataclass(frozen=True)
class Step:
    """A piece of a line between neighbouring ranks, from `above` to `below`; where it ends, beside each one's middle."""

    above: int
    below: int
    source: int = 0
    """Whose line it is."""
    leaves: float = 0.0
    arrives: float = 0.0


class Order:
    """Ranks of things, put into order by the middles of what they are joined to, downwards and upwards in turns."""

    def __init__(self, rows: Sequence[Sequence[int]], steps: Sequence[Step], widths: Sequence[float]):
        self.rows = [list(row) for row in rows]
        self._widths = widths
        count = sum(map(len, rows))
        self._up: list[list[Step]] = [[] for _ in range(count)]
        self._down: list[list[Step]] = [[] for _ in range(count)]
        for step in steps:
            self._up[step.below].append(step)
            self._down[step.above].append(step)
        self._at = [0] * count
        for row in self.rows:
            self._number(row)

    def _number(self, row: list[int]) -> None:
        for place, one in enumerate(row):
            self._at[one] = place

    def _end(self, one: int, beside: float) -> float:
        """Where a line ends: ports of one box lie in order within it."""
        return self._at[one] + beside / (self._widths[one] + 1.0)

    def best(self) -> list[list[int]]:
        """The order with the fewest crossings that was met."""
        fewest, found = self._swept()
        chance = np.random.default_rng(0)
        for _ in range(BEGINNINGS if sum(map(len, self._down)) <= FEW else 0):
            if not fewest:
                break
            for row in self.rows:
                row[:] = [row[place] for place in chance.permutation(len(row))]
                self._number(row)
            crossings, order = self._swept()
            if crossings < fewest:
                fewest, found = crossings, order
        return found

    def _swept(self) -> tuple[int, list[list[int]]]:
        """The fewest crossings, from the order that there is."""
        fewest, found = self.crossings(), [list(row) for row in self.rows]
        for sweep in range(SWEEPS if fewest or sweeping(self.rows) else 0):
            self._sweep(downwards=sweep % 2 == 0)
            now = self.crossings()
            if now < fewest or sweep == 0:
                fewest, found = now, [list(row) for row in self.rows]
            if not fewest:
                break
        return fewest, found

    def _sweep(self, *, downwards: bool) -> None:
        for row in self.rows if downwards else reversed(self.rows):
            wanted = {one: self._middle(one, downwards=downwards) for one in row}
            row.sort(key=wanted.__getitem__)
            self._number(row)

    def _middle(self, one: int, *, downwards: bool) -> float:
        if downwards:
            ends = [self._end(step.above, step.leaves) - step.arrives / 1e4 for step in self._up[one]]
        else:
            ends = [self._end(step.below, step.arrives) - step.leaves / 1e4 for step in self._down[one]]
        return sum(ends) / len(ends) if ends else float(self._at[one])

    def crossings(self) -> int:
        return sum(self._between(row) for row in self.rows)

    def _between(self, row: list[int]) -> int:
        """Crossings of the lines that leave a rank downwards: pairs whose ends are in the other order."""
        ends = sorted(
            (self._end(one, step.leaves), self._end(step.below, step.arrives))
            for one in row
            for step in self._down[one]
        )
        seen: list[float] = []
        crossed = 0
        for _, end in ends:
            crossed += len(seen) - bisect_right(seen, end)
            insort(seen, end)
        return crossed


def sweeping(rows: Sequence[Sequence[int]]) -> bool:
    """Is there anything to order?"""
    return any(len(row) > 1 for row in rows)
