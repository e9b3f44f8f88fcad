"""One array of a trace by its address: cut like numpy's, read only then, and light enough to be sent to any worker."""

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nissl.core.store import ArraySpec, Store, absent
from nissl.errors import DamagedTrace, NisslWarning

PIECE = 4 << 20  # bytes that are best read at once: what a task holds, a few times over while it reckons


class Stored:
    """(epoch, *dims) of one recorded array. It holds no file and no lock; a store is pickled as its address."""

    def __init__(self, store: Store, spec: ArraySpec, epochs: tuple[int, ...]):
        self.store, self.spec, self.epochs = store, spec, epochs
        self.shape = (len(epochs), *spec.shape)
        self.dtype = np.dtype(spec.dtype)
        self.ndim = len(self.shape)

    def pieces(self, most: int = PIECE) -> tuple[tuple[int, ...], ...]:
        """How it is best cut, as Dask says it: along what lies together, so that nothing is unpacked twice."""
        together, grain = self.store.together(self.spec.key, self.epochs)
        if not self.spec.shape:
            return (together,)
        each = max(together, default=1) * int(np.prod(self.spec.shape[1:])) * self.dtype.itemsize
        units, width = self.spec.shape[0], grain * max(most // max(each * grain, 1), 1)
        sizes = tuple(min(width, units - first) for first in range(0, units, width)) or (0,)
        return (together or (0,), sizes, *((n,) for n in self.spec.shape[1:]))

    def __getitem__(self, key: Any) -> NDArray[Any]:
        """Slices and numbers, one for each axis or for the first ones."""
        given = key if isinstance(key, tuple) else (key,)
        full = (*given, *(slice(None) for _ in self.shape[len(given) :]))
        cut = [
            k if isinstance(k, slice) else slice(n := range(size)[k], n + 1)
            for k, size in zip(full, self.shape, strict=True)
        ]
        found = self._read(self.epochs[cut[0]], tuple(cut[1:]))
        return found[tuple(slice(None) if isinstance(k, slice) else 0 for k in full)]

    def _read(self, epochs: tuple[int, ...], where: tuple[slice, ...]) -> NDArray[Any]:
        try:
            return self.store.read(self.spec.key, epochs, where)
        except DamagedTrace:
            pass  # one by one: damage costs its own epochs, not the hours that the others took
        sizes = (len(range(*cut.indices(size))) for cut, size in zip(where, self.spec.shape, strict=True))
        found = np.full((len(epochs), *sizes), absent(self.spec), self.dtype)
        lost: dict[int, str] = {}
        for at, epoch in enumerate(epochs):
            try:
                found[at] = self.store.read(self.spec.key, [epoch], where)[0]
            except DamagedTrace as error:
                lost[epoch] = str(error)
        said = "; ".join(dict.fromkeys(lost.values()))
        warnings.warn(
            f"nissl: {absent(self.spec)} stands for what cannot be read of epochs {sorted(lost)} of {self.spec.key}: {said}",
            NisslWarning,
            stacklevel=2,
        )
        return found
