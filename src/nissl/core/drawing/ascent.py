"""A picture's way uphill: Adam on its strokes, looked at from a little elsewhere in every step."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nissl.core.canvas import Canvas
from nissl.core.drawing.distortion import Distortion, Warp, blurred
from nissl.core.drawing.penalties import roughness, sameness, sparing
from nissl.core.drawing.wish import Wish, asked
from nissl.core.network import Network
from nissl.core.progress import silent

Array = NDArray[Any]
MEMORY = 0.9, 0.99
"""Of Adam's means of slopes and of their squares."""
SETTLING = 0.4
"""The last share of the steps, over which they become smaller."""
BLURRING = 4
ROAMING = 0.3
"""How far a picture without slopes goes at random in a step."""
BLURRED = 0.8
"""The share of the steps after which nothing is blurred any more."""


class _Adam:
    """Steps of about 1, whatever the slopes are measured in."""

    def __init__(self, shape: tuple[int, ...]):
        self._mean, self._square, self._steps = np.zeros(shape), np.zeros(shape), 0

    def __call__(self, slopes: Array) -> Array:
        self._steps += 1
        self._mean = MEMORY[0] * self._mean + (1 - MEMORY[0]) * slopes
        self._square = MEMORY[1] * self._square + (1 - MEMORY[1]) * slopes**2
        size = np.sqrt(self._square / (1 - MEMORY[1] ** self._steps)) + 1e-12
        found: Array = self._mean / (1 - MEMORY[0] ** self._steps) / size
        return found


@dataclass(frozen=True, eq=False)
class Ascent:
    """What is drawn, for whom, and how."""

    network: Network
    wish: Wish
    which: Array
    """Of each picture its target's number."""
    scales: Array
    """The unit that each picture's score is weighed in."""
    canvas: Canvas
    recipe: Mapping[str, Any]
    """A settled one."""
    batch: int = 64

    def __call__(
        self, steps: int, seed: int, start: Array | None = None, tick: Callable[[float], None] = silent
    ) -> Array:
        """The pictures; `start` is where they begin, and where the prior is at home."""
        draw = np.random.default_rng(seed)
        count = len(self.which)
        home = np.zeros(()) if start is None else self.canvas.trace(start)
        strokes = self.canvas.begin(count, draw) if start is None else home.copy()
        adam, usual = _Adam(strokes.shape), np.zeros(count)
        first = np.zeros(count)
        for step in range(steps):
            scores, slopes, silent = self._slopes(strokes, draw)
            slopes, usual = self._clipped(slopes, usual, step)
            slopes = self.canvas.back(strokes, slopes) - self.recipe["prior"] * (strokes - home)
            rate = self.recipe["rate"] * min(1.0, (1 - step / steps) / SETTLING)
            strokes = strokes + rate * adam(slopes)
            first = scores if not step else first
            asleep = silent & (scores <= first)
            if asleep.any():  # nothing answers yet: look around for something that does
                strokes[asleep] += ROAMING * draw.normal(size=strokes[asleep].shape)
            strokes = self._blurred(strokes, step, steps)
            tick((step + 1) / steps)
        return self.canvas.draw(strokes)

    @property
    def told(self) -> dict[str, Any]:
        """The whole recipe as plain values."""
        own = {f.name: getattr(self.canvas, f.name) for f in fields(self.canvas) if f.name != "paper"}
        return {"canvas": self.canvas.name, **own, **self.recipe}

    def seen(self, pictures: Array, draw: np.random.Generator) -> tuple[Array, Warp | None]:
        """Pictures as the network is shown them, and how they were warped."""
        paper, told = self.canvas.paper, self.recipe
        warp = None
        if paper.image and (told["shift"] or told["turn"] or told["zoom"]):
            how = Distortion(told["shift"] * min(paper.sides), told["turn"], told["zoom"])
            warp = how.drawn(len(pictures), paper.sides, draw)
            pictures = paper.pictures(warp(paper.planes(pictures)))
        if told["noise"]:
            pictures = pictures + told["noise"] * paper.span * draw.normal(size=pictures.shape)
        return pictures, warp

    def _slopes(self, strokes: Array, draw: np.random.Generator) -> tuple[Array, Array, Array]:
        """Scores, and slopes of these less what speaks against the pictures; and which pictures' scores have none."""
        paper, told = self.canvas.paper, self.recipe
        pictures = self.canvas.draw(strokes)
        shown, warp = self.seen(pictures, draw)
        scores, slopes = asked(self.network, self.wish, shown, self.which, self.batch)
        silent = np.logical_not(slopes.reshape(len(slopes), -1).any(1))
        slopes = slopes / self.scales.reshape(-1, *[1] * (slopes.ndim - 1))
        if warp is not None:
            slopes = paper.pictures(warp.back(paper.planes(slopes)))
        wanted = slopes
        if told["rough"]:
            rough = paper.pictures(roughness(paper.planes(pictures / paper.span))[1]) / paper.span
            slopes = slopes - told["rough"] * rough
        if told["apart"] and len(np.unique(self.which)) < len(self.which):
            alike = sameness((pictures - paper.middle) / paper.span, self.which)[1] / paper.span
            slopes = slopes - told["apart"] * sparing(alike, wanted)
        return scores, slopes, silent

    def _clipped(self, slopes: Array, usual: Array, step: int) -> tuple[Array, Array]:
        """Cut to a multiple of their usual length, picture by picture; and what is usual now."""
        length = np.linalg.norm(slopes.reshape(len(slopes), -1), axis=1)
        limit = np.where(usual > 0, self.recipe["clip"] * usual, np.inf) if step else np.full(len(length), np.inf)
        cut = np.minimum(length, limit)
        share = np.divide(cut, length, out=np.ones_like(length), where=length > 0)
        usual = cut if not step else 0.9 * usual + 0.1 * cut
        return slopes * share.reshape(-1, *[1] * (slopes.ndim - 1)), usual

    def _blurred(self, strokes: Array, step: int, steps: int) -> Array:
        paper = self.canvas.paper
        sigma = self.recipe["blur"] * min(paper.sides) * (1 - step / (BLURRED * steps)) if self.recipe["blur"] else 0
        if sigma <= 0 or step % BLURRING:
            return strokes
        return self.canvas.trace(paper.pictures(blurred(paper.planes(self.canvas.draw(strokes)), sigma)))
