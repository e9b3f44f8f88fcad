"""Two runs: their layers side by side, their units matched, and when they went apart."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nissl.core.change.likeness import LEAST, Geometry, chosen, direction
from nissl.core.change.paths import Paths, paths
from nissl.core.change.twins import NEAR, Pair, Twins
from nissl.core.trace import Trace
from nissl.errors import BadValue, NotHeard, listing
from nissl.studies._twins.matching import matched

Array = NDArray[Any]


def twins(one: Trace, other: Trace, *, level: float = 0.05, seed: int = 0) -> Twins:
    """Layers of the same name, else of the same place; units at the last epoch of each."""
    if not isinstance(level, float) or not 0 < level < 1:
        raise BadValue(
            f"level={level!r}: the share of shuffled pairs that may look alike, between 0 and 1, such as 0.05."
        )
    for trace in (one, other):
        if not trace.epochs:
            raise NotHeard("One of the traces holds no epoch yet: there is nothing to compare.")
    rng = np.random.default_rng(seed)
    pairs = [_pair(_paths(one, a), _paths(other, b), rng) for a, b in _layers(one, other)]
    return Twins(one, other, float(level), tuple(pairs), _across(one, other, pairs))


def _layers(one: Trace, other: Trace) -> list[tuple[str, str]]:
    """Which layer of one run stands beside which of the other."""
    first, second = ([name for name in trace.layers if paths(trace, name) is not None] for trace in (one, other))
    by_name = [(name, name) for name in first if name in second]
    if by_name:
        return by_name
    if first and len(first) == len(second):
        return list(zip(first, second, strict=True))
    raise BadValue(
        f"These runs have no layers to set side by side: {listing(first)} and {listing(second)}. Layers are paired by name, or "
        "by their place where there are as many in both."
    )


def _paths(trace: Trace, layer: str) -> Paths:
    found = paths(trace, layer)
    assert found is not None
    return found


def _pair(one: Paths, other: Paths, rng: np.random.Generator) -> Pair:
    first, second, by, names = _responses(one, other)
    kin = _kin(one, other)
    pairs = matched(first, second, rng, kin=kin)
    epochs, far = _apart(one, other, pairs.one, pairs.other)
    return Pair(one.layer, other.layer, (one.units, other.units), by, names, pairs, kin, epochs, far)


def _kin(one: Paths, other: Paths) -> bool:
    """Whether most units began as those of the same number did: one run is the other's, changed."""
    if one.units != other.units:
        return False
    every = np.arange(one.units)
    far = _apart(one, other, every, every)[1]
    return bool(len(far) and np.mean(far[0] <= NEAR) > 0.5)


def _responses(one: Paths, other: Paths) -> tuple[Array, Array, str, int]:
    """What units of both respond to the same points at their last epochs, (unit, point): to examples, or to classes."""
    samples = [Geometry(path.trace, path.layer) for path in (one, other)]
    specs = [each.samples for each in samples]
    if all(spec is not None for spec in specs) and _probed_alike(one.trace, other.trace):
        read = [
            np.asarray(path.trace.read(path.layer, "samples", [each.epochs[-1]])[0], np.float64)
            for path, each in zip((one, other), samples, strict=True)
        ]
        if read[0].shape[0] == read[1].shape[0]:
            first, second = (x.reshape(*x.shape[:2], -1).mean(-1).T for x in read)
            return first, second, "samples", first.shape[1]
    if "class" not in one.spec.dims or "class" not in other.spec.dims:
        raise BadValue(
            f"{one.layer} and {other.layer} cannot be matched: that takes responses to classes, or to the same samples, in "
            "both runs. Record with classes=, or with the quantity 'samples'."
        )
    common = [name for name in _classes(one) if name in _classes(other)]
    if len(common) < 3:
        raise BadValue(
            f"{one.layer} and {other.layer} cannot be matched by their responses to {len(common)} common classes "
            f"({listing(common)}): that takes three. The runs' classes are {listing(_classes(one))} and {listing(_classes(other))}."
        )
    tables = (path.at(path.epochs[-1])[:, [_classes(path).index(name) for name in common]] for path in (one, other))
    first, second = (table - np.nanmean(table, 0) for table in tables)  # a class that all units like tells none apart
    return first, second, "classes", len(common)


def _classes(path: Paths) -> list[str]:
    names = path.spec.labels.get("class", ())
    return [names[number] for number in path.numbers]


def _probed_alike(one: Trace, other: Trace) -> bool:
    """Whether both were shown examples of the same classes in the same order, as far as a trace tells."""
    counts = [
        np.asarray(trace.array("probe_confusion", trace.epochs[-1])).sum(-1)
        if "probe_confusion" in trace.names(None)
        else None
        for trace in (one, other)
    ]
    configs = [trace.header.get("config", {}).get("data") for trace in (one, other)]
    same = counts[0] is not None and counts[1] is not None and np.array_equal(counts[0], counts[1])
    return same and configs[0] == configs[1]


def _apart(one: Paths, other: Paths, first: Array, second: Array) -> tuple[tuple[int, ...], Array]:
    """At the epochs that both recorded: how far each unit is from its partner, in parts of the first's spread, (epoch, pair)."""
    common = chosen(sorted(set(one.epochs) & set(other.epochs))) if set(one.epochs) & set(other.epochs) else []
    if len(one.numbers) != len(other.numbers) or not common:
        return (), np.zeros((0, len(first)))
    found = []
    for epoch in common:
        by = (one.at(epoch)[first] - other.at(epoch)[second]) / one.scale
        found.append(np.sqrt((by**2).mean(1)))
    return tuple(common), np.array(found)


def _across(one: Trace, other: Trace, pairs: list[Pair]) -> Array:
    """(layer of one, layer of the other): debiased CKA at the last epochs; NaN where it cannot be told."""
    grams = [
        [
            (each := Geometry(trace, name)).gram(each.epochs[-1]) if Geometry(trace, name).epochs else np.zeros((0, 0))
            for name in names
        ]
        for trace, names in ((one, [p.one for p in pairs]), (other, [p.other for p in pairs]))
    ]
    alike = _probed_alike(one, other) or all(Geometry(one, p.one).samples is None for p in pairs)
    found = np.full((len(pairs), len(pairs)), np.nan)
    for row, first in enumerate(grams[0]):
        for column, second in enumerate(grams[1]):
            if len(first) == len(second) >= LEAST and alike:
                found[row, column] = float(direction(first) @ direction(second))
    return found
