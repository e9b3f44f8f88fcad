"""A layer's channels made into a map over the input: each method says what a channel counts at each position."""

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from nissl.attribution._maps.resize import resized
from nissl.core.layer import Layer
from nissl.core.matter import Matter
from nissl.core.method import Array, Method
from nissl.errors import Unsupported

Shares = Callable[[Matter, Layer], Array]
"""What each channel adds at each position, (example, channel, position ...)."""


@dataclass(frozen=True)
class CamMethod(Method):
    """Of a layer's channels. `layer`: whose; None: the last with positions. The map is laid over the input."""

    maps: ClassVar[bool] = True
    layer: str | None = None

    def values(self, matter: Matter) -> Array:
        return mapped(matter, self.layer, self.shares)

    @abstractmethod
    def shares(self, matter: Matter, layer: Layer) -> Array:
        """What each channel adds at each position, (example, channel, position ...)."""


def mapped(matter: Matter, name: str | None, shares: Shares) -> Array:
    """The positive part of the channels' sum, laid over the input; at a layer, the shares themselves in its shape.

    `name`: the layer; None: the last with positions before what is explained.
    """
    if matter.layer is not None:
        layer = matter.anatomy.mapped(matter.at)
        return np.moveaxis(shares(matter, layer), (0, 1), (layer.batch_axis, layer.unit_axis))
    layer = matter.anatomy.mapped(name, matter.target.of)
    shape, axis = matter.inputs.shape, matter.anatomy.axis
    wanted = tuple(size for at, size in enumerate(shape) if at not in (0, axis))
    small = np.maximum(shares(matter, layer).sum(1), 0)
    if small.ndim != len(wanted) + 1:
        raise Unsupported(
            f"The maps of {layer.name} have {small.ndim - 1} axes of positions and the input {len(wanted)}, so that they don't "
            f"lie over one another: name another layer, or ask for the layer's own with at={layer.name!r}."
        )
    whole = resized(small, wanted)
    return whole if axis is None else np.expand_dims(whole, axis)


def said(matter: Matter, layer: Layer) -> tuple[Array, Array]:
    """The layer's value and the target's gradient there, (example, channel, position ...)."""
    found = matter.passage(layer.name)
    return turned(layer, found.values[layer.name]), turned(layer, found.slopes[layer.name])


def by_mean_slope(matter: Matter, layer: Layer) -> Array:
    """Each channel weighed by the mean of its gradients."""
    value, slope = said(matter, layer)
    return spread(slope.mean(tuple(range(2, slope.ndim))), value) * value


def turned(layer: Layer, value: Array) -> Array:
    """Examples first, channels second."""
    return np.moveaxis(value, (layer.batch_axis, layer.unit_axis), (0, 1))


def spread(weights: Array, like: Array) -> Array:
    """One number a channel, for all positions."""
    return weights.reshape(*weights.shape, *[1] * (like.ndim - 2))
