"""A layer's values, each weighed by its own gradient."""

from dataclasses import dataclass

from nissl.attribution._maps.cam import CamMethod, said
from nissl.core.layer import Layer
from nissl.core.matter import Matter
from nissl.core.method import Array


@dataclass(frozen=True)
class HiresCam(CamMethod):
    """HiResCAM (Draelos and Carin, 2020): it shows only where the network looked.

    `layer`: whose channels; None: the last with positions. The map is laid over the input.
    """

    def shares(self, matter: Matter, layer: Layer) -> Array:
        value, slope = said(matter, layer)
        return slope * value
