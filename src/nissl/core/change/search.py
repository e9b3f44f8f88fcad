"""What stays the same in a trace and what changes, when: the whole of it."""

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nissl.core.change import likeness
from nissl.core.change.found import Alike, Changes
from nissl.core.change.likeness import Geometry, chosen
from nissl.core.change.nulls import discoveries
from nissl.core.change.paths import paths
from nissl.core.change.scan import WIDE, Jump, Scan, jumps, learned, scan, tested
from nissl.core.progress import progress, silent
from nissl.errors import BadValue, NotHeard, listing

if TYPE_CHECKING:
    from nissl.core.trace import Trace

Array = NDArray[Any]
PAIRS = 12
"""Layers of which every pair is followed; of more, neighbours are."""


def changes(trace: "Trace", *, level: float = 0.05, lasting: int = 3, seed: int = 0, shown: bool = False) -> Changes:
    """What of each unit, layer and relation stays, and what changes, when; `shown`: with a bar."""
    if not isinstance(level, float) or not 0 < level < 1:
        raise BadValue(f"level={level!r}: the false discovery rate that is allowed, between 0 and 1, such as 0.05.")
    if not hasattr(lasting, "__index__") or isinstance(lasting, bool) or lasting < 1:
        raise BadValue(f"lasting={lasting!r}: for how many recorded epochs something must stay to count, from 1.")
    if not trace.epochs:
        raise NotHeard("The trace holds no epoch yet: there is nothing to compare. Look again after its first commit.")
    found = {name: each for name in trace.layers if (each := paths(trace, name)) is not None}
    if not found:
        raise NotHeard(
            "No activity was recorded, so no unit can be followed: record with the quantities 'activation' or 'profile'. "
            f"There are: {listing(trace.names(trace.layers[0]) if trace.layers else ())}."
        )
    rng = np.random.default_rng(seed)
    with progress("comparing epochs", shown) as tell:
        scans = {}
        for number, (name, each) in enumerate(found.items()):
            scans[name] = scan(each, rng, int(lasting), _part(tell, number, len(found)))
        tell(0.8)
        moved = _units(scans, level)
        alike = _alike(trace, list(scans))
    wholes = {
        "geometry": _wholes(alike.shapes, alike.layers, alike.epochs, rng, level),
        "relation": _wholes(_pairs(alike), _named(alike), alike.epochs, rng, level),
        "pace": _paces(scans, rng, level),
    }
    return Changes(trace, float(level), int(lasting), scans, moved, wholes, alike)


def _part(tell: Callable[[float], None], number: int, count: int) -> Callable[[float], None]:
    return silent if tell is silent else lambda share: tell(0.8 * (number + share) / count)


def _units(scans: dict[str, Scan], level: float) -> dict[str, tuple[Jump, ...]]:
    """Jumps of units; discoveries are counted over the units of all layers."""
    names = list(scans)
    rates = discoveries(np.concatenate([scans[name].p for name in names]))
    edges = np.cumsum([len(scans[name].p) for name in names])[:-1]
    made = {}
    for name, q in zip(names, np.split(rates, edges), strict=True):
        each = scans[name]
        made[name] = tuple[Jump, ...]()
        if each.usual is None or each.null is None or not (q <= level).any():
            continue
        jumped = []
        for units, path in each.paths.blocks():
            who = np.flatnonzero(q[units] <= level)
            if len(who):
                law = (each.usual, each.null)
                found = jumps(path[:, who], q[units][who], law, level, each.epochs, int(np.isfinite(rates).sum()))
                jumped += [replace(jump, unit=int(who[jump.unit]) + units.start) for jump in found]
        made[name] = tuple(sorted(jumped, key=lambda jump: -jump.size))
    return made


def _alike(trace: "Trace", names: list[str]) -> Alike:
    """Epochs with epochs for each layer, layers with layers at each epoch, dimensions; one layer's examples in memory at a time."""
    seen = {name: Geometry(trace, name) for name in names}
    counts = {name: each.points for name, each in seen.items() if each.epochs}
    most = max(counts.values(), default=0)
    names = [name for name in names if counts.get(name) == most and most]  # the same examples, or classes
    common = sorted(set.intersection(*(set(seen[name].epochs) for name in names))) if names else []
    epochs = chosen(common) if common else []
    within, shapes, sizes = {}, [], {}
    mixing = np.random.default_rng(0).choice((-1.0, 1.0), (most * most, WIDE)) if most else np.zeros((0, WIDE))
    for name in names:
        grams = [seen[name].gram(epoch) for epoch in epochs]
        vectors = np.stack([likeness.direction(gram) for gram in grams])
        within[name] = vectors @ vectors.T
        shapes.append(vectors @ mixing)
        sizes[name] = np.array([likeness.spectrum(gram) for gram in grams])
    across = np.full((len(epochs), len(names), len(names)), np.nan)
    for place, epoch in enumerate(epochs):
        vectors = np.stack([likeness.direction(seen[name].gram(epoch)) for name in names])
        across[place] = vectors @ vectors.T
    shape = np.stack(shapes, 1) if shapes else np.zeros((0, 0, WIDE))
    by = "samples" if names and seen[names[0]].samples is not None else "classes"
    return Alike(tuple(epochs), tuple(names), by, most, within, across, sizes, shape)


def _pairs(alike: Alike) -> Array:
    """(epoch, pair, 1): how alike two layers are."""
    one, other = _couples(len(alike.layers))
    return alike.across[:, one, other][..., None]


def _couples(count: int) -> tuple[Array, Array]:
    if count > PAIRS:
        return np.arange(count - 1), np.arange(1, count)
    return np.triu_indices(count, 1)


def _named(alike: Alike) -> tuple[str, ...]:
    pairs = zip(*_couples(len(alike.layers)), strict=True)
    return tuple(f"{alike.layers[one]} ~ {alike.layers[other]}" for one, other in pairs)


def _paces(scans: dict[str, Scan], rng: np.random.Generator, level: float) -> tuple[tuple[str, Jump], ...]:
    """How fast each layer drifts, by its logarithm for a root of the time that passed."""
    groups: dict[tuple[int, ...], list[str]] = {}
    for name, each in scans.items():
        if (each.previous[1:] > 0).all() and len(each.epochs) > 1:
            groups.setdefault(each.epochs, []).append(name)
    found: list[tuple[str, Jump]] = []
    for epochs, names in groups.items():
        speeds = (
            np.stack([np.log(scans[name].previous[1:]) for name in names], 1) - 0.5 * np.log(np.diff(epochs))[:, None]
        )
        found += _wholes(speeds[..., None], tuple(names), epochs[1:], rng, level)
    return tuple(found)


def _wholes(
    path: Array, names: tuple[str, ...], epochs: tuple[int, ...], rng: np.random.Generator, level: float
) -> tuple[tuple[str, Jump], ...]:
    """Jumps of rows that have names."""
    known: Array = np.asarray(np.isfinite(path).all((0, 2))) if len(path) else np.zeros(0, bool)
    kept = path[:, known]
    found = learned(kept, rng) if kept.shape[1:2] != (0,) and len(kept) else None
    if found is None:
        return ()
    q = discoveries(tested(kept, *found)[0])
    who = np.flatnonzero(q <= level)
    if not len(who):
        return ()
    called = [name for name, fine in zip(names, known, strict=True) if fine]
    made = jumps(kept[:, who], q[who], found, level, epochs, len(q))
    return tuple((called[int(who[jump.unit])], jump) for jump in made)
