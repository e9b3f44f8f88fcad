"""Which units say the same to everything."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from nissl.core.profile import Array, Profile, Responses


@dataclass(frozen=True)
class Dead(Profile):
    """dead: does the unit's response never change, within a class or between classes? One that was never heard is not dead.

    `tolerance`: changes up to this share of its mean are none.
    """

    tolerance: float = 0.0

    @property
    def needs(self) -> tuple[str, ...]:
        return ("mean", "std")

    @property
    def gives(self) -> Mapping[str, tuple[str, ...]]:
        return {"dead": ()}

    def measure(self, responses: Responses) -> tuple[Array, ...]:
        mean, std = responses["mean"], responses["std"]
        there = ~np.isnan(mean)
        low = np.where(there, mean - std, np.inf).min(-1, initial=np.inf)
        high = np.where(there, mean + std, -np.inf).max(-1, initial=-np.inf)
        size = np.where(there, np.abs(mean), 0).max(-1, initial=0)
        seen = there.any(-1)
        reach = np.where(seen, high, 0) - np.where(seen, low, 0)
        return (seen & (reach <= self.tolerance * size),)
