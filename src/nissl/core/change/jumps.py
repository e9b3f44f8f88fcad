"""Where a path jumps beyond its usual motion: the strongest level shift of each unit, by generalised least squares.

Paths are (group, epoch, unit, number); a group is a set of units that move in one manner. What is usual is an
autoregression of the first order around a straight line, at a pace that changes slowly: noise about a level, a
random walk and steady learning are all that. A shift is measured against the size of the usual steps.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
LEAST = 6
"""Recorded epochs, from which on anything can be tested."""
STILL = 1e-6
"""Of the layer's spread: less than that is rounding."""
SAMPLE = 256
"""Units that are enough to tell how all of them move."""
WINDOW = 11
"""Steps whose median is the pace."""


@dataclass(frozen=True, eq=False)
class Motion:
    """How the units of each group usually move."""

    memory: Array
    """(group): how much of a deviation is left one epoch later; 0: noise about a level, 1: a random walk."""
    pace: Array
    """(group, epoch - 1): how large steps are, relative to the unit's median."""


@dataclass(frozen=True, eq=False)
class Residuals:
    """What is left of paths without memory, pace and line."""

    values: Array
    """(group, epoch - 1, unit, number)."""
    pace: Array
    """(group, epoch - 1, unit)."""
    lines: tuple[Array, ...]
    """Orthonormal shapes (group, epoch - 1, unit) of steady motion."""

    def typical(self) -> Array:
        """(group, unit): the usual squared size, which a few jumps leave as it is."""
        squares = (self.values**2).sum(-1)
        found: Array = np.maximum(np.median(squares, axis=1), 0.02 * squares.mean(1))
        return found


def motion(paths: Array) -> Motion:
    """As the paths themselves tell it; one jump of every unit does not change the answer."""
    some = paths[:, :, :: max(1, paths.shape[2] // SAMPLE)]
    memory = np.clip(_remembered(some, 1, sure=False), 0, 1)
    lag = 2
    while 8 * lag <= some.shape[1]:
        memory = np.maximum(memory, np.clip(_remembered(some, lag, sure=True), 0, 1) ** (1 / lag))
        lag *= 2
    speed, own = _speeds(some)
    pace = _around(np.median(speed / own, axis=2))
    return Motion(memory, np.maximum(pace, 0.05 * np.maximum(np.median(pace, axis=1, keepdims=True), 1e-3)))


def strongest(paths: Array, usual: Motion) -> tuple[Array, Array]:
    """(group, unit): how strong the strongest shift is, a logarithm, and its epoch's place.

    At least two epochs lie before it and two from it on. A path without motion has 0.
    """
    left = residuals(paths, usual)
    ahead, steps = (1 - usual.memory)[:, None, None], paths.shape[1] - 1
    inverse = 1 / left.pace
    power = np.zeros(left.pace.shape)
    for k in range(paths.shape[-1]):  # one number at a time: the whole of it would be large
        power += _onto(left.values[..., k] * inverse, ahead) ** 2
    whole = inverse**2 + ahead**2 * _later(inverse**2)
    size = whole - sum(_onto(line * inverse, ahead) ** 2 for line in left.lines)
    place = np.arange(1, steps + 1)[:, None]
    inside = (place >= 2) & (place <= steps - 1) & (size > 1e-3 * whole)
    power = np.divide(power, size, out=np.zeros_like(power), where=inside)
    best = power.argmax(1)
    usually = left.typical()
    ratio = np.divide(power.max(1), usually, out=np.zeros_like(usually), where=usually > STILL**2)
    return np.log1p(ratio), best + 1


def residuals(paths: Array, usual: Motion) -> Residuals:
    """Each unit at its own pace: the group's, or more where it moves faster than that."""
    memory = usual.memory[:, None, None, None]
    speed, own = _speeds(paths)
    ratio = _around(speed / (own * usual.pace[..., None]))
    pace = usual.pace[..., None] * np.maximum(ratio, 1)
    values = (paths[:, 1:] - memory * paths[:, :-1]) / pace[..., None]
    lines = tuple(_lines(pace))
    for line in lines:
        values = values - line[..., None] * (line[..., None] * values).sum(1, keepdims=True)
    return Residuals(values, pace, lines)


def step(path: Array, place: int) -> Array:
    """(number): the level after this place less the level before it, over at most three epochs on either side."""
    low, high = max(0, place - 3), min(len(path), place + 3)
    found: Array = np.median(path[place:high], axis=0) - np.median(path[low:place], axis=0)
    return found


def _onto(values: Array, ahead: Array) -> Array:
    """(group, epoch - 1, unit): inner products with the shape of a shift at each place."""
    found: Array = values + ahead * _later(values)
    return found


def _later(values: Array) -> Array:
    """Sums over all later places."""
    found: Array = values.sum(1, keepdims=True) - np.cumsum(values, 1)
    return found


def _lines(pace: Array) -> list[Array]:
    """What steady motion leaves, by Gram and Schmidt; shapes that add nothing are left out."""
    steps = pace.shape[1]
    time = np.linspace(-1, 1, steps)[:, None]
    found: list[Array] = []
    for shape in (1 / pace, time / pace, *((np.ones_like(pace),) if steps > 8 else ())):
        size = np.sqrt((shape**2).sum(1, keepdims=True))
        rest = shape / size
        for _ in range(2):  # twice is enough
            for line in found:
                rest = rest - line * (line * rest).sum(1, keepdims=True)
        left = np.sqrt((rest**2).sum(1, keepdims=True))
        found.append(np.where(left > 1e-4, rest / np.maximum(left, 1e-4), 0.0))
    return found


def _remembered(paths: Array, lag: int, *, sure: bool) -> Array:
    """(group): memory to the power of the lag, by how distances grow with time; `sure`: at least so much."""
    near, far = (np.median(_squared(paths, by), axis=1) for by in (lag, 2 * lag))
    known = (near > STILL**2) & (far > STILL**2)
    ratio = np.log(np.divide(far, near, out=np.ones_like(near), where=known))
    count = np.maximum(known.sum(1), 1)
    middle = np.median(np.where(known, ratio, np.median(ratio, axis=1, keepdims=True)), axis=1)
    if not sure:
        return np.exp(middle) - 1
    spread = np.sqrt(np.where(known, (ratio - middle[:, None]) ** 2, 0).sum(1) / count)
    alone = np.sqrt(2 * lag / paths.shape[1])  # what few units do not tell
    found: Array = np.exp(middle - np.maximum(spread, alone) / np.sqrt(count)) - 1
    return found


def _squared(paths: Array, lag: int) -> Array:
    """(group, epoch, unit): squared distances over so many epochs."""
    found: Array = ((paths[:, lag:] - paths[:, :-lag]) ** 2).sum(-1)
    return found


def _speeds(paths: Array) -> tuple[Array, Array]:
    """(group, epoch - 1, unit) sizes of steps, and each unit's median of them."""
    speed = np.sqrt(_squared(paths, 1))
    own = np.median(speed, axis=1, keepdims=True)
    return speed, np.where(own > STILL, own, np.maximum(speed.mean(1, keepdims=True), STILL))


def _around(values: Array) -> Array:
    """The median of the `WINDOW` steps around each: what lasts for a few steps does not show in it."""
    half = min(WINDOW, values.shape[1] // 2) // 2
    padded = np.pad(values, ((0, 0), (half, half), *((0, 0),) * (values.ndim - 2)), mode="reflect")
    found: Array = np.median(np.lib.stride_tricks.sliding_window_view(padded, 2 * half + 1, axis=1), axis=-1)
    return found
