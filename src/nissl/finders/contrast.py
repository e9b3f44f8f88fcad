"""How much stronger units answer to a class than to the others: what is active, not what is used."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from nissl.core.finder import Case, Finder, Scores
from nissl.finders._describing.answers import answers, opposed


@dataclass(frozen=True)
class Contrast(Finder):
    """Activation - mean over the other classes. A naive baseline: it finds decoys, which nothing depends on."""

    baselines: ClassVar[tuple[str, ...]] = ("mean", "counterfactual", "zero")
    causal: ClassVar[bool] = False

    def find(self, case: Case) -> Scores:
        sides = opposed(case)
        which = case.which[case.asked]
        rows = {}
        for name, told in answers(case).items():
            rest = {target: np.mean([told[one].mean(0) for one in sides[target][1:]], 0) for target in sides}
            rows[name] = told[case.asked] - np.stack([rest[target] for target in which.tolist()])
        return Scores(rows, which)
