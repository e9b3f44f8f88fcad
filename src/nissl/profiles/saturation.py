"""How near a unit is to the bounds of its nonlinearity, whatever it is shown."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from nissl.core.profile import Array, Profile, Responses
from nissl.errors import BadValue


@dataclass(frozen=True)
class Saturation(Profile):
    """saturation: the mean squared distance from the middle of the range, as a share of that of the bounds: 1 is always at one.

    `low`, `high`: the range, -1 to 1 for tanh, 0 to 1 for a sigmoid.
    """

    low: float = -1.0
    high: float = 1.0

    def __post_init__(self) -> None:
        if not self.low < self.high:
            raise BadValue(f"low={self.low}, high={self.high}: the bounds of a nonlinearity, the lower one first.")

    @property
    def needs(self) -> tuple[str, ...]:
        return ("mean", "std", "count")

    @property
    def gives(self) -> Mapping[str, tuple[str, ...]]:
        return {"saturation": ()}

    def measure(self, responses: Responses) -> tuple[Array, ...]:
        mean, std, count = (np.asarray(responses[name], np.float64) for name in self.needs)
        there = ~np.isnan(mean)
        weight = np.where(there, count, 0)
        away = (np.where(there, mean, 0) - (self.low + self.high) / 2) ** 2 + np.where(there, std, 0) ** 2
        total = weight.sum(-1)
        share = (away * weight).sum(-1) / np.where(total > 0, total, np.nan) / ((self.high - self.low) / 2) ** 2
        return (share.astype(responses["mean"].dtype),)
