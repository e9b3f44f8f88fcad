"""Windows over the positions of an input, all channels of a position together."""

import itertools
from collections.abc import Sequence
from math import ceil

from nissl.core.matter import Matter
from nissl.errors import BadValue

Window = tuple[slice, ...]


def windows(matter: Matter, size: int | Sequence[int] | None, step: int | Sequence[int] | None = None) -> list[Window]:
    """As indices into one example. `size`: None for a seventh of each axis, of a table one feature; `step`: None for side by side."""
    shape, axis = matter.inputs.shape[1:], matter.anatomy.axis
    places = [at for at in range(len(shape)) if axis is None or at != axis - 1]
    usual = [1 if len(shape) == 1 else ceil(shape[at] / 7) for at in places]
    sizes = _each(size, usual, [shape[at] for at in places], "window")
    steps = _each(step, sizes, [shape[at] for at in places], "stride")
    cuts: list[list[slice]] = [[slice(None)] for _ in shape]
    for at, width, far in zip(places, sizes, steps, strict=True):
        count = ceil(max(shape[at] - width, 0) / far) + 1
        cuts[at] = [slice(k * far, min(k * far + width, shape[at])) for k in range(count)]
    return list(itertools.product(*cuts))


def _each(given: int | Sequence[int] | None, usual: Sequence[int], most: Sequence[int], what: str) -> Sequence[int]:
    found = list(usual) if given is None else [given] * len(usual) if isinstance(given, int) else list(given)
    if len(found) != len(usual) or any(not 1 <= one <= top for one, top in zip(found, most, strict=False)):
        raise BadValue(f"{what}={given!r}: a whole number, or one for each axis of positions, from 1 to {tuple(most)}.")
    return found
