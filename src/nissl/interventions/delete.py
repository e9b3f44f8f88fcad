"""What units say is replaced by what says nothing."""

from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import numpy as np

from nissl.core.intervention import Array, Intervention, Units, choices
from nissl.errors import BadValue


@dataclass(frozen=True)
class Delete(Intervention):
    """To what they say for "others", to their "mean" over the data, "zero" or another number, or by "resample".

    "others": what units say for other classes, where a structure was found so that its class goes (`size="target<=0.05"`), of
    all else the mean. Either leaves the layers that follow what they are used to; zero may be something that they have never
    seen. "resample" takes, within a batch, each example's values from another one.
    """

    to: Any = "others"
    seed: int = 0

    def __post_init__(self) -> None:
        choices("to", self.to, ("others", "mean", "zero", "resample"))

    def open(self, units: Units) -> AbstractContextManager[None]:
        constants = self.fixed(units)
        return units.change(self._shuffled(units)) if constants is None else units.fix(constants)

    def fixed(self, units: Units) -> Array | None:
        if isinstance(self.to, str):
            if self.to == "resample":
                return None
            if self.to == "others" and units.instead is not None:
                return units.instead
            return units.filled(0.0) if self.to == "zero" else units.known_means()
        return units.filled(self.to)

    def _shuffled(self, units: Units) -> Any:
        if units.layer.batch_axis != 0:
            raise BadValue(f"{units.layer.name} does not have its examples first: resample can't be done there.")

        def other(value: Any) -> Any:
            count = int(value.shape[0])
            if count < 2:
                raise BadValue("resample takes values from other examples of the batch: pass at least two at a time.")
            order = np.random.default_rng(self.seed).permutation(count)
            return value[np.roll(order, 1)[np.argsort(order)]]  # along one cycle, so that nobody keeps its own

        return other
