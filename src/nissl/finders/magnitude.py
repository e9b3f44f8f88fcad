"""How large units' incoming weights are, whatever is asked."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from nissl.core.finder import Array, Case, Finder, Scores
from nissl.errors import Unsupported
from nissl.finders._describing.answers import repeated


@dataclass(frozen=True)
class Magnitude(Finder):
    """The norm of a unit's incoming weights, biases left out; alike for all targets. A naive baseline."""

    baselines: ClassVar[tuple[str, ...]] = ("mean", "counterfactual", "zero")
    causal: ClassVar[bool] = False
    signed: ClassVar[bool] = False

    def find(self, case: Case) -> Scores:
        return repeated(case, {name: _norms(case, name) for name in case.names})


def _norms(case: Case, name: str) -> Array:
    found = {key: table for key, table in case.network.weights(name).items() if "bias" not in key}
    if not found:
        raise Unsupported(f"The units of {name} have no weights of their own: leave it out, layers=[...].")
    squares = [np.square(table.reshape(len(table), -1), dtype=np.float64).sum(1) for table in found.values()]
    return np.sqrt(np.sum(squares, 0))
