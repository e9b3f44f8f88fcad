"""Values moved so that what mattered most in each example lies in the middle."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Cut = tuple[list[slice], list[slice]]


def centred(value: Array, slopes: Array, unit_axis: int, out: Array | None = None) -> Array:
    """Each example of (example, ...) moved along its spatial axes until its most salient place is in the middle, zeros behind it.

    Salient: the largest mean |slope| over the units, the first such place; the middle: shape // 2. An example all of whose
    places are alike stays. Every unit of an example is moved alike.
    """
    spatial = tuple(n for axis, n in enumerate(value.shape) if axis not in (0, unit_axis))
    salience = np.abs(slopes).mean(unit_axis).reshape(len(value), -1)
    differs = salience.max(1) > salience.min(1)
    middle = int(np.ravel_multi_index([n // 2 for n in spatial], spatial))
    places = np.where(differs, salience.argmax(1), middle)
    cuts: dict[int, Cut] = {}
    found = np.empty_like(value) if out is None else out
    found[:] = 0
    for example, place in enumerate(places.tolist()):  # slices of whole examples: no index of every value is made
        if place not in cuts:
            cuts[place] = _cut(place, spatial, unit_axis - 1)
        into, of = cuts[place]
        found[example][*into] = value[example][*of]
    return found


def _cut(place: int, spatial: tuple[int, ...], unit: int) -> Cut:
    """Where what is around a place goes, and where it is taken from."""
    steps = [n // 2 - int(at) for n, at in zip(spatial, np.unravel_index(place, spatial), strict=True)]
    into = [slice(max(s, 0), n + min(s, 0)) for s, n in zip(steps, spatial, strict=True)]
    of = [slice(max(-s, 0), n - max(s, 0)) for s, n in zip(steps, spatial, strict=True)]
    return [*into[:unit], slice(None), *into[unit:]], [*of[:unit], slice(None), *of[unit:]]
