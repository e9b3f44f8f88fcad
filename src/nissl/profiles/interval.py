"""Between which bounds a mean response, or a contrast, lies."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from nissl.core.profile import Array, Responses
from nissl.errors import BadValue
from nissl.profiles._comparing.comparing import ComparingProfile, compared
from nissl.profiles._comparing.student import half_width

Of = Literal["mean", "contrast"]


@dataclass(frozen=True)
class Interval(ComparingProfile):
    """low and high (neuron, class): the confidence interval, by Student's t, of the mean, or of the contrast (`of`).

    `against` and `weights` are the contrast's. NaN for classes of fewer than two examples.
    """

    of: Of = "mean"
    confidence: float = 0.95

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.of not in get_args(Of):
            raise BadValue(f"of={self.of!r}: {' or '.join(map(repr, get_args(Of)))}.")
        if not 0 < self.confidence < 1:
            raise BadValue(f"confidence={self.confidence!r}: a share such as 0.95.")

    @property
    def needs(self) -> tuple[str, ...]:
        return ("mean", "std", "count")

    @property
    def gives(self) -> Mapping[str, tuple[str, ...]]:
        axes = self.axes if self.of == "contrast" else ("class",)
        return {"low": axes, "high": axes}

    def measure(self, responses: Responses) -> tuple[Array, ...]:
        dtype = responses["mean"].dtype
        if self.of == "contrast":
            found = compared(responses, self.against, self.weights)
            middle, reach = found.difference, half_width(found.error, found.freedom, self.confidence)
        else:
            mean, std, count = (np.asarray(responses[name], np.float64) for name in self.needs)
            several = (count > 1) & ~np.isnan(mean)
            free = np.where(count > 1, count - 1, 1)
            reach = half_width(np.where(several, std, np.nan) / np.sqrt(free), free, self.confidence)
            middle = np.where(several, mean, np.nan)
        return (middle - reach).astype(dtype), (middle + reach).astype(dtype)
