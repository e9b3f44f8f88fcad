"""The probe's raw activations, kept example by example: large, and only when asked for."""

from dataclasses import dataclass
from math import prod
from typing import Literal

import numpy as np

from nissl.core.layer import Layer
from nissl.core.quantity import Array, Context, Heard, Quantity
from nissl.core.store import ArraySpec, Column


@dataclass(frozen=True)
class Samples(Quantity):
    """samples (sample, neuron), and for maps and sequences (sample, neuron, position): every value for every probe example."""

    dtype: Literal["float16", "float32"] = "float16"

    needs = "samples"

    def declare(self, layer: Layer | None, context: Context) -> tuple[ArraySpec, ...]:
        if layer is None or not layer.units or not context.probe:
            return ()
        positions = (prod(layer.unit_shape),) if layer.unit_shape else ()
        dims, shape = ("sample", "neuron", "position"), (context.probe, layer.units, *positions)
        columns = (Column("", "first"),)
        return (ArraySpec("samples", dims[: len(shape)], shape, dtype=self.dtype, columns=columns),)

    def read(self, heard: Heard) -> dict[str, Array]:
        if heard.samples is None:
            return {}
        values = heard.samples.reshape(*heard.samples.shape[:2], -1)
        limit = np.finfo(self.dtype).max
        flat = values[..., 0] if heard.samples.ndim == 2 else values
        return {"samples": np.clip(flat, -limit, limit).astype(self.dtype)}
