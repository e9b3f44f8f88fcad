"""Waves: natural images have the same energy at every scale, so that a step changes coarse and fine alike."""

from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np

from nissl.core.canvas import Array, Canvas, logistic, logits
from nissl.core.paper import Paper
from nissl.errors import BadValue


@dataclass(frozen=True, eq=False)
class Fourier(Canvas):
    """A stroke a wave, scaled by its length; colours vary together as those of the examples do; held within the span."""

    rate: ClassVar[float] = 0.05
    prior: ClassVar[float] = 0.01
    decay: float = 1.0
    """The power of a wave's length that it is scaled by: 0 is white."""
    spread: float = 0.05
    """How unlike pictures are in the beginning."""

    def __post_init__(self) -> None:
        if not self.paper.image:
            raise BadValue(
                f"Inputs of shape {self.paper.shape} are no images, which waves are for: canvas='pixels', or "
                "'principal' with data."
            )

    @cached_property
    def _scale(self) -> Array:
        """(row, column) of the whole plane of waves: how much a stroke gives."""
        rows, columns = self.paper.sides
        fast = np.hypot(np.fft.fftfreq(rows)[:, None], np.fft.fftfreq(columns)[None])
        found: Array = np.maximum(fast, 1 / max(rows, columns)) ** -self.decay
        return found / np.sqrt((found**2).mean())

    @cached_property
    def _colours(self) -> Array:
        """(channel, channel): how channels follow from strokes that know nothing of one another."""
        return _together(self.paper)

    def begin(self, count: int, draw: np.random.Generator) -> Array:
        return self.spread * draw.normal(size=(count, len(self._colours), *self.paper.sides))

    def _values(self, strokes: Array) -> Array:
        mixed = np.einsum("cd,ndhw->nchw", self._colours, _waves(strokes * self._scale))
        return self.paper.pictures(mixed) + logits(self.paper.middle[None], self.paper)

    def draw(self, strokes: Array) -> Array:
        return logistic(self._values(strokes), self.paper)

    def back(self, strokes: Array, slopes: Array) -> Array:
        share = 1 / (1 + np.exp(-self._values(strokes)))
        planes = self.paper.planes(slopes * self.paper.span * share * (1 - share))
        return _waves(np.einsum("cd,nchw->ndhw", self._colours, planes)) * self._scale

    def trace(self, pictures: Array) -> Array:
        away = logits(pictures, self.paper) - logits(self.paper.middle[None], self.paper)
        bare = np.einsum("dc,nchw->ndhw", np.linalg.inv(self._colours), self.paper.planes(away))
        return _waves(bare) / self._scale


def _waves(planes: Array) -> Array:
    """Hartley's transform: Fourier's in real numbers, symmetric and its own inverse."""
    found = np.fft.fft2(planes, norm="ortho")
    return np.asarray(found.real - found.imag)


def _together(paper: Paper) -> Array:
    """A square root of how channels vary together, of mean square 1; the identity where that is not known."""
    count = 1 if paper.channel is None else paper.shape[paper.channel]
    if paper.sample is None or count == 1:
        return np.eye(count)
    planes = np.moveaxis(paper.planes((paper.sample - paper.middle) / paper.span), 1, 0).reshape(count, -1)
    strength, axes = np.linalg.eigh(planes @ planes.T / planes.shape[1])
    root = axes * np.sqrt(np.maximum(strength, 1e-3 * strength.max() + 1e-12)) @ axes.T
    found: Array = root / np.sqrt((root**2).sum(1).mean())
    return found
