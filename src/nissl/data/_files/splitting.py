"""Which examples are for training and which for the test, always the same ones."""

from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nissl.core.dataset import Examples
from nissl.errors import BadValue


@dataclass(frozen=True)
class Split:
    """Two sets of row numbers."""

    train: NDArray[np.int64]
    test: NDArray[np.int64]

    def of(self, x: NDArray[Any], y: NDArray[Any]) -> tuple[Examples, Examples]:
        return Examples(x[self.train], y[self.train]), Examples(x[self.test], y[self.test])


def split(y: NDArray[Any], share: float, seed: int = 0) -> Split:
    """Keep `share` of every class, or of all rows where `y` holds no classes, for the test."""
    if not 0 < share < 1:
        raise BadValue(f"The share kept for the test is {share}; it must lie between 0 and 1.")
    random = np.random.default_rng(seed)
    labels = y if y.ndim == 1 and np.issubdtype(y.dtype, np.integer) else np.zeros(len(y), np.int64)
    train, test = [], []
    for label in np.unique(labels):
        rows = random.permutation(np.flatnonzero(labels == label))
        kept = round(len(rows) * share)
        test.append(rows[:kept])
        train.append(rows[kept:])
    return Split(random.permutation(np.concatenate(train)), random.permutation(np.concatenate(test)))


def embedded(name: str) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Data that travels in the package."""
    with files("nissl.data").joinpath("_embedded", name).open("rb") as file, np.load(file) as arrays:
        return arrays["x"], arrays["y"].astype(np.int64)
