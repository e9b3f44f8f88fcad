"""Some units' values replaced by numbers, or by a function of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from nissl.adapters._host import choice
from nissl.core.layer import Layer
from nissl.core.network import Array


@dataclass(frozen=True, eq=False)
class Change:
    """The units of one layer, by the layer's number, and what they become."""

    number: int
    units: list[int]
    to: Any

    def __call__(self, value: Array) -> Array:
        changed = value.copy()
        changed[:, self.units] = self.to(value[:, self.units]) if callable(self.to) else self.to
        return changed


def checked(layer: Layer, number: int, units: Sequence[int] | None, to: Any) -> Change:
    """Units that exist, each once, and what broadcasts to their values."""
    have = layer.units or 0
    found = np.arange(have) if units is None else choice.whole(layer, units)
    choice.fit(layer, found, () if callable(to) else np.shape(to), have)
    return Change(number, found.tolist(), to if callable(to) else np.asarray(to))
