"""The contract of a canvas: numbers that are changed step by step in, pictures out, and slopes on the way back."""

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from nissl import plugins
from nissl.core.named import named
from nissl.core.paper import Paper
from nissl.errors import BadValue

Array = NDArray[Any]
ENOUGH = 100
"""From so many examples on it is known how inputs vary."""
ALIKE = 0.5
"""The deviation of pixels' variances, as a share of their mean, below which all places count as alike."""


@dataclass(frozen=True, eq=False)
class Canvas(ABC):
    """A way to describe pictures by strokes, (picture, ...); a frozen dataclass of the paper and plain options."""

    paper: Paper
    rate: ClassVar[float] = 0.05
    """How far strokes move in a step."""
    prior: ClassVar[float] = 0.0
    """How much half a squared unit of strokes costs, in units of the score."""

    @property
    def name(self) -> str:
        """As it is asked for."""
        return re.sub(r"(?<!^)(?=[A-Z])", "_", type(self).__name__).lower()

    @abstractmethod
    def begin(self, count: int, draw: np.random.Generator) -> Array:
        """Strokes to begin with, different ones for each picture."""

    @abstractmethod
    def draw(self, strokes: Array) -> Array:
        """The pictures, (picture, *shape), within the paper's span."""

    @abstractmethod
    def back(self, strokes: Array, slopes: Array) -> Array:
        """How something that is to rise changes with the strokes, from how it changes with the pictures."""

    @abstractmethod
    def trace(self, pictures: Array) -> Array:
        """Strokes that draw these pictures, or what is nearest to them."""


def canvas(given: str | None, paper: Paper, options: Mapping[str, Any]) -> Canvas:
    """The canvas of this name; None: what suits the paper."""
    if given is None:
        given = _suited(paper)
    if not isinstance(given, str):
        raise BadValue(f"canvas={given!r}: a name of {', '.join(plugins.names('canvases'))}.")
    found: Canvas = named("canvases", Canvas, given, {"paper": paper, **options})
    return found


def _suited(paper: Paper) -> str:
    """Of photographs every place varies alike, and then waves are what they vary by; other inputs say themselves by what."""
    known = paper.sample is not None and len(paper.sample) >= ENOUGH
    if not paper.image:
        return "principal" if known else "pixels"
    if not known or paper.sample is None:
        return "fourier"
    variances = paper.planes((paper.sample / paper.span).var(0)[None])[0].mean(0)
    return "fourier" if variances.std() < ALIKE * variances.mean() else "principal"


def logistic(strokes: Array, paper: Paper) -> Array:
    """Any number as a value within the span."""
    found: Array = paper.low + paper.span / (1 + np.exp(-strokes))
    return found


def logits(pictures: Array, paper: Paper) -> Array:
    """The way back from `logistic`; what lies on the edge of the span or beyond is taken for a value close to it."""
    share = np.clip((pictures - paper.low) / paper.span, 0.005, 0.995)
    found: Array = np.log(share) - np.log1p(-share)
    return found
