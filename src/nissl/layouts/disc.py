"""A round area with a unit in every cell."""

from dataclasses import dataclass

from nissl.core.layout import Array, EvenLayout
from nissl.layouts._even import cells
from nissl.layouts._even.arranging import arranged


@dataclass(frozen=True)
class Disc(EvenLayout):
    """An even disc: neighbours are units that are alike, and no unit is in a corner."""

    def place(self, features: Array, start: Array | None, seed: int) -> Array:
        return arranged(features, cells.disc(len(features)), self.embedding(), start, seed)
