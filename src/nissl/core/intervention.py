"""The contract of what can be done to units: open for a moment, and where it can be so, a part of the weights."""

from abc import ABC, abstractmethod
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from nissl.core.capabilities import Editable
from nissl.core.layer import Layer
from nissl.core.network import Network
from nissl.core.units import to_last
from nissl.errors import BadValue, Unsupported, listing

Array = NDArray[Any]


@dataclass(frozen=True, eq=False)
class Units:
    """Some units of one layer, and what is known of them."""

    network: Network
    layer: Layer
    which: tuple[int, ...]
    means: Array | None = None
    """Their mean values over the data, (unit, part); None where no data were given."""
    instead: Array | None = None
    """What they say for other classes than theirs, (unit, part), where they have one."""

    def change(self, to: Any) -> AbstractContextManager[None]:
        """Let their values become `to`, as `Network.change` takes it, while the `with` is open."""
        if not isinstance(self.network, Editable):
            raise Unsupported(f"The values of a {self.network.framework} network can't be changed.")
        return self.network.change(self.layer.name, self.which, to)

    def fix(self, constants: Array) -> AbstractContextManager[None]:
        """Hold them at these constants, (unit, part)."""
        return self.change(to_last(self.layer, constants))

    def filled(self, given: Any) -> Array:
        """A number, one number a unit, or one for each of a head's parts, as constants (unit, part)."""
        value, parts = np.asarray(given, np.float64), 1 if self.means is None else self.means.shape[1]
        if value.ndim == 0:
            return np.full((len(self.which), parts), float(value))
        if value.ndim == 1 and len(value) == len(self.which):
            return np.repeat(value[:, None], parts, 1)
        if value.ndim == 2 and value.shape[0] == len(self.which):
            return value
        raise BadValue(
            f"{len(self.which)} units of {self.layer.name} take one number, or one a unit; the shape {value.shape} was given."
        )

    def known_means(self) -> Array:
        """The means, or an error that says how to give them."""
        if self.means is None:
            raise BadValue(
                "The mean needs data: nissl.edit(model, data=x) or a structure know it; or say to=0, or another number."
            )
        return self.means

    def like(self, array: Array, value: Any) -> Any:
        """An array as the framework's own, of the kind of this value."""
        return self.network.like(array, value)


class Intervention(ABC):
    """Something done to units. Implementations are frozen dataclasses, so that their repr says it all."""

    others: ClassVar[bool] = False
    """It is done to all units but those that are named."""
    changes: ClassVar[bool] = True
    """It changes values, so that a unit takes only one such; what does not may come on top."""

    @abstractmethod
    def open(self, units: Units) -> AbstractContextManager[None]:
        """Do it while the `with` is open."""

    def fixed(self, units: Units) -> Array | None:
        """The constants (unit, part) that it holds the units at, if it does: those can be made part of the weights."""
        return None

    def turned(self, units: Units) -> tuple[Array, Array] | None:
        """(factor, addend) by unit where values become factor * value + addend."""
        return None


def choices(name: str, given: Any, known: tuple[str, ...]) -> None:
    """BadValue unless a word is among those that are known."""
    if isinstance(given, str) and given not in known:
        raise BadValue(f"{name}={given!r}: {listing(map(repr, known))}, or numbers.")
