"""One place of a network (activations of training steps, of the probe, gradients ...) while it is being heard."""

import time
import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nissl.core.layer import Layer
from nissl.core.network import Network
from nissl.core.sums import Accumulator, Sums
from nissl.errors import BadValue, NisslWarning


class Listening:
    """Folds every value into its layer's sums while `active`; what goes wrong here never reaches the user's step."""

    def __init__(self, network: Network, place: str, *, classes: int = 0, sketch: int = 0):
        self.network, self.place = network, place
        self.classes, self.sketch = classes, sketch
        self.active = False
        self.groups: Any = None
        self.seconds = 0.0
        self.batches: dict[str, list[Sums]] | None = None
        """Sums of each batch, where they are kept."""
        self.ever: set[str] = set()
        """Layers that were heard at least once."""
        self.classless: dict[str, str] = {}
        """Layers whose values labels do not fit, such as an embedding of positions, and why."""
        self.misfits = 0
        """How often labels did not fit a layer that others have fitted."""
        self._fitting: set[str] = set()
        self._accumulators: dict[str, Accumulator | None] = {}
        self._fed: set[str] = set()

    def hear(self, name: str, value: Any) -> None:
        if not self.active:
            return
        start = time.perf_counter()
        try:
            accumulator = self._accumulators[name] if name in self._accumulators else self._begin(name)
            if accumulator is not None:
                self._fold(accumulator, name, value)
                self._fed.add(name)
        except Exception as error:  # noqa: BLE001 - the user's step must go on
            self._accumulators[name] = None
            what = f"nissl: {name} is no longer recorded ({self.place}): {type(error).__name__}: {error}"
            warnings.warn(what, NisslWarning, stacklevel=2)
        self.seconds += time.perf_counter() - start

    def _fold(self, accumulator: Accumulator, name: str, value: Any) -> None:
        groups = None if name in self.classless else self.groups
        try:
            accumulator.fold(value, groups)
        except BadValue as error:
            if groups is None:
                raise
            accumulator.fold(value, None)
            if name not in self._fitting:
                self.classless[name] = str(error)
            elif not self.misfits:
                what = f"nissl: labels of a step do not fit, so it counts for no class: {error}"
                warnings.warn(what, NisslWarning, stacklevel=2)
            self.misfits += name in self._fitting
        else:
            if groups is not None:
                self._fitting.add(name)

    def _begin(self, name: str) -> Accumulator:
        made = self.network.accumulator(self.network.layer(name), classes=self.classes, sketch=self.sketch)
        self._accumulators[name] = made
        return made

    @property
    def heard(self) -> list[str]:
        """Layers that were heard since the last reading, in the order in which they first were."""
        return [name for name in self._accumulators if name in self._fed]

    def end_batch(self) -> None:
        """Read and set aside the sums of one batch."""
        if self.batches is not None:
            for name, sums in self._read().items():
                self.batches.setdefault(name, []).append(sums)

    def read(self) -> dict[str, Sums]:
        """Sums by layer since the last reading; what was set aside by batch is merged."""
        if self.batches is None:
            return self._read()
        self.end_batch()
        whole = {}
        for name, parts in self.batches.items():
            whole[name] = parts[0]
            for part in parts[1:]:
                whole[name] = whole[name].merge(part)
        return whole

    def _read(self) -> dict[str, Sums]:
        found = {}
        for name in self.heard:
            accumulator = self._accumulators[name]
            if accumulator is not None:
                found[name] = accumulator.read()
        self.ever |= self._fed
        self._fed.clear()
        return found


def sampled(network: Network, layer: Layer, value: Any) -> NDArray[Any]:
    """A value as (example, unit, *positions)."""
    array = network.to_numpy(value)
    unit, batch = layer.unit_axis % array.ndim, layer.batch_axis % array.ndim
    return np.moveaxis(array, (batch, unit), (0, 1))
