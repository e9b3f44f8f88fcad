"""Sums of values for groups whose number is not known before: each position of a layer for itself, where the values live."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nissl.core.layer import Layer
from nissl.core.network import Network
from nissl.core.sums import Accumulator, chan

Floats = NDArray[np.float64]
FIRST = 16
"""Room for so many groups to begin with."""
ROWS = 7
"""What an accumulator keeps of a unit besides three numbers for each class."""


@dataclass(frozen=True, eq=False)
class Moments:
    """What there is to know of groups, (group, place)."""

    count: Floats
    mean: Floats
    m2: Floats
    """Sum of squared deviations from the mean."""

    def means(self) -> Floats:
        """NaN where nothing was heard."""
        return np.where(self.count > 0, self.mean, np.nan)

    def variances(self) -> Floats:
        """Between examples, unbiased; NaN for fewer than two."""
        return self.m2 / np.where(self.count > 1, self.count - 1, np.nan)

    def responses(self) -> dict[str, Floats]:
        """As measures take them: the group last; std is that of the values themselves, and estimates nothing."""
        heard = np.where(self.count > 0, self.count, np.nan)
        return {"mean": self.means().T, "std": np.sqrt(self.m2 / heard).T, "count": self.count.T}

    def of(self, rows: NDArray[Any]) -> "Moments":
        """Of these groups, in this order."""
        return Moments(self.count[rows], self.mean[rows], self.m2[rows])

    def merge(self, other: "Moments") -> "Moments":
        """Both together; groups that only the other has are new."""
        more = ((0, len(other.count) - len(self.count)), (0, 0))
        count, mean, m2 = (np.pad(part, more) for part in (self.count, self.mean, self.m2))
        return Moments(*chan(count, mean, m2, other.count, other.mean, other.m2))


class Tally:
    """The adapter's own accumulator with every place of a layer as a unit, and the groups as classes; it grows with these."""

    def __init__(self, network: Network, layer: Layer, places: int):
        self.places, self._network = places, network
        self._flat = Layer(layer.name, "dense", places)
        self._room = 0
        self._accumulator: Accumulator
        self._earlier: Moments | None = None

    def size(self, groups: int) -> int:
        """Bytes that the sums of so many groups take."""
        return 8 * self.places * (ROWS + 3 * (self._enough(groups) + 1))

    def _enough(self, groups: int) -> int:
        room = self._room or FIRST
        while room < groups:
            room *= 2
        return room

    def fold(self, rows: Any, of: Any, groups: int) -> None:
        """`rows` (example, place), the framework's own; `of` from the network's `groups`; so many groups are known by now."""
        if groups > self._room or not self._room:
            self._earlier = self._read() if self._room else None
            self._room = self._enough(groups)
            self._accumulator = self._network.accumulator(self._flat, classes=self._room)
        self._accumulator.fold(rows, of)

    def _read(self) -> Moments:
        sums = self._accumulator.read()
        inside = np.clip(
            sums.class_mean, sums.low, sums.high
        )  # a silent unit's mean is 0, and not a rounding away from it
        now = Moments(sums.class_count, np.where(sums.class_count > 0, inside, 0), sums.class_m2)
        return now if self._earlier is None else self._earlier.merge(now)

    def moments(self, rows: NDArray[Any]) -> Moments:
        """Of these groups, in this order."""
        return self._read().of(rows)
