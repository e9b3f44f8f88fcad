"""`nissl.dream`: an input, changed so that a layer sees more of what it sees in it."""

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nissl.core.aim import Aim
from nissl.core.drawing.studio import inputs as taken
from nissl.core.drawing.studio import studio
from nissl.core.drawing.wish import Wish, by_unit, said, whole
from nissl.core.network import Network
from nissl.core.paper import sound
from nissl.core.portraits import Portraits
from nissl.core.progress import progress as shown
from nissl.errors import BadValue, UnknownName

__all__ = ["dream"]

Array = NDArray[Any]
NEAR = {"turn": 0.0, "zoom": 0.0, "noise": 0.02, "prior": 0.001, "rough": 0.1}


def dream(
    model: Any, x: Any, of: str, *, unit: int | None = None, span: Any = None, steps: int = 32, canvas: str | None = None,
    batch: int = 64, seed: int = 0, progress: bool = True, **options: Any,
) -> Portraits:  # fmt: skip
    """Each input moves to where the layer answers more: its mean square (energy), or (`unit`) one unit's mean.

    `steps` is how far the dream goes; the prior pulls back to the input. Options are those of `portrait`'s recipe.
    """
    if steps < 1:
        raise BadValue(f"steps={steps}: a whole number from 1.")
    place = studio(model, x, None, span, batch)
    inputs = sound(taken(place.net, x))
    answers = place.answers(of)
    wish = _more(place.net, of, unit, len(inputs), answers.flat.shape[1])
    which = np.arange(len(inputs))
    now = wish.scores(said(place.net, inputs, of, batch), which)
    with shown("dream", progress) as tick:
        name = canvas or ("fourier" if place.paper.image else "pixels")
        scales = np.where(np.abs(now) > 1e-9, np.abs(now), 1.0)
        ascent = place.ascent(wish, which, scales, name, {**NEAR, **options})
        pictures = ascent(steps, seed, inputs, tick)
    told = {**ascent.told, "steps": steps, "seed": seed, "of": of, "unit": unit}
    return replace(place.told(wish, which, pictures, told), given=inputs)


def _more(net: Network, of: str, unit: int | None, count: int, units: int) -> Wish:
    names = tuple(map(str, range(count)))
    if unit is None:
        aim = Aim("energy", lambda v, _: (v**2).mean(1), lambda v, _: 2 * v / v.shape[1])
        return Wish(aim, names, np.arange(count), of, whole)
    if isinstance(unit, bool) or not isinstance(unit, int | np.integer) or not 0 <= unit < units:
        raise UnknownName(f"unit={unit!r}: {of} has the units 0 to {units - 1}.")
    return Wish(Aim("activation", lambda v, _: v[:, unit], _only(int(unit))), names, np.arange(count), of,
                by_unit(net.layer(of), centre=False))  # fmt: skip


def _only(unit: int) -> Any:
    def slope(values: Array, _: Array) -> Array:
        found = np.zeros_like(values)
        found[:, unit] = 1
        return found

    return slope
