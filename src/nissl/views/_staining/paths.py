"""The strongest paths of a class through the network, estimated from the trace alone.

A path's strength is activation x weight x gradient: the source unit's mean response to the class, the weight between
the two units, and the derivative of the class's output (above the mean of all outputs) with respect to the target unit
in the network linearised at the class's mean. A kernel counts by its sum over positions. A rectified unit lets through the share
mean^2 / (mean^2 + std^2) of the derivative: 1 if it always answers to the class, less the more rarely it does.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from nissl.core.trace import Trace
from nissl.core.traced import heard
from nissl.views._staining.responses import Floats

STEADY = {"Sigmoid": lambda a: a * (1 - a), "Tanh": lambda a: 1 - a * a}
"""Nonlinearities whose derivative follows from their value."""
PORTS = ""
"""The target of paths that end at a class's output."""


@dataclass(frozen=True, eq=False)
class Bundle:
    """The paths of one class between two layers, strongest first; strength 1 is their strongest at the last epoch."""

    source: str
    target: str
    """A layer, or PORTS."""
    class_number: int
    start: NDArray[np.int64]
    end: NDArray[np.int64]
    """Units of the target; for PORTS all 0."""
    strength: Floats
    inhibits: NDArray[np.bool_]
    total: int
    """How many paths of any strength there are; fewer may be kept."""
    top: float
    """The strength of the strongest, as it is."""

    @property
    def key(self) -> tuple[str, str, int]:
        return self.source, self.target, self.class_number


def absence(found: Sequence[Bundle], asked: int) -> str:
    """Why no path is drawn."""
    if not found:
        return "No ribbons: the trace holds no weights that lead to an output for each class at this epoch"
    there = sum(bundle.total for bundle in found)
    return (
        f"No ribbons: none of {there:,} paths was asked for"
        if there and not asked
        else "No ribbons: nothing answers on the way"
    )


def joins(trace: Trace, layers: Sequence[str]) -> list[tuple[str, str]]:
    """Which of these layers feed which; where the trace does not know, each feeds the next."""
    known = [(source, layer) for layer in layers for source in trace.place(layer).inputs if source in layers]
    return known or list(pairwise(layers))


def kernel(trace: Trace, source: str, target: str, epoch: int) -> Floats | None:
    """Weights (target unit, source unit), summed over positions; None where none were kept or they join other things."""
    place, units = trace.place(target), trace.units(source)
    if place.kind not in ("dense", "conv") or "weight" not in trace.names(target) or not units:
        return None
    weight = np.asarray(trace.read(target, "weight", [epoch])[0], float)
    if not np.isfinite(weight).all():
        return None
    if place.kind == "conv":
        return _grouped(weight, place.parameters.get("weight", ()), units)
    inputs = [name for name in place.inputs if name in trace.layers]
    widths = [trace.units(name) for name in inputs]
    if len(inputs) > 1 and sum(widths) == weight.shape[1]:  # concatenated, not added
        first = sum(widths[: inputs.index(source)])
        return weight[:, first : first + units]
    return weight.reshape(len(weight), units, -1).sum(-1) if weight.shape[1] % units == 0 else None


def _grouped(weight: Floats, shape: tuple[int, ...], units: int) -> Floats | None:
    """A convolution's kernel sums; zero between groups that do not see each other."""
    each = shape[1] if len(shape) > 1 else units
    if not each or weight.shape[1] % each or units % each or len(weight) % (units // each):
        return None
    sums = weight.reshape(len(weight), each, -1).sum(-1)
    groups = units // each
    whole = np.zeros((groups, len(weight) // groups, groups, each))
    whole[range(groups), :, range(groups)] = sums.reshape(groups, -1, each)
    return whole.reshape(len(weight), units)


def bundles(
    trace: Trace,
    layers: Sequence[str],
    epoch: int,
    chosen: Sequence[int],
    budget: int,
    members: Mapping[str, NDArray[np.bool_]] | None = None,
) -> list[Bundle]:
    """The strongest paths of the chosen classes, at most `budget` in all, shared evenly by layer pairs and classes.

    `members` (unit, chosen class) of each layer: only paths between units that are members for their class.
    """
    kept = shared(strongest(trace, layers, epoch, chosen, budget, members), budget)
    return against_last(kept, trace, layers, epoch, chosen, members)


def strongest(
    trace: Trace,
    layers: Sequence[str],
    epoch: int,
    chosen: Sequence[int],
    most: int,
    members: Mapping[str, NDArray[np.bool_]] | None = None,
) -> list[Bundle]:
    """Of each layer pair and class the `most` strongest paths, as strong as they are at this epoch."""
    gradients = outputs(trace, layers[-1])
    if gradients is None:
        return []
    found: list[Bundle] = []
    slopes = {layers[-1]: gradients}
    pairs = joins(trace, layers)
    for target in reversed(layers):
        for source in [s for s, t in pairs if t == target and target in slopes]:
            weights = kernel(trace, source, target, epoch)
            if weights is None or len(weights) != len(slopes[target]):
                continue
            active = heard(trace, source, "class_mean", [epoch])
            if active is None:
                continue
            last = target == layers[-1]
            slope = slopes[target] * (1.0 if last else _gate(trace, target, epoch))
            slopes[source] = slopes.get(source, 0.0) + weights.T @ slope
            full = np.broadcast_to(slope, slopes[target].shape)
            for place, k in enumerate(chosen):
                mean, slant = np.nan_to_num(active[0][:, k]), full[:, k]
                if members is not None:
                    mean = mean * members[source][:, place]
                    slant = slant if last else slant * members[target][:, place]
                found.append(_bundle(source, PORTS if last else target, k, mean, weights, slant, most))
    return found


def against_last(
    kept: list[Bundle],
    trace: Trace,
    layers: Sequence[str],
    epoch: int,
    chosen: Sequence[int],
    members: Mapping[str, NDArray[np.bool_]] | None = None,
) -> list[Bundle]:
    """Pale where the last epoch's paths are stronger."""
    last_epoch = trace.epochs[-1]
    if epoch == last_epoch or not kept:
        return kept
    tops = {b.key: b.top for b in strongest(trace, layers, last_epoch, chosen, 1, members)}
    return [_scaled(bundle, tops.get(bundle.key, 0.0)) for bundle in kept]


def outputs(trace: Trace, last: str) -> Floats | None:
    """Each class's output above the mean output as a direction at the last layer (unit, class); None if it isn't the outputs."""
    units, count = trace.units(last), len(trace.classes)
    if count < 2 or trace.place(last).kind not in ("dense", "conv"):
        return None
    if units == 1 and count == 2:
        return np.array([[-1.0, 1.0]])
    return np.eye(count) - 1 / count if units == count else None


def _gate(trace: Trace, layer: str, epoch: int) -> Floats:
    """How much of a change of a unit's input passes on, (unit, class)."""
    kind = trace.place(layer).nonlinearity
    mean = heard(trace, layer, "class_mean", [epoch])
    if mean is None or kind is None:
        return np.ones(1)
    if kind in STEADY:
        return np.asarray(STEADY[kind](np.nan_to_num(mean[0])))
    spread = heard(trace, layer, "class_std", [epoch])
    power = mean[0] ** 2
    noise = spread[0] ** 2 if spread is not None else np.zeros_like(power)
    return np.divide(power, power + noise, out=np.zeros_like(power), where=power + noise > 0)


def _bundle(
    source: str, target: str, number: int, active: Floats, weights: Floats, slope: Floats, budget: int
) -> Bundle:
    """The strongest paths of one class; those to a port are summed over the output units."""
    strength = active * np.nan_to_num(slope)[:, None] * weights
    if target == PORTS:
        strength = strength.sum(0, keepdims=True)
    flat = strength.ravel()
    size = np.abs(flat)
    kept = _largest(size, budget)
    kept = kept[size[kept] > 0]
    end, start = np.unravel_index(kept, strength.shape)
    top = size[kept[0]] if len(kept) else 1.0
    strength = size[kept] / top
    return Bundle(source, target, number, start, end, strength, flat[kept] < 0, int((size > 0).sum()), float(top))


def _largest(size: Floats, count: int) -> NDArray[np.int64]:
    """The places of the largest, the largest first; of equals the first, as if all were sorted."""
    if count < len(size):
        edge = np.partition(size, len(size) - count)[len(size) - count] if count else np.inf
        above = np.flatnonzero(size > edge)
        kept = np.concatenate([above, np.flatnonzero(size == edge)[: count - len(above)]])
    else:
        kept = np.arange(len(size))
    return kept[np.lexsort((kept, -size[kept]))]


def shared(found: list[Bundle], budget: int) -> list[Bundle]:
    """Each bundle's fair share of the budget; what a small one leaves goes to the others."""
    kept: list[Bundle] = []
    for place, bundle in enumerate(sorted(found, key=lambda b: len(b.start))):
        share = min(len(bundle.start), budget // (len(found) - place))
        budget -= share
        cut = {name: getattr(bundle, name)[:share] for name in ("start", "end", "strength", "inhibits")}
        kept.append(replace(bundle, **cut))
    return kept


def _scaled(bundle: Bundle, full: float) -> Bundle:
    """Pale where the last epoch's paths are stronger, as the cells are."""
    return replace(bundle, strength=bundle.strength * min(1.0, bundle.top / full)) if full > 0 else bundle
