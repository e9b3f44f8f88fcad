"""Student's distribution, and what many tests at once do to its probabilities."""

from typing import Literal

import numpy as np

from nissl.core.profile import Array

Correction = Literal["bh", "by", "holm", "bonferroni", "none"]


def two_sided(t: Array, freedom: Array) -> Array:
    """The probability of a t at least as large, of either sign, where there is no difference."""
    from scipy.special import betainc

    with np.errstate(invalid="ignore", over="ignore"):
        found: Array = betainc(freedom / 2, 0.5, freedom / (freedom + t * t))
    return found


def half_width(error: Array, freedom: Array, confidence: float) -> Array:
    """How far an interval of this confidence reaches to either side."""
    from scipy.special import stdtrit

    return np.asarray(error * stdtrit(freedom, (1 + confidence) / 2))


def corrected(p: Array, how: Correction) -> Array:
    """Probabilities (family, test) corrected for the number of tests that there are in each family; NaN is no test."""
    if how == "none":
        return p.copy()
    count = np.sum(~np.isnan(p), -1, keepdims=True)
    order = np.argsort(p, -1)  # NaN comes last
    rank = np.arange(1, p.shape[-1] + 1)
    sorted_ = np.take_along_axis(p, order, -1)
    if how == "bonferroni":
        steps = sorted_ * count
    elif how == "holm":
        steps = np.maximum.accumulate(np.where(np.isnan(sorted_), -np.inf, sorted_ * (count - rank + 1)), -1)
    else:
        harmonic = np.cumsum(1 / rank)
        factor = harmonic[np.maximum(count, 1) - 1] if how == "by" else 1.0
        steps = np.where(np.isnan(sorted_), np.inf, sorted_ * count / rank * factor)
        steps = np.minimum.accumulate(steps[..., ::-1], -1)[..., ::-1]
    found = np.empty_like(p)
    np.put_along_axis(found, order, np.minimum(steps, 1), -1)
    return np.where(np.isnan(p), np.nan, found)
