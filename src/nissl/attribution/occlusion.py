"""How much the target loses where a window of the input is covered."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from nissl.attribution._windows.windows import windows
from nissl.core.matter import Matter
from nissl.core.method import Array, Method


@dataclass(frozen=True)
class Occlusion(Method):
    """Occlusion (Zeiler and Fergus, 2013), without gradients: the mean loss over the windows that cover a value.

    `window`, `stride`: a number or one for each axis of positions; left out, a seventh of each axis, side by side, and
    single features in a table. `fill`: what covers, a number or an array of one example's shape.
    """

    anywhere: ClassVar[bool] = False
    window: Any = None
    stride: Any = None
    fill: Any = 0.0

    def values(self, matter: Matter) -> Array:
        x, fill = matter.inputs, matter.baseline(self.fill)[0]
        own, every = matter.score(x), np.arange(matter.count)
        total, covered = np.zeros_like(x), np.zeros(x.shape[1:], x.dtype)
        cuts, together = windows(matter, self.window, self.stride), max(1, matter.rows // matter.count)
        for at in range(0, len(cuts), together):
            some = cuts[at : at + together]
            shown = np.repeat(x[None], len(some), 0)
            for one, cut in zip(shown, some, strict=True):
                one[:, *cut] = fill[cut]
            told = matter.score(shown.reshape(-1, *x.shape[1:]), np.tile(every, len(some))).reshape(len(some), -1)
            for lost, cut in zip(own - told, some, strict=True):
                total[:, *cut] += lost.reshape(-1, *[1] * (x.ndim - 1)).astype(x.dtype)
                covered[cut] += 1
        return total / np.maximum(covered, 1)
