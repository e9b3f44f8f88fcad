"""A layer's channels, weighed by the mean of their gradients."""

from dataclasses import dataclass

from nissl.attribution._maps.cam import CamMethod, by_mean_slope
from nissl.core.layer import Layer
from nissl.core.matter import Matter
from nissl.core.method import Array


@dataclass(frozen=True)
class GradCam(CamMethod):
    """Grad-CAM (Selvaraju and others, 2017): relu of the sum.

    `layer`: whose channels; None: the last with positions. The map is laid over the input.
    """

    def shares(self, matter: Matter, layer: Layer) -> Array:
        return by_mean_slope(matter, layer)
