"""Turns in what a unit is: alive or dead, free or saturated, and which class it prefers; what does not last is none."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nissl.core.change.paths import Paths

if TYPE_CHECKING:
    from nissl.core.trace import Trace

Array = NDArray[Any]
NONE = -1
MARGIN = 0.05
"""Of the layer's spread: by so much a class must be ahead to be preferred."""
FULL = 0.9
"""Mean square of a bounded response, scaled to -1 to 1, above which the unit is saturated."""
BOUNDED = {"Sigmoid": (2.0, -1.0), "sigmoid": (2.0, -1.0), "Tanh": (1.0, 0.0), "tanh": (1.0, 0.0)}
"""Nonlinearities with two ends: what brings them to -1 and 1."""


def turns(states: Array, lasting: int) -> list[tuple[int, int, int, int]]:
    """(place, unit, before, after): from one state (epoch, unit) that lasted to another that lasts; NONE counts for nothing."""
    run = np.zeros(states.shape[1], np.int64)
    now = np.full(states.shape[1], NONE - 1)
    settled = np.full(states.shape[1], NONE)
    found = []
    for place, state in enumerate(states):
        run = np.where(state == now, run + 1, 1)
        now = state
        new = (run >= lasting) & (state != settled) & (state != NONE)
        changed = np.flatnonzero(new & (settled != NONE)).tolist()
        found += [(place - lasting + 1, unit, int(settled[unit]), int(state[unit])) for unit in changed]
        settled = np.where(new, state, settled)
    return found


def preferences(path: Array) -> Array:
    """(epoch, unit): the place of the number that is largest, NONE where none is clearly ahead; paths as recorded, scaled."""
    if path.shape[-1] < 2:
        return np.full(path.shape[:2], NONE)
    known: Array = np.asarray(np.isfinite(path).all(-1))
    filled = np.where(known[..., None], path, 0.0)
    first = filled.argmax(-1)
    second, best = np.partition(filled, -2, axis=-1)[..., -2:].transpose(2, 0, 1)
    return np.where(known & (best - second > MARGIN), first, NONE)


def lives(trace: "Trace", layer: str, epochs: tuple[int, ...]) -> Array | None:
    """(epoch, unit): 0 where a unit answers nothing at all, 1 where it answers; None where that was not recorded."""
    found = _column(trace, layer, "magnitude", epochs)
    return None if found is None else np.where(np.isfinite(found), (found > 0).astype(int), NONE)


def saturations(trace: "Trace", layer: str, epochs: tuple[int, ...]) -> Array | None:
    """(epoch, unit): 1 where a bounded response is nearly always at an end, else 0; None for other layers."""
    bounds = BOUNDED.get(trace.place(layer).nonlinearity or "")
    mean, std = (_column(trace, layer, name, epochs) for name in ("mean", "std"))
    if bounds is None or mean is None or std is None:
        return None
    by, shift = bounds
    square = (by * mean + shift) ** 2 + (by * std) ** 2
    return np.where(np.isfinite(square), (square > FULL).astype(int), NONE)


def _column(trace: "Trace", layer: str, name: str, epochs: tuple[int, ...]) -> Array | None:
    """One statistic (epoch, unit), on the probe if it was heard there."""
    for known in (f"probe_{name}", name):
        if known in trace.names(layer):
            paths = Paths(trace, layer, known)
            if set(epochs) <= set(paths.held):
                return np.asarray(trace.read(layer, known, list(epochs)), np.float64)
    return None
