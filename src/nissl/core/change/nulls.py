"""How often so strong a jump comes about where nothing changes: bootstrapped paths of the same motion."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nissl.core.change.jumps import LEAST, SAMPLE, STILL, Motion, motion, residuals, strongest

Array = NDArray[Any]
DRAWS = 4000
"""Paths that are drawn for each set of units."""
TRIAL, ENOUGH = 500, 20
FREEDOMS = (np.inf, 24.0, 12.0, 8.0, 6.0, 5.0, 4.5)
"""Of Student's t, from calm to wild."""
SETS = 12
"""So many sets of units tell how far a law's longest steps go, and how much that differs from set to set."""
LEFT_OUT, LONGEST = 0.15, 0.1
"""The wildest units, some of which may jump, and then the share of steps whose length tells how wild the others are."""
CARE, MOST = 1.0, 0.5
"""Standard errors by which the law is wilder than what was found; and, of the statistic, a logarithm, by how much more than by any
law the units' usual motion may be wild."""
AT_ONCE = 2_000_000  # numbers that are reckoned with at a time
LEAST_P = 1e-9


@dataclass(frozen=True, eq=False)
class Null:
    """What the strongest shift explains where there is none, sorted."""

    drawn: Array

    def p(self, found: Array) -> Array:
        """The share of draws that explain as much; beyond the last hundredth of them, their tail goes on as an exponential.

        Its rate is taken two standard errors too low: so few draws tell no better, and tails of wild motion grow longer still.
        """
        count = len(self.drawn)
        above = count - np.searchsorted(self.drawn, found, "left")
        share = (1 + above) / (1 + count)
        last = self.drawn[int(0.99 * count) :]
        edge = last[0]
        excess = max(float((last - edge).mean()) * (1 + 2 / np.sqrt(len(last))), 1e-12)
        tail = np.exp(-np.maximum(found - edge, 0) / excess) * len(last) / count
        return np.maximum(np.where(found > edge, np.maximum(tail, 0), share), LEAST_P)


def null(paths: Array, usual: Motion, rng: np.random.Generator, draws: int = DRAWS) -> Null:
    """Of one group's units, (1, epoch, unit, number).

    How wild single epochs are, the longest steps tell, of all units but the wildest; what that law lacks to bring about the lower
    three quarters of what was found is added, up to a bound: beyond it most units jump. Of few units the residuals tell.
    """
    new = _innovations(paths, usual, rng)
    if new is None:
        return Null(np.zeros(draws))
    shape, lacks = paths.shape[1:], 0.0
    if shape[1] >= ENOUGH:
        new = replace(new, freedom=_freedom(new, paths, usual, rng))
        found = np.quantile(strongest(paths, usual)[0], (0.5, 0.75))
        lacks = float((found - np.quantile(_drawn(new, usual, rng, shape, TRIAL), (0.5, 0.75))).max())
        lacks -= 1.5 / np.sqrt(shape[1])  # which the units of one layer differ by chance
    return Null(np.sort(_drawn(new, usual, rng, shape, draws)) + min(max(lacks, 0.0), MOST))


def _freedom(new: "_New", paths: Array, usual: Motion, rng: np.random.Generator) -> float:
    """Of the law whose longest steps are as long as those that were found, or a little longer."""
    units = min(paths.shape[2], SAMPLE)
    some = paths[:, :, :: max(1, paths.shape[2] // SAMPLE)]
    told, laws, error = float(_longest(residuals(some, usual).values)[0]), [], 0.0
    for freedom in FREEDOMS:
        made = replace(new, freedom=freedom).walks(rng, usual, (SETS, paths.shape[1], units))
        each = _longest(residuals(made, motion(made)).values)
        laws.append(float(each.mean()))
        error = float(each.std()) if laws[-1] <= told or not error else error
    calm = np.interp(told + CARE * error, np.maximum.accumulate(laws), [1 / freedom for freedom in FREEDOMS])
    return float(1 / calm) if told > laws[0] + CARE * error else np.inf


def _longest(values: Array) -> Array:
    """(group): mean logarithm of the longest steps' squares, each relative to its unit's median, without the wildest units."""
    squares = (values**2).sum(-1)
    relative = squares / np.maximum(np.median(squares, axis=1, keepdims=True), STILL**2)
    kept = np.argsort(relative.max(1), axis=1)[:, : max(1, round((1 - LEFT_OUT) * relative.shape[2]))]
    flat = np.sort(np.take_along_axis(relative, kept[:, None], 2).reshape(len(relative), -1), axis=1)
    found: Array = np.log(np.maximum(flat[:, -max(1, round(LONGEST * flat.shape[1])) :], 1e-12)).mean(1)
    return found


def _drawn(new: "_New", usual: Motion, rng: np.random.Generator, shape: tuple[int, ...], draws: int) -> Array:
    epochs, units, width = shape
    few = min(units, SAMPLE)
    together = max(1, AT_ONCE // (epochs * few * width))
    drawn: list[Array] = []
    while sum(map(len, drawn)) < draws:
        groups = min(together, -(-(draws - sum(map(len, drawn))) // few))
        made = new.walks(rng, usual, (groups, epochs, few))
        drawn.append(strongest(made, motion(made))[0].ravel())
    return np.concatenate(drawn)


def discoveries(p: Array) -> Array:
    """The false discovery rate at which each is found (Benjamini and Hochberg); NaN stays NaN and counts for nothing."""
    q = np.full(p.shape, np.nan)
    known = np.flatnonzero(np.isfinite(p))
    order = known[np.argsort(p[known])]
    each = p[order] * len(order) / np.arange(1, len(order) + 1)
    q[order] = np.minimum(np.minimum.accumulate(each[::-1])[::-1], 1)
    return q


def testable(paths: Array) -> bool:
    """Whether there are enough epochs."""
    return paths.shape[1] >= LEAST


@dataclass(frozen=True, eq=False)
class _New:
    """What is new at an epoch: a unit's own directions, of a length that follows the same law for all units."""

    directions: Array
    """(unit, epoch - 1, number)."""
    shape: float
    """Of the gamma that squared lengths follow: half of how many numbers move by themselves."""
    freedom: float
    """Of Student's t, by which some epochs are wilder than others; infinite: all are alike."""

    def walks(self, rng: np.random.Generator, usual: Motion, size: tuple[int, int, int]) -> Array:
        """Paths (group, epoch, unit, number) that move as usual and never jump."""
        groups, epochs, units = size
        memory, pace = float(usual.memory[0]), np.concatenate([usual.pace[0, :1], usual.pace[0]])
        who = rng.integers(0, len(self.directions), (groups, 1, units))
        when = rng.integers(0, self.directions.shape[1], size)
        length = np.sqrt(_squares(rng, self.shape, self.freedom, size)) * rng.choice((-1.0, 1.0), size)
        new = self.directions[who, when] * (length * pace[:, None])[..., None]
        path = np.empty_like(new)
        path[:, 0] = new[:, 0] / np.sqrt(1 - memory**2) if memory < 0.99 else 0
        for at in range(1, epochs):
            path[:, at] = memory * path[:, at - 1] + new[:, at]
        return path


def _innovations(paths: Array, usual: Motion, rng: np.random.Generator) -> _New | None:
    """By quantiles that a jump of every unit leaves as they are; None where nothing moves."""
    left = residuals(paths[:, :, :: max(1, paths.shape[2] // SAMPLE)], usual).values[0].swapaxes(0, 1)
    squares = (left**2).sum(-1)
    moving = np.median(squares, axis=1) > STILL**2
    left, squares = left[moving], squares[moving]
    if not len(left):
        return None
    directions = left / np.sqrt(np.maximum(squares, STILL**2))[..., None]
    steps, width = left.shape[1:]
    moments = np.einsum("uti,utj->uij", directions, directions)
    alike = float(np.median((moments**2).sum((1, 2)))) / steps**2
    shape = 0.5 * float(np.clip((steps - 1) / max(steps * alike - 1, 1e-9), 1, width))
    if paths.shape[2] >= ENOUGH:
        return _New(directions, shape, np.inf)
    wild, few = _wildness(squares), max(100, 100_000 // steps)
    told = [_wildness(_squares(rng, shape, freedom, (few, steps))) for freedom in FREEDOMS]
    calmer = sum(each < 0.97 * wild for each in told)
    return _New(directions, shape, FREEDOMS[min(calmer + (calmer > 0), len(FREEDOMS) - 1)])  # rather too wild


def _wildness(squares: Array) -> float:
    """How far the longest steps that are no jumps lie above each unit's median."""
    steps = squares.shape[1]
    relative = squares / np.median(squares, axis=1, keepdims=True)
    return max(float(np.quantile(relative, min(max(1 - 2 / steps, 0.75), 0.95))), 1e-12)


def _squares(rng: np.random.Generator, shape: float, freedom: float, size: tuple[int, ...]) -> Array:
    plain = rng.standard_gamma(shape, size) / shape
    return plain if np.isinf(freedom) else plain * freedom / rng.chisquare(freedom, size)
