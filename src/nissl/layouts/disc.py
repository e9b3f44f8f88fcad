"""A round area with a unit in every cell."""

from dataclasses import dataclass
from typing import ClassVar

from nissl.core.layout import Array, EvenLayout
from nissl.layouts._even import shapes
from nissl.layouts._even.arranging import arranged


@dataclass(frozen=True)
class Disc(EvenLayout):
    """An even disc: neighbours are units that are alike, and no unit is in a corner."""

    cells: ClassVar[str] = "disc"

    def place(self, features: Array, start: Array | None, seed: int) -> Array:
        return arranged(features, shapes.disc(len(features)), self.embedding(), start, seed)
