"""Gradients averaged on the straight way from a counterfactual's input to the example's own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from nissl.core.finder import Array, Case, Finder, Pair, wired
from nissl.core.units import contributions
from nissl.finders._paths.inputs import Way
from nissl.finders._paths.nodes import nodes


@dataclass(frozen=True)
class InputGradients(Finder):
    """(activation - counterfactual's) x gradient, averaged over `steps` inputs between the two; tokens by their embeddings."""

    baselines: ClassVar[tuple[str, ...]] = ("counterfactual",)
    steps: int = 5

    def __post_init__(self) -> None:
        nodes(self.steps)

    def each(self, case: Case, part: Array) -> Mapping[str, Array]:
        way, slopes = Way(case, part), {name: np.zeros(()) for name in case.names}
        for share, weight in nodes(self.steps):
            with way.at(share) as x:
                told = case.sensed(x, case.slopes(part))
            slopes = {name: slopes[name] + weight * told.slopes[name] for name in case.names}
        values = case.network.probe(case.pool.take(part), case.names, batch=len(part))
        away = case.deviations(values, part)
        return {layer.name: contributions(layer, away[layer.name], slopes[layer.name]) for layer in case.layers}

    def edges(self, case: Case, part: Array, pairs: Sequence[Pair]) -> Mapping[Pair, Array]:
        network, way, names = wired(case.network), Way(case, part), sorted({source for source, _ in pairs})
        values = case.network.probe(case.pool.take(part), names, batch=len(part))
        away, total = case.deviations(values, part), {pair: np.zeros(()) for pair in pairs}
        for share, weight in nodes(self.steps):
            with way.at(share) as x:
                there = case.network.probe(x, names, batch=len(part))
                # a source deviates from its baseline at this step by what it does between the two inputs
                baseline = {name: _last(case, name, there[name] - away[name]) for name in names}
                told = network.edges(x, case.slopes(part), pairs, baseline=baseline)
            total = {pair: total[pair] + weight * told[pair] for pair in pairs}
        return total


def _last(case: Case, name: str, value: Array) -> Array:
    return np.moveaxis(value, case.network.layer(name).unit_axis, -1)
