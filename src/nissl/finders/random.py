"""Scores by lot: what every method has to beat."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from nissl.core.finder import Case, Finder, Scores


@dataclass(frozen=True)
class Random(Finder):
    """Drawn anew for each target from the seed; one row a target. A naive baseline."""

    baselines: ClassVar[tuple[str, ...]] = ("mean", "counterfactual", "zero")
    causal: ClassVar[bool] = False

    def find(self, case: Case) -> Scores:
        targets = np.unique(case.which[case.asked])
        draws = {int(target): np.random.default_rng([case.seed, int(target)]) for target in targets}
        rows = {
            name: np.stack([draw.normal(size=len(case.means[name])) for draw in draws.values()]) for name in case.names
        }
        return Scores(rows, targets)
