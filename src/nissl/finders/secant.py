"""What each unit adds to the difference between an example and a counterfactual, with every operation by its secant."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from nissl.core.capabilities import Pairwise
from nissl.core.finder import Array, Case, Finder
from nissl.core.units import contributions
from nissl.errors import BadValue, Unsupported


@dataclass(frozen=True)
class Secant(Finder):
    """(activation - counterfactual's) x mean slope between the two, over `pairs` counterfactuals an example.

    Complete over a layer, and blind neither to saturated units nor to those that stand in for one another.
    """

    baselines: ClassVar[tuple[str, ...]] = ("counterfactual",)
    complete: ClassVar[bool] = True
    pairs: int = 3

    def __post_init__(self) -> None:
        if self.pairs < 1:
            raise BadValue(f"pairs={self.pairs}: how many counterfactuals each example is compared with, from 1.")

    def each(self, case: Case, part: Array) -> Mapping[str, Array]:
        if not isinstance(case.network, Pairwise):
            raise Unsupported(
                f"{case.network.framework} gives no secants: leave by= out for the method that comes closest, or name "
                "one that needs none, such as by='exact_ablation'."
            )
        total: dict[str, Array] = {}
        turns = 1 if case.others is not None else self.pairs
        for turn in range(turns):
            for name, told in self._pair(case, part, case.opposites(turn, part)).items():
                total[name] = total[name] + told if name in total else told
        return {name: told / turns for name, told in total.items()}

    def _pair(self, case: Case, part: Array, others: Any) -> dict[str, Array]:
        network = case.network
        assert isinstance(network, Pairwise)
        found = network.secant(case.pool.take(part), others, case.secants(part), case.names)
        return {
            layer.name: contributions(
                layer,
                np.subtract(network.to_numpy(found.values[layer.name]), network.to_numpy(found.others[layer.name])),
                network.to_numpy(found.slopes[layer.name]),
            )
            for layer in case.layers
        }
