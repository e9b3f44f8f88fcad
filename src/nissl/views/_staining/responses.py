"""What the units of a layer answered to each class, read from a trace and turned into depths of dye."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nissl.core.palette import STAIN10
from nissl.core.trace import Trace
from nissl.core.traced import heard
from nissl.errors import NotHeard, listing

Floats = NDArray[np.float64]
SHARED = 1.15
"""A class dyes a unit by what its response is above this many times the unit's mean over the classes."""
GREY = 0.6
"""Depth of the counterstain of a unit that answers to every class as strongly as any unit of its layer does."""
MIXED = 3
"""Dyes that are still told apart where they mix; of more, a unit takes only that of the class it answers to most."""
BRIGHTEST = 99.8
"""The percentile of the last epoch's responses that counts as full."""


NOTHING = 1e-6
"""What is smaller than this share of a full response is the rounding of a sum, not an answer."""


@dataclass(frozen=True, eq=False)
class Stain:
    """Depths of counterstain and dyes, and which units never answered."""

    grey: Floats
    depth: Floats
    """(..., unit, dye)."""
    silent: NDArray[np.bool_]


def active(trace: Trace, *, needed: bool = True) -> list[str]:
    """Layers whose units' activity was recorded, in order of use; `needed`: there must be one."""
    wanted = {"mean", "class_mean", "probe_mean", "probe_class_mean"}
    names = [name for name in trace.layers if trace.units(name) and wanted & set(trace.names(name))]
    if not names and needed:
        raise NotHeard(
            f"No layer's activity is in this trace, only: {listing(trace.names(None))}. Record with the quantities "
            "'activation' and 'profile'."
        )
    return names


def source(trace: Trace, layers: Sequence[str]) -> str:
    """Where responses come from, for the caption."""
    probed = any(name.startswith("probe_") for layer in layers for name in trace.names(layer))
    return "the held-out probe" if probed else "the training batches"


def responses(trace: Trace, layer: str, epochs: Sequence[int]) -> Floats:
    """Mean response (epoch, unit, class), scaled so that 1 is the strongest of the trace's last epoch; NaN stays NaN.

    Without classes there is one column: the mean activity.
    """
    return scaled(by_class(trace, layer, epochs), brightest(trace, layer))


def scaled(found: Floats, whole: float) -> Floats:
    """What was recorded, in parts of what counts as full."""
    shares: Floats = np.minimum(found / whole, 1.2)
    return np.where(np.abs(shares) < NOTHING, 0.0, shares)


def brightest(trace: Trace, layer: str) -> float:
    """The response that counts as full, at every epoch: all but the strongest of the last one; 1 where there is none."""
    return strongest(by_class(trace, layer, trace.epochs[-1:])[0])


def strongest(last: Floats) -> float:
    """All but the strongest of an epoch's responses; 1 where there is none."""
    top = np.clip(last[np.isfinite(last)], 0, None)
    return float(np.percentile(top, BRIGHTEST) if top.size else 0.0) or 1.0


def by_class(trace: Trace, layer: str, epochs: Sequence[int], units: slice = slice(None)) -> Floats:
    """Mean response (epoch, unit, class) as it was recorded; without classes one column, the mean activity."""
    if trace.classes:
        found = heard(trace, layer, "class_mean", epochs, (units,))
        if found is not None:
            return found
    mean = heard(trace, layer, "mean", epochs, (units,))
    if mean is None:
        mean = np.full((len(epochs), len(range(trace.units(layer))[units])), np.nan)
    return mean[..., None]


def below(trace: Trace, layers: Sequence[str], epoch: int) -> str:
    """For the caption: that responses below zero count as none, where there are any."""
    found = any((np.nan_to_num(responses(trace, name, [epoch])) < 0).any() for name in layers)
    return " (a mean below zero counts as none)" if found else ""


def stain(values: Floats, chosen: Sequence[int]) -> Stain:
    """Grey is the response to all classes alike, dye what a class's is above 1.15 x that mean; below zero is no response."""
    known = np.isfinite(values)
    filled = np.where(known, np.maximum(values, 0.0), 0.0)
    mean = filled.sum(-1) / np.maximum(known.sum(-1), 1)
    count = values.shape[-1]
    if count > 1 and len(chosen):
        most = 1 - SHARED / count  # what a unit that answers to one class alone would have
        depth = np.maximum(0, filled[..., list(chosen)] - SHARED * mean[..., None]) / most
        if len(chosen) > MIXED:
            depth = np.where(depth == depth.max(-1, keepdims=True), depth, 0.0)
    else:
        depth = np.zeros((*mean.shape, len(chosen)))
    return Stain(GREY * mean, depth, silent(values))


def silent(values: Floats) -> NDArray[np.bool_]:
    """Units that answer to nothing at all, neither above nor below zero."""
    return np.asarray(~(np.nan_to_num(values) != 0).any(-1))


def order(values: Floats) -> NDArray[np.int64]:
    """Units (unit, class) from the first class to the last by the class that each prefers, the purest first; silent ones last."""
    filled = np.where(np.isfinite(values), values, -np.inf)
    best, above = filled.argmax(-1), np.maximum(filled, 0.0)
    mean = above.mean(-1)
    purity = above.max(-1) - SHARED * mean
    if filled.shape[-1] == 1:
        return np.argsort(-mean, kind="stable")
    return np.lexsort((-purity, best, silent(values)))


def dyes(trace: Trace, chosen: Sequence[int]) -> tuple[str, ...]:
    """A class has the same dye in every picture of a trace, unless there are more classes than dyes."""
    few = len(trace.classes) <= len(STAIN10)
    return tuple(STAIN10[number if few else place] for place, number in enumerate(chosen))


def choose(trace: Trace, epoch: int, most: int) -> tuple[int, ...]:
    """All classes if there are dyes for them, else those that are most often taken for one another."""
    count = len(trace.classes)
    if count <= len(STAIN10):
        return tuple(range(count))
    mistaken = _mistaken(trace, epoch)
    group = list(_foremost(mistaken))
    while len(group) < most:
        near = mistaken[group].sum(0)
        near[group] = -1
        group.append(int(near.argmax()))
    return tuple(sorted(group))


def closest(trace: Trace, epoch: int) -> tuple[int, int]:
    """The two classes that are most often taken for one another; without mistakes the first two."""
    return _foremost(_mistaken(trace, epoch))


def _foremost(mistaken: Floats) -> tuple[int, int]:
    first, second = (int(i) for i in np.unravel_index(mistaken.argmax(), mistaken.shape))
    return (first, second) if mistaken.any() else (0, 1)


def _mistaken(trace: Trace, epoch: int) -> Floats:
    """How often each class is taken for each other one, either way."""
    counts = confusion(trace, epoch)
    if counts is None or counts.ndim != 2:
        return np.zeros((len(trace.classes),) * 2)
    either: Floats = counts + counts.T
    np.fill_diagonal(either, 0)
    return either


def confusion(trace: Trace, epoch: int) -> Floats | None:
    """Counts (true, said), or (class, 2, 2) for several labels at once; the probe's if there are any."""
    for name in ("probe_confusion", "confusion"):
        if name in trace.names(None):
            counts: Any = np.asarray(trace.array(name, epoch=epoch), float)
            if np.nansum(counts) > 0:
                return np.nan_to_num(counts)
    return None


def recalls(counts: Floats | None, classes: int) -> Floats:
    """The share of each class's examples that was recognised; NaN for a class without examples."""
    if counts is None:
        return np.full(classes, np.nan)
    right, every = (np.diagonal(counts), counts.sum(1)) if counts.ndim == 2 else (counts[:, 1, 1], counts[:, 1].sum(1))
    return np.divide(right, every, out=np.full(classes, np.nan), where=every > 0)
