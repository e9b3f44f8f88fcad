"""A layer's values, each weighed by its own positive gradient."""

from dataclasses import dataclass

import numpy as np

from nissl.attribution._maps.cam import CamMethod, said
from nissl.core.layer import Layer
from nissl.core.matter import Matter
from nissl.core.method import Array


@dataclass(frozen=True)
class LayerCam(CamMethod):
    """LayerCAM (Jiang and others, 2021), which also serves early layers.

    `layer`: whose channels; None: the last with positions. The map is laid over the input.
    """

    def shares(self, matter: Matter, layer: Layer) -> Array:
        value, slope = said(matter, layer)
        return np.maximum(slope, 0) * value
