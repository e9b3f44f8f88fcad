"""Gradient x activation: how attribution was done before anybody asked from where."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from nissl.core.finder import Array, Case, Finder
from nissl.core.units import contributions


@dataclass(frozen=True)
class GradientActivation(Finder):
    """Measured from zero, whatever a unit says on average, so that units which always say the same take part. A naive baseline."""

    baselines: ClassVar[tuple[str, ...]] = ("zero", "mean", "counterfactual")
    causal: ClassVar[bool] = False

    def each(self, case: Case, part: Array) -> Mapping[str, Array]:
        found = case.passage(part)
        return {
            layer.name: contributions(layer, found.values[layer.name], found.slopes[layer.name])
            for layer in case.layers
        }
