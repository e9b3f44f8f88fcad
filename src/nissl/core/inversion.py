"""`nissl.invert`: what a layer keeps of an input."""

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nissl.core.aim import Aim
from nissl.core.drawing.studio import inputs as taken
from nissl.core.drawing.studio import studio
from nissl.core.drawing.wish import Wish, said, whole
from nissl.core.paper import sound
from nissl.core.portraits import Portraits
from nissl.core.progress import progress as shown
from nissl.errors import BadValue

__all__ = ["invert"]

Array = NDArray[Any]
STILL = {"shift": 0.0, "turn": 0.0, "zoom": 0.0, "noise": 0.0, "rough": 0.02, "prior": 1e-4}
"""A layer's values say where things are: the picture is not moved."""


def invert(
    model: Any, x: Any, of: str, *, data: Any = None, span: Any = None, steps: int = 256, canvas: str | None = None,
    batch: int = 64, seed: int = 0, progress: bool = True, **options: Any,
) -> Portraits:  # fmt: skip
    """For each input another that the layer takes for the same: what it forgot is different (Mahendran and Vedaldi, CVPR 2015).

    What is sought is the least of |layer(picture) - layer(x)|^2 / |layer(x)|^2, plus total variation and the canvas's L2. The
    score is that fraction, negative: 0 is a perfect match. Without `data` the span is that of `x`; else as in `portrait`.
    """
    if steps < 1:
        raise BadValue(f"steps={steps}: a whole number from 1.")
    place = studio(model, x if data is None else data, None, span, batch)
    if data is None:  # their mean would give away what is to be found
        place = replace(place, paper=replace(place.paper, sample=None))
    inputs = sound(taken(place.net, x))
    if inputs.shape[1:] != place.paper.shape:
        raise BadValue(f"x holds inputs of shape {inputs.shape[1:]}, and the data such of {place.paper.shape}.")
    place.answers(of)
    layer = place.net.layer(of)
    wanted = np.moveaxis(said(place.net, inputs, of, batch), layer.batch_axis, 0)
    wish = matching(wanted.reshape(len(inputs), -1).astype(float), of)
    which = np.arange(len(inputs))
    with shown("inversion", progress) as tick:
        ascent = place.ascent(wish, which, np.ones(len(which)), canvas, {**STILL, **options})
        pictures = ascent(steps, seed, None, tick)
    found = place.told(wish, which, pictures, {**ascent.told, "steps": steps, "seed": seed, "of": of})
    return replace(found, given=inputs)


def matching(wanted: Array, of: str) -> Wish:
    """To say the same as these rows."""
    size = np.maximum((wanted**2).sum(1), 1e-12)
    aim = Aim(
        "match",
        lambda values, which: -((values - wanted[which]) ** 2).sum(1) / size[which],
        lambda values, which: -2 * (values - wanted[which]) / size[which][:, None],
    )
    return Wish(aim, tuple(map(str, range(len(wanted)))), np.arange(len(wanted)), of, whole)
