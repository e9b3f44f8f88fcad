"""Guided backpropagation, as far as Grad-CAM lets it show."""

from dataclasses import dataclass
from typing import ClassVar

from nissl.attribution._maps.cam import by_mean_slope, mapped
from nissl.core.matter import Matter
from nissl.core.method import Array, Method


@dataclass(frozen=True)
class GuidedGradCam(Method):
    """Guided Grad-CAM (Selvaraju and others, 2017): the product of the two; `layer` and `also` as they take them."""

    anywhere: ClassVar[bool] = False
    layer: str | None = None
    also: tuple[str, ...] = ()

    def values(self, matter: Matter) -> Array:
        guided = matter.passage(rule="guided", also=tuple(self.also)).slopes[matter.at]
        return guided * mapped(matter, self.layer, by_mean_slope)
