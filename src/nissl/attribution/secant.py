"""The difference from a baseline, times the mean slope of every operation between the two."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from nissl.core.capabilities import Pairwise
from nissl.core.matter import Matter
from nissl.core.method import Array, Method
from nissl.errors import Unsupported


@dataclass(frozen=True)
class Secant(Method):
    """(value - baseline's) x slope, each operation by its secant, as DeepLIFT's rescale rule has it: complete in one pass.

    `baseline`: a number for every value of the input, an array of one example's shape, or of several examples, (baseline, ...),
    over which values are averaged, as DeepLIFT-SHAP does.
    """

    complete: ClassVar[bool] = True
    baseline: Any = 0.0

    def start(self, matter: Matter) -> Array:
        return np.mean([matter.started(one) for one in self._each(matter)], 0)

    def values(self, matter: Matter) -> Array:
        network, target = matter.network, matter.target
        if not isinstance(network, Pairwise):
            raise Unsupported(
                f"A {network.framework} network gives no secants: use integrated_gradients, which comes closest."
            )
        if not target.weighs:
            raise Unsupported(
                f"Secants are those of the network's outputs, not of {target.words}: use integrated_gradients."
            )
        matter.questions()  # settles what was predicted
        return np.mean([self._from(matter, network, one) for one in self._each(matter)], 0)

    def _from(self, matter: Matter, network: Pairwise, baseline: Any) -> Array:
        other = np.repeat(matter.baseline(baseline), matter.count, 0)
        found = network.secant(matter.x, other, lambda outputs, _: matter.target.weights(outputs), [matter.at])
        plain = matter.network.to_numpy
        value, there, slope = (plain(told[matter.at]) for told in (found.values, found.others, found.slopes))
        return np.asarray((value - there) * slope)

    def _each(self, matter: Matter) -> list[Any]:
        several = np.ndim(self.baseline) == matter.inputs.ndim
        return list(self.baseline) if several else [self.baseline]
