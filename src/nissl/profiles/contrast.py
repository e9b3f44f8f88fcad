"""How far a unit's response to a class stands out from its responses to the others."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from nissl.core.profile import Array, Responses
from nissl.profiles._comparing.comparing import ComparingProfile


@dataclass(frozen=True)
class Contrast(ComparingProfile):
    """contrast (neuron, class): the response to a class less the mean response to the others that were seen.

    `against`: "others"; "all" the classes, itself among them; "each" other class apart, (neuron, class, other).
    `weights`: of the classes in that mean, all alike or by the number of examples.
    """

    @property
    def needs(self) -> tuple[str, ...]:
        return ("mean", "count") if self.weights == "size" else ("mean",)

    @property
    def gives(self) -> Mapping[str, tuple[str, ...]]:
        return {"contrast": self.axes}

    def measure(self, responses: Responses) -> tuple[Array, ...]:
        mean = responses["mean"]
        if self.against == "each":
            return (mean[..., :, None] - mean[..., None, :],)
        there = ~np.isnan(mean)
        weight = responses["count"] if self.weights == "size" else np.ones(mean.shape[-1])
        total = np.where(there, weight, 0.0).sum(-1, keepdims=True)
        part = np.where(there, mean, 0) * weight.astype(np.float64)
        rest = part.sum(-1, keepdims=True)
        if self.against == "others":  # in place from here on: a piece of a trace larger than memory is large, too
            total, rest = total - weight, np.subtract(rest, part, out=part)
        with np.errstate(divide="ignore", invalid="ignore"):
            rest = np.where(total > 0, np.divide(rest, total, out=rest), np.nan)  # NaN: nothing to compare with
            return (np.subtract(mean, rest, dtype=np.float64).astype(mean.dtype),)
