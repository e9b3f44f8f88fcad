"""The directions in which real inputs vary, each stroke a standard deviation of them."""

from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np

from nissl.core.canvas import Array, Canvas
from nissl.errors import BadValue


@dataclass(frozen=True, eq=False)
class Principal(Canvas):
    """Strokes along the examples' principal components, all of one deviation; what leaves the span is cut off."""

    rate: ClassVar[float] = 0.05
    prior: ClassVar[float] = 0.02
    kept: float = 0.95
    """The share of the examples' variance that the components hold."""
    spread: float = 0.3
    """How unlike pictures are in the beginning, in standard deviations."""

    def __post_init__(self) -> None:
        if self.paper.sample is None or len(self.paper.sample) < 3:
            raise BadValue(
                "canvas='principal' is made of how real inputs vary: give data=, at least three examples, better hundreds."
            )
        if not 0 < self.kept <= 1:
            raise BadValue(f"kept={self.kept}: the share of the variance that is kept, above 0, at most 1.")

    @cached_property
    def _components(self) -> Array:
        """(component, value), as long as the examples' deviation along it."""
        every = self.paper.components
        strength = (every**2).sum(1)
        if not strength.sum() > 0:
            raise BadValue(
                "All examples of the data are alike: how inputs vary is not to be seen. Use canvas='pixels'."
            )
        share = strength.cumsum() / strength.sum()
        return every[: int(np.searchsorted(share, self.kept - 1e-12)) + 1]

    def begin(self, count: int, draw: np.random.Generator) -> Array:
        return self.spread * draw.normal(size=(count, len(self._components)))

    def _values(self, strokes: Array) -> Array:
        return self.paper.middle + (strokes @ self._components).reshape(-1, *self.paper.shape)

    def draw(self, strokes: Array) -> Array:
        return np.clip(self._values(strokes), self.paper.low, self.paper.high)

    def back(self, strokes: Array, slopes: Array) -> Array:
        values = self._values(strokes)
        leaving = ((values > self.paper.high) & (slopes > 0)) | ((values < self.paper.low) & (slopes < 0))
        found: Array = np.where(leaving, 0, slopes).reshape(len(strokes), -1) @ self._components.T
        return found

    def trace(self, pictures: Array) -> Array:
        away = (pictures - self.paper.middle).reshape(len(pictures), -1)
        found: Array = away @ self._components.T / (self._components**2).sum(1)
        return found
