"""The gradients of each unit's parameters at the optimiser's steps: how large, and how much of it is signal."""

from dataclasses import dataclass

import numpy as np

from nissl.core.columns import neuron_columns
from nissl.core.layer import Layer
from nissl.core.quantity import Array, Context, Heard, Quantity
from nissl.core.store import ArraySpec, Column

COLUMNS = ("weight_gradient_magnitude", "weight_gradient_snr")


@dataclass(frozen=True)
class WeightGradients(Quantity):
    """Magnitude: the mean |gradient| over the unit's parameters. Snr: norm of the mean gradient / rms distance from it.

    A large snr says that the steps agree, a small one that they cancel out. Seen at every `every`-th optimiser step.
    """

    every: int = 16

    needs = "parameter_gradients"

    def declare(self, layer: Layer | None, context: Context) -> tuple[ArraySpec, ...]:
        if layer is None or not layer.units or not layer.parameters:
            return ()
        return neuron_columns(tuple(Column(name, "first") for name in COLUMNS), layer.units)

    def read(self, heard: Heard) -> dict[str, Array]:
        if heard.gradients is None or not heard.gradients.steps:
            return {}
        g = heard.gradients
        snr = np.divide(g.signal, g.noise, out=np.full(g.signal.shape, np.nan), where=g.noise > 0)
        return {"weight_gradient_magnitude": g.magnitude, "weight_gradient_snr": snr}
