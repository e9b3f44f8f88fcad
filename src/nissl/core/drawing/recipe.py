"""How a picture is drawn: everything that can be turned, in shares of what the network's inputs are."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from nissl.core.canvas import Canvas
from nissl.errors import BadValue


@dataclass(frozen=True)
class Recipe:
    """The ways to hold a picture to what is seen from everywhere, and what is like an input."""

    rate: float | None = None
    """How far strokes move in a step; None: as the canvas has it."""
    prior: float | None = None
    """What half the sum of squared strokes costs (L2 in the canvas's own measure); None: as the canvas has it."""
    rough: float = 1.0
    """What total variation costs: of the mean step from pixel to pixel, as a share of the span."""
    shift: float = 0.07
    """How far pictures are shifted at random, as a share of their shorter side."""
    turn: float = 10.0
    """How far they are turned, in degrees."""
    zoom: float = 0.1
    """How far they are scaled."""
    noise: float = 0.1
    """Noise that is added before the network looks, as a share of the span."""
    blur: float = 0.0
    """How far the picture is blurred every fourth step in the beginning, as a share of its shorter side; less and less."""
    clip: float = 2.0
    """The picture's slopes are cut to so many times their usual length."""
    apart: float = 0.5
    """What likeness to the other portraits of the same target costs: of the mean cosine."""

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if value is None:
                continue
            number = isinstance(value, int | float) and not isinstance(value, bool)
            if not number or not 0 <= value < (float("inf") if field.name != "clip" else 1e300):
                raise BadValue(f"{field.name}={value!r}: a number from 0.")
        if self.rate == 0 or self.clip == 0:
            raise BadValue("rate and clip are above 0: with 0 nothing would ever be drawn.")


NAMES = tuple(field.name for field in fields(Recipe))


def parted(options: Mapping[str, Any]) -> tuple[Recipe, dict[str, Any]]:
    """The recipe, and what is left for the canvas."""
    mine = {name: value for name, value in options.items() if name in NAMES}
    return Recipe(**mine), {name: value for name, value in options.items() if name not in NAMES}


def settled(recipe: Recipe, canvas: Canvas) -> dict[str, Any]:
    """The recipe as plain values, with what the canvas decides; inputs that are no images have no neighbours."""
    told = {name: getattr(recipe, name) for name in NAMES}
    told |= {name: getattr(canvas, name) for name in ("rate", "prior") if told[name] is None}
    if not canvas.paper.image:
        told |= dict.fromkeys(("rough", "shift", "turn", "zoom", "blur"), 0.0)
    return told
