"""A layer's values, each weighed by its own gradient."""

from dataclasses import dataclass
from typing import ClassVar

from nissl.attribution._maps.cam import mapped, said
from nissl.core.layer import Layer
from nissl.core.matter import Matter
from nissl.core.method import Array, Method


@dataclass(frozen=True)
class HiresCam(Method):
    """HiResCAM (Draelos and Carin, 2020): it shows only where the network looked.

    `layer`: whose channels; None: the last with positions. The map is laid over the input.
    """

    maps: ClassVar[bool] = True
    layer: str | None = None

    def values(self, matter: Matter) -> Array:
        return mapped(matter, self.layer, self.shares)

    def shares(self, matter: Matter, layer: Layer) -> Array:
        value, slope = said(matter, layer)
        return slope * value
