"""A layer's channels, weighed by the mean of their gradients."""

from dataclasses import dataclass
from typing import ClassVar

from nissl.attribution._maps.cam import by_mean_slope, mapped
from nissl.core.matter import Matter
from nissl.core.method import Array, Method


@dataclass(frozen=True)
class GradCam(Method):
    """Grad-CAM (Selvaraju and others, 2017): relu of the sum.

    `layer`: whose channels; None: the last with positions. The map is laid over the input.
    """

    maps: ClassVar[bool] = True
    layer: str | None = None

    def values(self, matter: Matter) -> Array:
        return mapped(matter, self.layer, by_mean_slope)
