"""How one-sided units answer to a class: what is active, not what is used."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from nissl.core.finder import Array, Case, Finder, Scores
from nissl.finders._describing.answers import answers, opposed


@dataclass(frozen=True)
class Selectivity(Finder):
    """(own - others) / (|own| + |others|) of mean answers, -1 to 1; one row a target. A naive baseline: it finds decoys."""

    baselines: ClassVar[tuple[str, ...]] = ("mean", "counterfactual", "zero")
    causal: ClassVar[bool] = False

    def find(self, case: Case) -> Scores:
        sides = opposed(case)
        rows = {
            name: np.stack([_index(*([told[one].mean(0) for one in sides[target]])) for target in sides])
            for name, told in answers(case).items()
        }
        return Scores(rows, np.array(list(sides)))


def _index(own: Array, *others: Array) -> Array:
    rest = np.mean(others, 0)
    size = np.abs(own) + np.abs(rest)
    return np.divide(own - rest, size, out=np.zeros_like(own), where=size > 0)
