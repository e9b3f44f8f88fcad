"""A layer's channels, weighed by their positive gradients, more where few positions have them."""

from dataclasses import dataclass

import numpy as np

from nissl.attribution._maps.cam import CamMethod, said, spread
from nissl.core.layer import Layer
from nissl.core.matter import Matter
from nissl.core.method import Array


@dataclass(frozen=True)
class GradCamPlusPlus(CamMethod):
    """Grad-CAM++ (Chattopadhyay and others, 2018), which finds several objects of a class.

    `layer`: whose channels; None: the last with positions. The map is laid over the input.
    """

    def shares(self, matter: Matter, layer: Layer) -> Array:
        value, slope = said(matter, layer)
        ups = np.maximum(slope, 0)
        # where a gradient g is positive, the paper's alpha times it, g g^2 / (2 g^2 + S g^3), is g / (2 + S g)
        below = 2 + spread(value.reshape(*value.shape[:2], -1).sum(2), value) * ups
        below[np.abs(below) < 1e-12] = np.inf
        weights = (ups / below).reshape(*slope.shape[:2], -1).sum(2)
        return spread(weights, value) * value
