"""How strongly units answer to examples and to classes."""

from collections.abc import Mapping

import numpy as np

from nissl.core.finder import Array, Case, Scores
from nissl.core.units import by_unit
from nissl.errors import BadValue


def answers(case: Case) -> dict[str, Array]:
    """By layer (example of the pool, unit): each unit's value, on average over positions and parts."""
    found: dict[str, list[Array]] = {name: [] for name in case.names}
    for part in case.pool.batches(np.arange(case.pool.count)):
        values = case.network.probe(case.pool.take(part), case.names, batch=len(part))
        for layer in case.layers:
            found[layer.name].append(by_unit(layer, values[layer.name]).mean((1, 3), dtype=np.float64))
    return {name: np.concatenate(rows) for name, rows in found.items()}


def opposed(case: Case) -> dict[int, list[Array]]:
    """For each target that occurs: which examples are its own (first), and those of each group that it is compared with."""
    groups = case.pool.groups
    if groups is None:
        raise BadValue(
            "Answers are compared between classes, and these data have none: use a method that follows the output, such as "
            "attribution_patching."
        )
    found = {}
    for target in np.unique(case.which[case.asked]):
        own = case.which == target
        wanted = set(case.opposite[own].tolist()) - {-1}
        others = wanted or set(groups[~own].tolist())
        found[int(target)] = [own, *(groups == other for other in sorted(others))]
        if not others:
            raise BadValue("Every example speaks for the same target: there are no others to compare its answers with.")
    return found


def repeated(case: Case, scores: Mapping[str, Array]) -> Scores:
    """The same scores (unit,) for every target that occurs."""
    targets = np.unique(case.which[case.asked])
    return Scores({name: np.repeat(told[None], len(targets), 0) for name, told in scores.items()}, targets)
