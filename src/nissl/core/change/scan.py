"""One layer from end to end: how far its units drift, which of them jump beyond their usual motion, and when."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nissl.core.change import turns
from nissl.core.change.jumps import LEAST, STILL, Motion, motion, step, strongest
from nissl.core.change.nulls import DRAWS, Null, null
from nissl.core.change.paths import WORDS, Paths, distances

if TYPE_CHECKING:
    pass

Array = NDArray[Any]
Turn = tuple[int, str, int, int, int]
"""(epoch, event, unit, before, after)."""
WIDE = 32
"""More numbers than these are tested by so many random directions of them."""
MOST = 5
"""Jumps of one unit."""
NEAR = 0.1
"""Settled: within this share of the largest distance from where it ended."""


@dataclass(frozen=True, eq=False)
class Jump:
    """A unit (or a row of whatever was tested) leaves its usual motion."""

    unit: int
    epoch: int
    size: float
    """Root mean square over its numbers, in parts of the layer's spread."""
    p: float
    q: float


@dataclass(frozen=True, eq=False)
class Scan:
    """What the epochs say of one layer's units."""

    paths: Paths
    previous: Array
    """(epoch): root mean square drift since the epoch before, over units; NaN at the first."""
    last: Array
    """(epoch): the same to the last epoch."""
    moved: Array
    """(unit): from the first epoch to the last."""
    travel: Array
    """(unit): the way it went."""
    settled: Array
    """(unit): the place of the epoch from which it stays near its end."""
    preferred: Array
    """(unit, first and last): the class that it prefers, -1 for none."""
    later: Array
    """(epoch): units that from the next epoch on still change the class that they prefer, for good."""
    p: Array
    """(unit): how often so strong a jump comes about where nothing changes; NaN where nothing can be tested."""
    turned: tuple[Turn, ...]
    usual: Motion | None
    null: Null | None
    untested: str
    """Why nothing could be tested; empty where it was."""

    @property
    def epochs(self) -> tuple[int, ...]:
        return self.paths.epochs

    @property
    def source(self) -> str:
        """What the drift is of, in words."""
        return WORDS.get(self.paths.name, self.paths.name)

    def settles(self, lasting: int) -> int | None:
        """The place of the epoch from which the layer stays near where it ended; None where too few epochs show it."""
        place = int(_settled(self.last[:, None])[0]) if len(self.last) else 0
        return place if len(self.last) - place > lasting else None


def scan(paths: Paths, rng: np.random.Generator, lasting: int, tell: Callable[[float], None]) -> Scan:
    """Reads the layer twice: a few units to learn how they move, then all of them in blocks."""
    usual, nothing, why = _usual(paths, rng)
    count, epochs = paths.units, len(paths.epochs)
    sums = np.zeros((3, epochs))
    moved, travel, p = np.full((3, count), np.nan)
    settled, preferred = np.zeros(count, int), np.full((count, 2), turns.NONE)
    turned: list[Turn] = []
    leaders = np.zeros((epochs, count), np.int64)
    for units, path in paths.blocks():
        before, last = distances(path)
        known = np.isfinite(last).all(0)
        sums += [np.nansum(before[:, known] ** 2, 1), (last[:, known] ** 2).sum(1), np.full(epochs, known.sum())]
        moved[units], travel[units], settled[units] = last[0], np.nansum(before, 0), _settled(last)
        travel[units][~known] = np.nan
        leaders[:, units] = _leaders(paths, path)
        if usual is not None and nothing is not None:
            p[units] = tested(path, usual, nothing)[0]
        tell((units.stop or count) / count)
    preferred[:] = leaders[[0, -1]].T
    turned += _turned(paths, "preference", leaders, lasting)
    turned += _lives(paths, lasting)
    size = np.maximum(sums[2], 1)
    previous = np.sqrt(sums[0] / size)
    previous[:1] = np.nan
    later = np.array([len({t[2] for t in turned if t[1] == "preference" and t[0] > e}) for e in paths.epochs])
    return Scan(
        paths, previous, np.sqrt(sums[1] / size), moved, travel, settled, preferred, later, p, tuple(turned), usual, nothing, why
    )  # fmt: skip


def tested(path: Array, usual: Motion, nothing: Null) -> tuple[Array, Array]:
    """(unit): p and place of the strongest jump of paths (epoch, unit, number); NaN for units that were not heard throughout."""
    p, place = np.full(path.shape[1], np.nan), np.zeros(path.shape[1], int)
    known = np.isfinite(path).all((0, 2))
    if known.any():
        found, where = strongest(narrowed(path[:, known])[None], usual)
        p[known], place[known] = nothing.p(found[0]), where[0]
    return p, place


def narrowed(path: Array) -> Array:
    """About each path's mean, and in at most `WIDE` numbers."""
    path = (path - path.mean(0)).astype(np.float32)
    if path.shape[-1] <= WIDE:
        return path
    turned: Array = path @ (np.random.default_rng(0).normal(size=(path.shape[-1], WIDE)) / np.sqrt(WIDE))
    return turned


def learned(path: Array, rng: np.random.Generator) -> tuple[Motion, Null] | None:
    """How paths (epoch, unit, number) usually move, and what that brings about; None where there are too few epochs or none moves."""
    moving = path[:, (np.ptp(path, axis=0) > STILL).any(-1)]
    if len(path) < LEAST or not moving.shape[1]:
        return None
    some = narrowed(moving)[None]
    usual = motion(some)
    long = some.shape[1] * some.shape[3] > 2000
    return usual, null(some, usual, rng, DRAWS // (4 if long or some.shape[2] < 8 else 1))


def jumps(
    path: Array, q: Array, found: tuple[Motion, Null], level: float, epochs: tuple[int, ...], count: int
) -> list[Jump]:
    """Every jump of paths (epoch, unit, number) that were discovered at `q`: one is taken out, the rest is tested again.

    `count`: how many were tested at first.
    """
    usual, nothing = found
    path, who, made = path.copy(), np.arange(path.shape[1]), list[Jump]()
    for _ in range(MOST):
        if not len(who):
            break
        p, places = tested(path[:, who], usual, nothing)
        rate = q if not made else p * count  # of every unit, not of those alone that jumped once
        left = []
        for index in np.flatnonzero((rate <= level) & (p <= level)):
            unit, place = int(who[index]), int(places[index])
            if any(jump.unit == unit and abs(epochs.index(jump.epoch) - place) < 2 for jump in made):
                continue
            by = step(path[:, unit], place)
            path[place:, unit] -= by
            size = float(np.sqrt((by**2).mean()))
            made.append(Jump(unit, epochs[place], size, float(p[index]), float(rate[index])))
            left.append(unit)
        moving = np.median(np.abs(np.diff(path[:, left], axis=0)).sum(-1), axis=0) > STILL
        who = np.array(left, int)[moving]  # of one that stands still for half of the time no other motion is usual
    return made


def _usual(paths: Paths, rng: np.random.Generator) -> tuple[Motion | None, Null | None, str]:
    epochs = len(paths.epochs)
    if epochs < LEAST:
        held = "1 epoch" if epochs == 1 else f"{epochs} epochs"
        return None, None, f"{held} recorded: no jump can be told from usual motion with fewer than {LEAST}"
    found = learned(paths.few(), rng)
    return (*found, "") if found else (None, None, "nothing moves")


def _settled(last: Array) -> Array:
    """(unit): the first place from which distances (epoch, unit) from the end stay small."""
    far = np.nan_to_num(last) > NEAR * np.nan_to_num(last).max(0, initial=0.0)
    return np.where(far.any(0), len(last) - far[::-1].argmax(0), 0)


def _leaders(paths: Paths, path: Array) -> Array:
    """The class that each unit prefers, by its number among all classes."""
    if "class" not in paths.spec.dims:
        return np.full(path.shape[:2], turns.NONE)
    found = turns.preferences(path)
    return np.where(found >= 0, paths.numbers[found], turns.NONE)


def _turned(paths: Paths, event: str, states: Array, lasting: int) -> list[Turn]:
    return [(paths.epochs[at], event, unit, one, other) for at, unit, one, other in turns.turns(states, lasting)]


def _lives(paths: Paths, lasting: int) -> list[Turn]:
    """Births, deaths, and what went into saturation or came out of it."""
    trace, layer, epochs = paths.trace, paths.layer, paths.epochs
    alive, full = turns.lives(trace, layer, epochs), turns.saturations(trace, layer, epochs)
    found = []
    for states, names in ((alive, ("death", "birth")), (full, ("recovery", "saturation"))):
        for epoch, _, unit, before, after in _turned(paths, "", states, lasting) if states is not None else ():
            found.append((epoch, names[after], unit, before, after))
    return found
