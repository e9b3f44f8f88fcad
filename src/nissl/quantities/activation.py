"""Each unit's activation over an epoch: count, mean, std, min, max, share active, mean absolute value, NaN and inf."""

from dataclasses import dataclass

from nissl.core.columns import MOMENTS, moments, neuron_columns
from nissl.core.layer import Layer
from nissl.core.quantity import Array, Context, Heard, Quantity
from nissl.core.store import ArraySpec


@dataclass(frozen=True)
class Activation(Quantity):
    """The layer's value after the nonlinearity that belongs to it."""

    needs = "activation"

    def declare(self, layer: Layer | None, context: Context) -> tuple[ArraySpec, ...]:
        return neuron_columns(MOMENTS, layer.units) if layer and layer.units else ()

    def read(self, heard: Heard) -> dict[str, Array]:
        return dict(moments(heard.sums)) if heard.sums else {}
