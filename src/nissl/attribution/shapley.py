"""Shapley values of the input's parts, by random orders in which they are shown."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from nissl.attribution._windows.windows import Window, windows
from nissl.core.matter import Matter
from nissl.core.method import Array, Method
from nissl.errors import BadValue


@dataclass(frozen=True)
class Shapley(Method):
    """Parts of the baseline are replaced by the input's one after another, and each is given what the score gains by it.

    Complete whatever the number of `orders`, each of which is also taken backwards. `window`: how large a part is, as in
    occlusion; its values share what it gains. `baseline`: a number, or an array of one example's shape.
    """

    complete: ClassVar[bool] = True
    anywhere: ClassVar[bool] = False
    orders: int = 8
    window: Any = None
    baseline: Any = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        if self.orders < 1:
            raise BadValue(f"orders={self.orders}: in how many orders parts are shown, from 1.")

    def start(self, matter: Matter) -> Array:
        return matter.started(self.baseline)

    def values(self, matter: Matter) -> Array:
        parts, x = windows(matter, self.window), matter.inputs
        total, start, own = np.zeros_like(x), self.start(matter), matter.score(x)
        draw = np.random.default_rng(self.seed)
        for _ in range(self.orders):
            order = draw.permutation(len(parts))
            for turn in (order, order[::-1]):
                told = [start, *self._told(matter, [parts[at] for at in turn[:-1]]), own]
                for at, before, after in zip(turn, told[:-1], told[1:], strict=True):
                    size = total[0, *parts[at]].size
                    gained = (after - before) / (2 * self.orders * size)
                    total[:, *parts[at]] += gained.reshape(-1, *[1] * (x.ndim - 1)).astype(x.dtype)
        return total

    def _told(self, matter: Matter, shown: list[Window]) -> Iterator[Array]:
        """The scores as one part after another is shown."""
        x, every = matter.inputs, np.arange(matter.count)
        now = np.repeat(matter.baseline(self.baseline), len(x), 0)
        together = max(1, matter.rows // matter.count)
        for at in range(0, len(shown), together):
            stages = []
            for part in shown[at : at + together]:
                now[:, *part] = x[:, *part]
                stages.append(now.copy())
            yield from matter.score(np.concatenate(stages), np.tile(every, len(stages))).reshape(len(stages), -1)
