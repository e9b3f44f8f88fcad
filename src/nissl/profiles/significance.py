"""Whether a contrast could be chance."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import get_args

import numpy as np

from nissl.core.profile import Array, Responses
from nissl.errors import BadValue
from nissl.profiles._comparing.comparing import ComparingProfile, compared
from nissl.profiles._comparing.student import Correction, corrected, two_sided


@dataclass(frozen=True)
class Significance(ComparingProfile):
    """t, p and q (neuron, class) of the contrast: Welch's test, and p corrected for all tests of the layer.

    `correction`: "bh" (Benjamini and Hochberg: which share of what is called significant at q is false), "by" (the same under
    any dependence), "holm", "bonferroni", "none". In a trace a channel's positions count as examples, which neighbours are not:
    its p is then too small.
    """

    correction: Correction = "bh"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.correction not in get_args(Correction):
            raise BadValue(f"correction={self.correction!r}: {' or '.join(map(repr, get_args(Correction)))}.")

    @property
    def needs(self) -> tuple[str, ...]:
        return ("mean", "std", "count")

    @property
    def gives(self) -> Mapping[str, tuple[str, ...]]:
        return {"t": self.axes, "p": self.axes, "q": self.axes}

    @property
    def whole(self) -> bool:
        return self.correction != "none"

    def measure(self, responses: Responses) -> tuple[Array, ...]:
        found = compared(responses, self.against, self.weights)
        t = found.over(found.error)
        p = two_sided(t, found.freedom)
        tests = p.copy()
        if self.against == "each":  # a class against itself is no test
            own = np.arange(p.shape[-1])
            tests[..., own, own] = np.nan
        family = (*p.shape[: p.ndim - 1 - len(self.axes)], -1)
        q = corrected(tests.reshape(family if p.size else (*family[:-1], 0)), self.correction).reshape(p.shape)
        q = np.where(np.isnan(q), p, q)
        return tuple(part.astype(responses["mean"].dtype) for part in (t, p, q))
