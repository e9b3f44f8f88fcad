"""A layer's values, each weighed by its own positive gradient."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from nissl.attribution._maps.cam import mapped, said
from nissl.core.layer import Layer
from nissl.core.matter import Matter
from nissl.core.method import Array, Method


@dataclass(frozen=True)
class LayerCam(Method):
    """LayerCAM (Jiang and others, 2021), which also serves early layers.

    `layer`: whose channels; None: the last with positions. The map is laid over the input.
    """

    maps: ClassVar[bool] = True
    layer: str | None = None

    def values(self, matter: Matter) -> Array:
        return mapped(matter, self.layer, self.shares)

    def shares(self, matter: Matter, layer: Layer) -> Array:
        value, slope = said(matter, layer)
        return np.maximum(slope, 0) * value
