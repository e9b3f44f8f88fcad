"""The strongest paths of a class through the network, estimated from the trace alone.

A path's strength is activation x weight x gradient: the source unit's mean response to the class, the weight between
the two units, and the derivative of the class's output (above the mean of all outputs) with respect to the target unit
in the network linearised at the class's mean. A kernel counts by its sum over positions. A rectified unit lets through the share
mean^2 / (mean^2 + std^2) of the derivative: 1 if it always answers to the class, less the more rarely it does.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
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
AT_ONCE = 16_384
"""Paths that are weighed at a time."""
ROUNDING = 1e-9
"""More than products can be off by."""
Places = NDArray[np.int64]
Members = Mapping[str, NDArray[np.bool_]]
"""By layer (unit, class): between which units paths run."""


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


@dataclass(frozen=True, eq=False)
class Span:
    """What the paths between two layers are made of at an epoch, whichever classes and units are asked for."""

    source: str
    target: str
    """A layer, or PORTS."""
    through: str
    """The layer whose weights they are."""
    active: Floats
    """(source unit, class): mean responses."""
    weights: Floats
    """(target unit, source unit)."""
    slope: Floats
    """(target unit, class): what a target unit adds to the class's output."""

    @cached_property
    def tallest(self) -> Floats:
        """(source unit): the size of its largest weight."""
        return np.abs(self.weights).max(0, initial=0.0)

    @cached_property
    def _present(self) -> NDArray[np.float32] | None:
        """(target unit, source unit): 1 where there is a weight; None: everywhere."""
        there = self.weights != 0
        return None if there.all() else there.astype(np.float32)

    def joined(self, sources: NDArray[np.bool_]) -> Floats:
        """(target unit): how many of these source units lead to it."""
        if self._present is None:
            return np.full(len(self.weights), float(np.count_nonzero(sources)))
        return np.asarray(self._present @ sources.astype(np.float32), np.float64)


def bundles(
    trace: Trace,
    layers: Sequence[str],
    epoch: int,
    chosen: Sequence[int],
    budget: int,
    members: Members | None = None,
) -> list[Bundle]:
    """The strongest paths of the chosen classes, at most `budget` in all, shared evenly by layer pairs and classes.

    `members` (unit, chosen class) of each layer: only paths between units that are members for their class.
    """
    kept = shared(strongest(spans(trace, layers, epoch), chosen, budget, members), budget)
    last = trace.epochs[-1]
    return kept if epoch == last or not kept else against(spans(trace, layers, last), kept, chosen, members)


def spans(trace: Trace, layers: Sequence[str], epoch: int) -> list[Span]:
    """From the outputs backwards; none where no weights lead to an output for each class."""
    gradients = outputs(trace, layers[-1])
    if gradients is None:
        return []
    found: list[Span] = []
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
            full = np.nan_to_num(np.broadcast_to(slope, slopes[target].shape))
            found.append(Span(source, PORTS if last else target, target, np.nan_to_num(active[0]), weights, full))
    return found


def strongest(found: Sequence[Span], chosen: Sequence[int], most: int, members: Members | None = None) -> list[Bundle]:
    """Of each span and class the `most` strongest paths, as strong as they are at this epoch."""
    made = []
    for span in found:
        for place, k in enumerate(chosen):
            active, slope = span.active[:, k], span.slope[:, k]
            if members is not None:
                active = active * members[span.source][:, place]
                slope = slope if span.target == PORTS else slope * members[span.target][:, place]
            made.append(_bundle(span, k, active, slope, most))
    return made


def against(
    last: Sequence[Span], kept: list[Bundle], chosen: Sequence[int], members: Members | None = None
) -> list[Bundle]:
    """Pale where the last epoch's paths are stronger."""
    tops = {b.key: b.top for b in strongest(last, chosen, 1, members)}
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


def _bundle(span: Span, number: int, active: Floats, slope: Floats, most: int) -> Bundle:
    """The strongest paths of one class; those to a port are summed over the output units."""
    if span.target == PORTS:
        flat = (active * slope[:, None] * span.weights).sum(0)
        kept, total = _largest(np.abs(flat), np.arange(len(flat)), most), int(np.count_nonzero(flat))
        signed = flat[kept]
    else:
        kept, signed = _products(span, active, slope, most)
        total = int((slope != 0) @ span.joined(active != 0))
    there = signed != 0
    kept, signed = kept[there], signed[there]
    size = np.abs(signed)
    top = size[0] if len(kept) else 1.0
    end, start = np.divmod(kept, len(active))
    return Bundle(span.source, span.target, number, start, end, size / top, signed < 0, total, float(top))


def _products(span: Span, active: Floats, slope: Floats, most: int) -> tuple[Places, Floats]:
    """Of active x slope x weight, (target, source), the places and values of the `most` largest, the largest first.

    Begins where activity and slope are large, and weighs no path that could not be among them: a few in a hundred of all.
    """
    reach = np.abs(active) * span.tallest
    rows, columns = (np.argsort(-size, kind="stable")[: np.count_nonzero(size)] for size in (np.abs(slope), reach))
    places, values, edge, first = np.zeros(0, np.int64), np.zeros(0), 0.0, 0
    while most and first < len(rows):
        least = edge / abs(slope[rows[first]]) * (1 - ROUNDING)
        across = columns[: np.searchsorted(-reach[columns], -least, "right")]
        if not len(across):
            break
        some = rows[first : first + max(1, AT_ONCE // len(across))]
        strength = (active[across] * slope[some, None] * span.weights[some[:, None], across]).ravel()
        above = np.flatnonzero(np.abs(strength) >= edge)
        there = some[above // len(across)] * len(active) + across[above % len(across)]
        places, values = np.concatenate([places, there]), np.concatenate([values, strength[above]])
        kept = _largest(np.abs(values), places, most)
        places, values = places[kept], values[kept]
        edge = abs(values[-1]) if len(values) == most else 0.0
        first += len(some)
    return places, values


def _largest(size: Floats, places: Places, count: int) -> Places:
    """Which are the largest, the largest first; of equals those of the first places."""
    kept = np.arange(len(size))
    if 0 < count < len(size):
        kept = np.flatnonzero(size >= np.partition(size, len(size) - count)[len(size) - count])
    return kept[np.lexsort((places[kept], -size[kept]))][:count]


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
