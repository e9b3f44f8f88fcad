"""Gradients averaged on the straight way from a baseline to the value."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from nissl.core.capabilities import Editable
from nissl.core.layer import Layer
from nissl.core.matter import Matter
from nissl.core.method import Array, Method
from nissl.errors import BadValue, Unsupported


@dataclass(frozen=True)
class IntegratedGradients(Method):
    """(value - baseline) x mean gradient between the two (Sundararajan and others, 2017), by Gauss and Legendre's `steps` points.

    Its sum is the score less the baseline's; `gap` tells by how much it misses that. `baseline`: a number for every value of
    the input, or an array of one example's shape; of a layer it is what the layer says for that input.
    """

    complete: ClassVar[bool] = True
    steps: int = 32
    baseline: Any = 0.0

    def __post_init__(self) -> None:
        if isinstance(self.steps, bool) or not isinstance(self.steps, int) or self.steps < 1:
            raise BadValue(f"steps={self.steps}: at how many points gradients are taken, a whole number from 1.")

    def start(self, matter: Matter) -> Array:
        return matter.started(self.baseline)

    def values(self, matter: Matter) -> Array:
        nodes, weights = np.polynomial.legendre.leggauss(self.steps)
        shares, weights = (nodes + 1) / 2, weights / 2
        if matter.layer is not None:
            return self._of_layer(matter, matter.layer, shares, weights)
        x, start = matter.inputs, matter.baseline(self.baseline)
        away, every, together = x - start, np.arange(matter.count), max(1, matter.rows // matter.count)
        total = np.zeros_like(x)
        for at in range(0, self.steps, together):
            some = shares[at : at + together].astype(x.dtype).reshape(-1, 1, *[1] * (x.ndim - 1))
            points = (start + some * away).reshape(-1, *x.shape[1:])
            told = matter.gradient(points, np.tile(every, len(some))).reshape(len(some), *x.shape)
            total += np.tensordot(weights[at : at + together].astype(x.dtype), told, 1)
        return total * away

    def _of_layer(self, matter: Matter, layer: Layer, shares: Array, weights: Array) -> Array:
        network = matter.network
        if not isinstance(network, Editable):
            raise Unsupported(f"The values of a {network.framework} network can't be changed: use gradient_input.")
        value, inputs = matter.value, matter.inputs
        start = network.probe(matter.baseline(self.baseline), [layer.name])[layer.name]
        away = value - start
        total = np.zeros_like(value)
        for share, weight in zip(shares, weights, strict=True):
            between = np.moveaxis(start + value.dtype.type(share) * away, layer.unit_axis, -1)
            with network.change(layer.name, None, between):
                total += value.dtype.type(weight) * matter.gradient(inputs)
        return total * away
