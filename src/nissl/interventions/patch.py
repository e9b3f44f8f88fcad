"""Units that say what they say for other inputs."""

from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from nissl.core.intervention import Intervention, Units


@dataclass(frozen=True, eq=False)
class Patch(Intervention):
    """Values are taken from a pass over `source`: as many inputs as are then passed, or a single one for all."""

    source: Any = field(repr=False)

    def open(self, units: Units) -> AbstractContextManager[None]:
        name, axis = units.layer.name, units.layer.unit_axis
        said = np.take(units.network.probe(self.source, [name])[name], list(units.which), axis)
        return units.change(np.moveaxis(said, axis, -1))
