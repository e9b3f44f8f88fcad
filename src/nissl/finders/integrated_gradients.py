"""Gradients averaged on the straight way from each layer's baseline to its values."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from nissl.core.capabilities import Editable
from nissl.core.finder import Array, Case, Finder
from nissl.core.layer import Layer
from nissl.core.units import contributions
from nissl.errors import Unsupported
from nissl.finders._paths.nodes import nodes


@dataclass(frozen=True)
class IntegratedGradients(Finder):
    """(activation - baseline) x gradient, the layer's whole value led from the one to the other in `steps`, layer by layer.

    Complete over a layer but for the error of the steps; the most accurate ranking where many passes may be spent.
    """

    baselines: ClassVar[tuple[str, ...]] = ("mean", "counterfactual", "zero")
    complete: ClassVar[bool] = True
    steps: int = 5

    def __post_init__(self) -> None:
        nodes(self.steps)

    def each(self, case: Case, part: Array) -> Mapping[str, Array]:
        network = case.network
        if not isinstance(network, Editable):
            raise Unsupported(
                f"The values of a {network.framework} network can't be changed: use attribution_patching."
            )
        values = network.probe(case.pool.take(part), case.names, batch=len(part))
        away, found = case.deviations(values, part), {}
        for number, layer in enumerate(case.layers, 1):
            slopes = self._mean_slopes(case, network, part, layer, values[layer.name], away[layer.name])
            found[layer.name] = contributions(layer, away[layer.name], slopes)
            case.worked(part, number / len(case.layers))
        return found

    def _mean_slopes(
        self, case: Case, network: Editable, part: Array, layer: Layer, value: Array, away: Array
    ) -> Array:
        total = np.zeros(value.shape)
        for share, weight in nodes(self.steps):
            on_the_way = np.moveaxis(value - np.asarray(1 - share, value.dtype) * away, layer.unit_axis, -1)
            with network.change(layer.name, None, on_the_way):
                told = case.sensed(case.pool.take(part), case.slopes(part), at=[layer.name])
            total += weight * told.slopes[layer.name]
        return total
