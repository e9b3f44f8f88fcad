"""How well scores find what is true, and how often they fall for a trap."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nissl.errors import BadValue

Array = NDArray[Any]


@dataclass(frozen=True)
class Judgement:
    """Scores against the truth; where scores tie, what chance would make of the tie."""

    auc: float
    """How often a true one is scored above a false one."""
    average_precision: float
    """Precision, averaged over the ranks of the true ones; separates where true ones are rare, as AUC does not."""
    r_precision: float
    """The share of true ones among as many of the highest scores as there are true ones."""
    trapped: Mapping[str, float] = field(default_factory=dict)
    """The share of each trap's units among these highest scores."""

    @classmethod
    def of(cls, scores: Array, true: Array, traps: Mapping[str, Array] | None = None) -> "Judgement":
        """`scores` and `true` (bool), flat, one for each candidate; `traps` are bools alike."""
        scores, true = np.asarray(scores, np.float64), np.asarray(true, bool)
        if scores.shape != true.shape or not np.isfinite(scores).all():
            raise BadValue(f"Scores are finite numbers, one a candidate: {true.shape}, not {scores.shape}.")
        if not 0 < true.sum() < true.size:
            raise BadValue(f"{true.sum()} of {true.size} candidates are true: there is nothing to tell apart.")
        values, group = np.unique(-scores, return_inverse=True)
        hits = np.bincount(group, true, len(values))
        sizes = np.bincount(group, minlength=len(values))
        found, taken = np.cumsum(hits), np.cumsum(sizes)
        misses = sizes - hits
        total, false = found[-1], taken[-1] - found[-1]
        auc = (misses * (found - hits / 2)).sum() / (total * false)
        share = np.clip((total - (taken - sizes)) / sizes, 0, 1)[group]  # how much of each is taken
        tops = {name: float(share[np.asarray(trap, bool)].sum() / total) for name, trap in (traps or {}).items()}
        return cls(float(auc), float((hits * found / taken).sum() / total), float(share[true].sum() / total), tops)
