"""How far to the right each thing stands: near what it is joined to, in the order that is given, without overlap."""

from collections.abc import Sequence
from itertools import pairwise
from math import inf

from nissl.core.layered.order import Step

ROUNDS = 10
GAP = 24.0
NARROW = 30.0
"""What is narrower is no box that stands between those that it leads to, but a place where lines meet or part."""
THREAD = 12.0
"""Room beside a box, and beside a line that only passes."""


def across(rows: Sequence[Sequence[int]], steps: Sequence[Step], widths: Sequence[float]) -> list[float]:
    """The middles. Lines that pass through ranks (of width 0) pull more than others, so that they are straight."""
    at = [0.0] * len(widths)
    for row in rows:
        _place(row, [0.0] * len(row), [1.0] * len(row), widths, at)
    pulls: list[tuple[list[tuple[int, float, float]], list[tuple[int, float, float]]]] = [([], []) for _ in widths]
    for step in steps:
        passing = (widths[step.above] == 0) + (widths[step.below] == 0)
        strength = (1.0, 2.0, 8.0)[passing]
        beside = step.leaves - step.arrives
        pulls[step.below][0].append((step.above, beside, strength))
        pulls[step.above][1].append((step.below, -beside, strength))
    for turn in range(2 * ROUNDS):
        down, last = turn % 2 == 0, turn >= 2 * ROUNDS - 4
        for row in rows if down else reversed(rows):
            wanted, strengths = [], []
            for one in row:
                near = pulls[one][0] + pulls[one][1] if last else pulls[one][0 if down else 1]
                wanted.append(_wanted(near, at) if near else at[one])
                strengths.append(sum(strength for *_, strength in near) if near else 0.01)
            _place(row, wanted, strengths, widths, at)
    _straighten(rows, steps, widths, at)
    return at


def _straighten(rows: Sequence[Sequence[int]], steps: Sequence[Step], widths: Sequence[float], at: list[float]) -> None:
    """What leads from one to one stands upright, where its neighbours leave room for it."""
    beside: dict[int, tuple[int | None, int | None]] = {}
    for row in rows:
        beside |= {
            one: (left, right) for left, one, right in zip([None, *row[:-1]], row, [*row[1:], None], strict=True)
        }
    for run in _runs(steps, widths):
        low, high = -inf, inf
        for one, aside in run:
            left, right = beside[one]
            if left is not None:
                low = max(low, at[left] + _apart(left, one, widths) - aside)
            if right is not None:
                high = min(high, at[right] - _apart(one, right, widths) - aside)
        if low <= high:
            mean = sum(at[one] - aside for one, aside in run) / len(run)
            for one, aside in run:
                at[one] = min(max(mean, low), high) + aside


def _runs(steps: Sequence[Step], widths: Sequence[float]) -> list[list[tuple[int, float]]]:
    """The longest first: things of which each leads to the next, with how far its middle is from the line."""
    downs: list[list[Step]] = [[] for _ in widths]
    ups: list[list[Step]] = [[] for _ in widths]
    for step in steps:
        downs[step.above].append(step)
        ups[step.below].append(step)
    only: dict[int, Step] = {}
    for one, down in enumerate(downs):
        main = _main(widths[one], down, [widths[each.below] for each in down])
        if main is not None:
            up = ups[main.below]
            if main is _main(widths[main.below], up, [widths[each.above] for each in up]):
                only[one] = main
    starts = set(only) - {step.below for step in only.values()}
    runs = []
    for start in sorted(starts):
        run: list[tuple[int, float]] = [(start, 0.0)]
        one, aside = start, 0.0
        while one in only:
            step = only[one]
            one, aside = step.below, aside + step.leaves - step.arrives
            run.append((one, aside))
        runs.append(run)
    return sorted(runs, key=lambda run: -len(run))


def _main(width: float, steps: Sequence[Step], widths: Sequence[float]) -> Step | None:
    """The only one there is; where lines meet or part, the one to or from a box, if there is one such beside lines that pass."""
    boxes = [step for step, other in zip(steps, widths, strict=True) if other]
    return steps[0] if len(steps) == 1 else boxes[0] if len(boxes) == 1 and width < NARROW else None


def _wanted(near: list[tuple[int, float, float]], at: Sequence[float]) -> float:
    total = sum(strength for *_, strength in near)
    return sum(strength * (at[other] + beside) for other, beside, strength in near) / total


def _place(
    row: Sequence[int], wanted: Sequence[float], strengths: Sequence[float], widths: Sequence[float], at: list[float]
) -> None:
    """The least squares of distances from where each is wanted that keep the order and the room: pools of neighbours."""
    offsets = [0.0]
    for one, other in pairwise(row):
        offsets.append(offsets[-1] + _apart(one, other, widths))
    pools: list[tuple[float, float, int]] = []  # mean, strength, how many
    for place, strength, offset in zip(wanted, strengths, offsets, strict=True):
        mean, many = place - offset, 1
        while pools and pools[-1][0] >= mean:
            pooled, more, count = pools.pop()
            mean = (mean * strength + pooled * more) / (strength + more)
            strength, many = strength + more, many + count
        pools.append((mean, strength, many))
    means = [mean for mean, _, many in pools for _ in range(many)]
    for one, mean, offset in zip(row, means, offsets, strict=True):
        at[one] = mean + offset


def _apart(one: int, other: int, widths: Sequence[float]) -> float:
    """The least distance of the middles of neighbours."""
    return sum(widths[each] + (GAP if widths[each] else THREAD) for each in (one, other)) / 2
