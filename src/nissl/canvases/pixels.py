"""Every value for itself."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from nissl.core.canvas import Array, Canvas, logistic, logits


@dataclass(frozen=True, eq=False)
class Pixels(Canvas):
    """A stroke a value, held within the span by a logistic curve; images or not."""

    rate: ClassVar[float] = 0.1
    prior: ClassVar[float] = 0.01
    spread: float = 0.1
    """How unlike values are in the beginning."""

    def begin(self, count: int, draw: np.random.Generator) -> Array:
        return logits(self.paper.middle[None], self.paper) + self.spread * draw.normal(size=(count, *self.paper.shape))

    def draw(self, strokes: Array) -> Array:
        return logistic(strokes, self.paper)

    def back(self, strokes: Array, slopes: Array) -> Array:
        share = 1 / (1 + np.exp(-strokes))
        found: Array = slopes * self.paper.span * share * (1 - share)
        return found

    def trace(self, pictures: Array) -> Array:
        return logits(pictures, self.paper)
