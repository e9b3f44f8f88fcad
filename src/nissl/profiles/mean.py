"""The profile itself: each unit's mean response to every class."""

from collections.abc import Mapping
from dataclasses import dataclass

from nissl.core.profile import Array, Profile, Responses


@dataclass(frozen=True)
class Mean(Profile):
    """mean (neuron, class), as it was recorded; NaN where a class was not seen."""

    @property
    def gives(self) -> Mapping[str, tuple[str, ...]]:
        return {"mean": ("class",)}

    def measure(self, responses: Responses) -> tuple[Array, ...]:
        return (responses["mean"],)
