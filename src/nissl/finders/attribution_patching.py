"""First-order estimate of what replacing each unit by its baseline would do: one pass forth and back."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from nissl.core.finder import Array, Case, Finder
from nissl.core.units import contributions


@dataclass(frozen=True)
class AttributionPatching(Finder):
    """(activation - baseline) x gradient of the aim; cheap and, unless units saturate or stand in for one another, right.

    `frozen`: the scales of normalising layers count as constants.
    """

    baselines: ClassVar[tuple[str, ...]] = ("mean", "zero", "counterfactual")
    frozen: bool = False

    def each(self, case: Case, part: Array) -> Mapping[str, Array]:
        found = case.passage(part, frozen=self.frozen)
        away = case.deviations(found.values, part)
        return {layer.name: contributions(layer, away[layer.name], found.slopes[layer.name]) for layer in case.layers}
