"""How much a unit prefers one class, and which."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from nissl.core.profile import Array, Profile, Responses


@dataclass(frozen=True)
class Selectivity(Profile):
    """selectivity: (best - others) / (|best| + |others|) of a unit's best class and the mean of its others, 0 to 1; best: which.

    The absolute values are no change where responses are positive, and keep it within 0 to 1 where they are not. A unit
    that answers all classes alike, be it by silence, has selectivity 0 and best -1; one that saw fewer than two has NaN and -1.
    """

    @property
    def gives(self) -> Mapping[str, tuple[str, ...]]:
        return {"selectivity": (), "best": ()}

    def measure(self, responses: Responses) -> tuple[Array, ...]:
        mean = responses["mean"]
        there = ~np.isnan(mean)
        seen = there.sum(-1)
        best = np.where(there, mean, -np.inf).max(-1, initial=-np.inf)
        worst = np.where(there, mean, np.inf).min(-1, initial=np.inf)
        differs = best > worst
        with np.errstate(invalid="ignore"):  # what cannot be compared becomes NaN, and is wanted so
            total = np.where(there, mean, 0).sum(-1, dtype=np.float64)
            others = (total - best) / np.maximum(seen - 1, 1)
            index = np.divide(best - others, np.abs(best) + np.abs(others), where=differs, out=np.zeros(seen.shape))
        which = np.where(there, mean, -np.inf).argmax(-1) if mean.shape[-1] else seen
        return np.where(seen > 1, index, np.nan).astype(mean.dtype), np.where(differs, which, -1).astype(np.int32)
