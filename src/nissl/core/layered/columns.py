"""Ranks stand one under the other, in as many columns as keep it from being too high."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from math import ceil
from typing import Self

from nissl.core.layered.order import Step

Point = tuple[float, float]
GUTTER, LANE = 40.0, 9.0
"""Room between columns, and for each line that leads to the next one's top."""
LATER, OVER = 0.72, 1.06
"""A column ends between these shares of its height, where the fewest lines are cut."""
TAIL, SCRAP = 1.25, 0.25
"""How much the last column may have, and how little is not worth one."""


@dataclass(frozen=True)
class Columns:
    """In which column each rank stands, where that is, and how large all of them are together."""

    column: Sequence[int]
    """By rank."""
    tops: Sequence[float]
    """By rank: where its band begins."""
    shifts: Sequence[float]
    """By column: how far to the right it was moved."""
    bottoms: Sequence[float]
    edges: Sequence[float]
    """By column: its right edge."""
    width: float
    height: float

    @classmethod
    def of(
        cls, bands: Sequence[float], gaps: Sequence[float], passing: Sequence[int], spans: Sequence[tuple[float, float]],
        limit: float,
    ) -> Self:  # fmt: skip
        """`bands` are the ranks' heights, `gaps` the room and `passing` the lines between them, `spans` where each begins and ends."""
        cuts = _cuts(bands, gaps, passing, limit)
        column = [sum(rank > cut for cut in cuts) for rank in range(len(bands))]
        head = max((LANE * passing[cut] for cut in cuts), default=0.0)
        tops, bottoms = [head] * len(bands), [0.0] * (len(cuts) + 1)
        for rank, band in enumerate(bands):
            if rank and column[rank] == column[rank - 1]:
                tops[rank] = tops[rank - 1] + bands[rank - 1] + gaps[rank - 1]
            bottoms[column[rank]] = tops[rank] + band
        shifts, edges, left = [], [], 0.0
        for number in range(len(cuts) + 1):
            mine = [span for span, where in zip(spans, column, strict=True) if where == number]
            low, high = min(span[0] for span in mine), max(span[1] for span in mine)
            shifts.append(left - low)
            edges.append(left + high - low)
            left = edges[-1] + GUTTER + (LANE * passing[cuts[number]] if number < len(cuts) else 0.0)
        lanes = [LANE * (passing[cut] + 1) for cut in cuts] + [0.0]
        height = max(bottom + more for bottom, more in zip(bottoms, lanes, strict=True))
        return cls(column, tops, shifts, bottoms, edges, edges[-1], height)


def _cuts(bands: Sequence[float], gaps: Sequence[float], passing: Sequence[int], limit: float) -> list[int]:
    """After which ranks a column ends: columns of about equal height, and as few lines cut as may be."""
    begins, ends, at = [], [], 0.0
    for band, gap in zip(bands, [*gaps, 0.0], strict=True):
        begins.append(at)
        ends.append(at + band)
        at += band + gap
    if ends[-1] <= TAIL * limit:
        return []
    wanted, cuts, start = ends[-1] / ceil(ends[-1] / limit), [], 0
    while ends[-1] - begins[start] > TAIL * wanted:
        rest = range(start, len(bands) - 1)
        fits = [r for r in rest if LATER * wanted <= ends[r] - begins[start] <= OVER * wanted]
        first_over = next((r for r in rest if ends[r] - begins[start] > OVER * wanted), None)
        if not fits and first_over is None:
            break
        cut = min(fits, key=lambda r: (passing[r], -r)) if fits else first_over
        assert cut is not None
        if ends[-1] - begins[cut + 1] < SCRAP * wanted:
            break
        cuts.append(cut)
        start = cut + 1
    return cuts


@dataclass
class Lanes:
    """Ways from the bottom of a column to the top of the next, one beside the other."""

    columns: Columns
    wraps: Iterable[tuple[int, Step, float]]
    """(rank, piece of a line, where it leaves) of each that is cut."""
    _lane: dict[Step, tuple[int, int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        by_rank: dict[int, list[tuple[float, int, Step]]] = {}
        for number, (rank, step, x) in enumerate(self.wraps):
            by_rank.setdefault(rank, []).append((-x, number, step))
        for rank, lines in by_rank.items():
            for lane, (*_, step) in enumerate(sorted(lines, key=lambda line: line[:2])):
                self._lane[step] = self.columns.column[rank], lane

    def between(self, step: Step, x: float, to: float) -> list[Point]:
        """The turns of a line, none where it stays in its column."""
        if step not in self._lane:
            return []
        column, lane = self._lane[step]
        low, high = self.columns.bottoms[column] + LANE * (lane + 1), min(self.columns.tops) - LANE * (lane + 1)
        aside = self.columns.edges[column] + GUTTER / 2 + LANE * lane
        return [(x, low), (aside, low), (aside, high), (to, high)]
