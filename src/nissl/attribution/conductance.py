"""What a layer's values pass on to the target, on the input's way from a baseline."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from nissl.core.matter import Matter
from nissl.core.method import Array, Method
from nissl.errors import BadValue, Unsupported


@dataclass(frozen=True)
class Conductance(Method):
    """Conductance (Dhamdhere and others, 2018): a layer's gradients times its changes, in `steps` along the input's straight way.

    Asked at a layer; complete where all passes through it. `baseline`: a number, or an array of one example's shape.
    """

    complete: ClassVar[bool] = True
    steps: int = 32
    baseline: Any = 0.0

    def __post_init__(self) -> None:
        if self.steps < 1:
            raise BadValue(f"steps={self.steps}: in how many steps the input goes, a whole number from 1.")

    def start(self, matter: Matter) -> Array:
        return matter.started(self.baseline)

    def values(self, matter: Matter) -> Array:
        if matter.layer is None:
            raise Unsupported(
                "Conductance is that of a layer's values: say which by `at`. For the input: integrated_gradients."
            )
        x, start, name = matter.inputs, matter.baseline(self.baseline), matter.layer.name

        def on_way(share: float) -> Array:
            return np.asarray(start + x.dtype.type(share) * (x - start))

        total, before = None, matter.network.probe(on_way(0), [name], batch=matter.rows)[name]
        for step in range(self.steps):
            after = matter.network.probe(on_way((step + 1) / self.steps), [name], batch=matter.rows)[name]
            told = matter.gradient(on_way((step + 0.5) / self.steps)) * (after - before)
            total, before = told if total is None else total + told, after
        return np.asarray(total)
