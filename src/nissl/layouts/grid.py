"""A rectangle with a unit in every cell."""

from dataclasses import dataclass
from typing import Any, ClassVar

from nissl.core.layout import Array, EvenLayout
from nissl.errors import BadValue
from nissl.layouts._even import shapes
from nissl.layouts._even.arranging import arranged


@dataclass(frozen=True)
class Grid(EvenLayout):
    """An even grid: neighbours are units that are alike. `widest`: at most so many times as wide as high."""

    cells: ClassVar[str] = "grid"
    widest: float = 1.5

    def __post_init__(self) -> None:
        if not self.widest >= 1:
            raise BadValue(f"widest={self.widest}: how many times as wide as high, from 1 on.")

    def place(self, features: Array, start: Array | None, seed: int) -> Array:
        shape: Any = shapes.grid(len(features), self.widest)
        return arranged(features, shape, self.embedding(), start, seed)
