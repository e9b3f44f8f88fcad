"""Units that learn no more."""

from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import ClassVar

from nissl.core.capabilities import Holding
from nissl.core.intervention import Intervention, Units
from nissl.errors import Unsupported


@dataclass(frozen=True)
class Freeze(Intervention):
    """Training goes on around them: optimiser steps leave their incoming parameters exactly as they are."""

    changes: ClassVar[bool] = False

    def open(self, units: Units) -> AbstractContextManager[None]:
        if not isinstance(units.network, Holding):
            raise Unsupported(f"Single units of a {units.network.framework} network can't be kept from learning.")
        return units.network.hold({units.layer.name: units.which})
