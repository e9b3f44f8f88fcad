"""What the aim loses when a unit is replaced by its baseline, unit after unit: the oracle of first order."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from nissl.core.finder import Array, Case, Finder
from nissl.finders._paths.replacing import replacing


@dataclass(frozen=True)
class ExactAblation(Finder):
    """aim - aim with this unit replaced: one pass for every unit, and no gradients.

    Exact, and yet blind to units that stand in for one another: each can be missed, so that none seems to matter.
    """

    baselines: ClassVar[tuple[str, ...]] = ("mean", "counterfactual", "zero")

    def each(self, case: Case, part: Array) -> Mapping[str, Array]:
        intact, to = case.values(part), case.replacements(part)
        total = sum(len(case.means[name]) for name in case.names)
        found, done = {}, 0
        for name in case.names:
            found[name] = np.zeros((len(part), len(case.means[name])))
            for unit in range(len(case.means[name])):
                with replacing(case, {name: [unit]}, to):
                    found[name][:, unit] = intact - case.values(part)
                done += 1
                case.worked(part, done / total)
        return found
