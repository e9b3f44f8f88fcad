"""A layer's channels, weighed by what the network gives for the input seen through each of them."""

from dataclasses import dataclass

import numpy as np

from nissl.attribution._maps.cam import CamMethod, spread, turned
from nissl.attribution._maps.resize import resized
from nissl.core.layer import Layer
from nissl.core.matter import Matter
from nissl.core.method import Array
from nissl.errors import Unsupported


@dataclass(frozen=True)
class ScoreCam(CamMethod):
    """Score-CAM (Wang and others, 2020): no gradient, a pass for each channel, whose scores a softmax makes to weights.

    `layer`: whose channels; None: the last with positions. The map is laid over the input.
    """

    def shares(self, matter: Matter, layer: Layer) -> Array:
        x, axis = matter.inputs, matter.anatomy.axis
        value = turned(layer, matter.network.probe(x, [layer.name], batch=len(x))[layer.name])
        wanted = tuple(size for at, size in enumerate(x.shape) if at not in (0, axis))
        if value.ndim - 2 != len(wanted):
            raise Unsupported(
                f"The maps of {layer.name} have {value.ndim - 2} axes of positions and the input {len(wanted)}, so that the input "
                "can't be seen through them: name another layer, or use grad_cam."
            )
        scores = np.full(value.shape[:2], -np.inf)
        for channel in range(value.shape[1]):
            low, range_ = _extent(value[:, channel])
            mask = resized((value[:, channel] - low) / np.where(range_ > 0, range_, 1), wanted)
            told = matter.score(x * (mask if axis is None else np.expand_dims(mask, axis)))
            scores[:, channel] = np.where(range_.reshape(-1) > 0, told, -np.inf)  # a constant map shows nothing
        top = scores.max(1, keepdims=True)
        powers = np.exp(scores - np.where(np.isfinite(top), top, 0))
        total = powers.sum(1, keepdims=True)
        weights = np.divide(powers, total, out=np.zeros_like(powers), where=total > 0).astype(value.dtype)
        return spread(weights, value) * value


def _extent(maps: Array) -> tuple[Array, Array]:
    axes = tuple(range(1, maps.ndim))
    low = maps.min(axes, keepdims=True)
    return low, maps.max(axes, keepdims=True) - low
