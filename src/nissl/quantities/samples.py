"""The probe's raw activations, kept example by example: large, and only when asked for."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from nissl.core.layer import Layer
from nissl.core.quantity import Array, Context, Heard, Quantity
from nissl.core.store import ArraySpec, Column


@dataclass(frozen=True)
class Samples(Quantity):
    """samples (example, neuron): each unit's activation for each probe example, averaged over positions if it has any."""

    dtype: Literal["float16", "float32"] = "float16"

    needs = "samples"

    def declare(self, layer: Layer | None, context: Context) -> tuple[ArraySpec, ...]:
        if layer is None or not layer.units or not context.probe:
            return ()
        shape = (context.probe, layer.units)
        return (ArraySpec("samples", ("sample", "neuron"), shape, dtype=self.dtype, columns=(Column("", "first"),)),)

    def read(self, heard: Heard) -> dict[str, Array]:
        if heard.samples is None:
            return {}
        limit = np.finfo(self.dtype).max
        return {"samples": np.clip(heard.samples, -limit, limit).astype(self.dtype)}
