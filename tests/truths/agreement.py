"""What holds for every truth."""

from collections.abc import Callable

import numpy as np

from nissl.core.network import network
from nissl.testing.truths.truth import Truth


def bytes_of(truth: Truth) -> list[bytes]:
    """All that is random in a truth."""
    arrays = [truth.x, truth.y, truth.others, truth.held_x, truth.held_y]
    weights = [value.numpy() for value in truth.model.state_dict().values()]
    return [array.tobytes() for array in arrays + weights if array is not None]


def holds(build: Callable[[int], Truth]) -> Truth:
    """Same seed, same bytes; another seed, another network; and every layer that is named is one of nissl's."""
    truth, again, other = build(0), build(0), build(1)
    assert bytes_of(truth) == bytes_of(again) != bytes_of(other)
    assert (truth.units, truth.traps, truth.edges) == (again.units, again.traps, again.edges)
    assert set(truth.breaks) == set(truth.traps)
    sizes = {layer.name: layer.units for layer in network(truth.model).layers}
    named = [*truth.units.values(), *truth.traps.values()]
    for layer, units in (item for mapping in named for item in mapping.items()):
        assert units <= set(range(sizes[layer]))
    for edges in truth.edges.values():
        for source, unit, later, reached in edges:
            assert (source, later) in truth.wired
            assert unit in range(sizes[source]) and reached in range(sizes[later])
    assert len(truth.x) == len(truth.y)
    assert network(truth.model).forward(truth.x[:2]).shape[0] == 2
    return truth


def disjoint(truth: Truth) -> bool:
    """No unit is a member for two targets."""
    members = [(layer, unit) for units in truth.units.values() for layer in units for unit in units[layer]]
    return len(members) == len(set(members))


def mean(judged: list, name: str) -> float:
    return float(np.mean([getattr(one, name) for one in judged]))
