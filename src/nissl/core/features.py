"""A layer's values as features that can be compared: every feature counts alike, those that say nothing are left out."""

import warnings
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from nissl.errors import BadValue, NisslWarning, listing

Array = NDArray[Any]


@dataclass(frozen=True, eq=False)
class Scale:
    """What makes each feature's mean 0 and its deviation 1, over the samples that it was fitted to."""

    shape: tuple[int, ...]
    """Of one sample's values."""
    varies: Array
    """Features that are not the same for all samples."""
    mean: Array
    deviation: Array

    @classmethod
    def fitted(cls, values: Array, name: str = "") -> Self:
        """BadValue where a value is no finite number, with the rows that hold such."""
        flat = _flat(values, name)
        mean = flat.mean(0, dtype=np.float64)
        deviation = np.sqrt(((flat - mean.astype(np.float32)) ** 2).mean(0, dtype=np.float64))
        varies = deviation > 1e-6 * np.maximum(np.abs(mean), np.finfo(np.float32).tiny)
        if not varies.any() and len(flat) > 1:
            told = f" at {name}" if name else ""
            warnings.warn(
                f"nissl: all {len(flat)} samples are alike{told}: every one of {flat.shape[1]} features is constant, and all points "
                "fall together. Has the layer died?",
                NisslWarning,
                stacklevel=3,
            )
        return cls(tuple(values.shape[1:]), varies, mean[varies], deviation[varies])

    def of(self, values: Array) -> Array:
        """(sample, feature), float32; one column of zeros where nothing varies."""
        if tuple(values.shape[1:]) != self.shape:
            raise BadValue(f"New samples have the shape {tuple(values.shape[1:])}, those that are there {self.shape}.")
        flat = _flat(values, "")
        if not self.varies.any():
            return np.zeros((len(flat), 1), np.float32)
        found: Array = ((flat[:, self.varies] - self.mean) / self.deviation).astype(np.float32)
        return found


def _flat(values: Array, name: str) -> Array:
    if not len(values):
        raise BadValue("There is no sample to project.")
    flat = np.asarray(values, np.float32).reshape(len(values), -1)
    bad = np.flatnonzero(~np.isfinite(flat).all(1))
    if len(bad):
        told = f" at {name}" if name else ""
        raise BadValue(
            f"{len(bad)} of {len(flat)} samples have values that are not finite numbers{told}: rows {listing(bad, 10)}. Leave them out, "
            "or find out where the network first says NaN: nissl.network(model).probe(x)."
        )
    return flat
