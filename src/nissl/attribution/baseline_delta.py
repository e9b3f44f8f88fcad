"""How the gradient differs from that at a baseline, times the value."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from nissl.core.matter import Matter
from nissl.core.method import Array, Method


@dataclass(frozen=True)
class BaselineDelta(Method):
    """(gradient at x - gradient at the baseline) x value; the baseline's is computed once for each class.

    `baseline`: a number for every value, or an array of one example's shape.
    """

    baseline: Any = 0.0

    def values(self, matter: Matter) -> Array:
        return (matter.slope - self.at_baseline(matter)) * matter.value

    def at_baseline(self, matter: Matter) -> Array:
        """The baseline's gradient, for each example of its own target."""
        first, same = matter.questions()
        found = matter.gradient(np.repeat(matter.baseline(self.baseline), len(first), 0), first)
        return np.take(found, same, matter.batch_axis)
