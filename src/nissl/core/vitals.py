"""`vitals`: how each layer fares at each epoch: units that are silent, saturated or broken, gradients, sizes of updates."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nissl.core.change import turns

if TYPE_CHECKING:
    from nissl.core.trace import Trace

Array = NDArray[Any]
NEEDS = {"dead": "activation", "saturated": "activation", "broken": "activation", "gradient": "gradient", "update": "weights"}  # fmt: skip
"""What there may be, by the quantity that records it."""


def vitals(trace: "Trace") -> dict[str, Array]:
    """(layer, epoch) by name, NaN where nothing was recorded; without those that no layer has at any epoch.

    dead, saturated, broken: how many units answer nothing, are nearly always at an end, or gave NaN or infinity. gradient:
    the mean size, over units, of the loss's gradient by the activation; of the weights where only that was recorded.
    update: the change of all weights since the last recorded epoch, in parts of their size.
    """
    epochs = tuple(trace.epochs)
    made = {name: np.full((len(trace.layers), len(epochs)), np.nan) for name in NEEDS}
    for row, layer in enumerate(trace.layers):
        made["dead"][row] = _counted(trace, layer, ("magnitude",), lambda now: now[0] == 0)
        made["saturated"][row] = _saturated(trace, layer)
        made["broken"][row] = _counted(trace, layer, ("nan", "inf"), lambda now: (now[0] + now[1]) > 0)
        made["gradient"][row] = _gradient(trace, layer)
        made["update"][row] = _update(trace, layer)
    return {name: found for name, found in made.items() if np.isfinite(found).any()}


def recorded(trace: "Trace", layer: str, name: str) -> Array | None:
    """(epoch, unit) of all epochs, NaN at those without it; on the probe where it was heard there; None: never recorded."""
    for known in (f"probe_{name}", name):
        if known in trace.names(layer):
            key = trace.spec(layer, known).key
            held = [place for place, entry in enumerate(trace.entries) if key in entry.arrays]
            found = np.full((len(trace.epochs), trace.units(layer)), np.nan)
            if held:
                epochs = trace.epochs
                found[held] = trace.read(layer, known, [epochs[place] for place in held])
            return found
    return None


def _counted(trace: "Trace", layer: str, names: tuple[str, ...], holds: Any) -> Array | float:
    tables = [recorded(trace, layer, name) for name in names]
    if any(table is None for table in tables):
        return np.nan
    known = np.isfinite(np.stack([table for table in tables if table is not None])).all(0)
    found: Array = np.where(known.any(1), (holds(tables) & known).sum(1), np.nan)
    return found


def _saturated(trace: "Trace", layer: str) -> Array | float:
    if trace.place(layer).nonlinearity not in turns.BOUNDED:
        return np.nan
    mean = recorded(trace, layer, "mean")
    if mean is None:
        return np.nan
    places = np.flatnonzero(np.isfinite(mean).any(1))
    states = turns.saturations(trace, layer, tuple(trace.epochs[place] for place in places))
    found = np.full(len(trace.epochs), np.nan)
    if states is not None:
        found[places] = (states == 1).sum(1)
    return found


def _gradient(trace: "Trace", layer: str) -> Array | float:
    for name in ("gradient_magnitude", "weight_gradient_magnitude"):
        if (table := recorded(trace, layer, name)) is not None:
            return _mean(np.abs(table))
    return np.nan


def _update(trace: "Trace", layer: str) -> Array | float:
    change, size = (recorded(trace, layer, name) for name in ("weight_update", "weight_norm"))
    if change is None or size is None:
        return np.nan
    with np.errstate(divide="ignore", invalid="ignore"):
        found: Array = np.sqrt(_mean(change**2) / _mean(size**2))
    return np.where(np.isfinite(found), found, np.nan)


def _mean(table: Array) -> Array:
    """Over the units that are known."""
    known = np.isfinite(table)
    with np.errstate(invalid="ignore", divide="ignore"):
        found: Array = np.where(known, table, 0).sum(1) / known.sum(1)
    return found
