"""The edges of a structure: what its units add to the aim through one another."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nissl.core.finder import Case, Finder, Pair, wired
from nissl.errors import Unsupported, listing

Array = NDArray[Any]


class Edge(NamedTuple):
    """What one unit adds to the aim through another."""

    source: str
    source_unit: int
    target: str
    target_unit: int
    signed: float
    absolute: float
    """The mean over examples of the absolute value: the one to rank by, since an edge may help one and hinder another."""


def edges(
    case: Case, by: Finder, members: Mapping[str, Sequence[int]], target: int | None = None,
    pairs: Sequence[Pair] | None = None,
) -> list[Edge]:  # fmt: skip
    """The edges between these units, as a method finds them, strongest first; `target`: for its examples only."""
    if not members:
        return []
    pairs = pairs or between(case)
    if not pairs and len(case.layers) > 1:
        raise Unsupported(
            f"None of {listing(case.names)} feeds another directly or through layers that were not asked about, so that there are "
            'no edges between them. Name layers that follow one another when you ask for the structure: layers="*", or a list.'
        )
    found = [
        Edge(source, u, to, v, float(signed[u, v]), float(absolute[u, v]))
        for (source, to), (signed, absolute) in (tables(case, by, target, pairs) if pairs else {}).items()
        for u in members.get(source, ())
        for v in members.get(to, ())
    ]
    return sorted(found, key=lambda edge: (-edge.absolute, edge[:4]))


def between(case: Case) -> list[Pair]:
    """The pairs of candidate layers, of which the first feeds the second with no other candidate between."""
    names, found = set(case.names), []
    inputs = {layer.name: layer.inputs for layer in case.network.layers}
    for name in case.names:
        ahead, seen = list(inputs.get(name, ())), set()  # type: list[str], set[str]
        while ahead:
            source = ahead.pop(0)
            if source in names:
                found += [(source, name)] if (source, name) not in found else []
            elif source not in seen:  # an attention's projection, say, through which candidates meet
                seen.add(source)
                ahead += inputs.get(source, ())
    return found


def tables(case: Case, by: Finder, target: int | None, pairs: Sequence[Pair]) -> dict[Pair, tuple[Array, Array]]:
    """By pair of layers, (source unit, target unit): the mean over the examples, and that of the absolute values."""
    wired(case.network)
    asked = case.asked if target is None else np.flatnonzero(case.which == target)
    sums: dict[Pair, list[Array]] = {}
    for part in case.pool.batches(asked):
        for pair, told in by.edges(case, part, pairs).items():
            mine = sums.setdefault(pair, [np.zeros(told.shape[1:]), np.zeros(told.shape[1:])])
            mine[0] += told.sum(0, dtype=np.float64)
            mine[1] += np.abs(told).sum(0, dtype=np.float64)
    return {pair: (signed / len(asked), absolute / len(asked)) for pair, (signed, absolute) in sums.items()}
