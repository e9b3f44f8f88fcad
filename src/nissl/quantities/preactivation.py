"""The same statistics before the nonlinearity: the computing module's own output."""

from dataclasses import dataclass

from nissl.core.columns import MOMENTS, moments, neuron_columns
from nissl.core.layer import Layer
from nissl.core.quantity import Array, Context, Heard, Quantity
from nissl.core.store import ArraySpec


@dataclass(frozen=True)
class Preactivation(Quantity):
    """What goes into the nonlinearity: saturation shows here first."""

    needs = "preactivation"

    def declare(self, layer: Layer | None, context: Context) -> tuple[ArraySpec, ...]:
        return neuron_columns(MOMENTS, layer.units, "preactivation_") if layer and layer.units else ()

    def read(self, heard: Heard) -> dict[str, Array]:
        return {f"preactivation_{name}": value for name, value in moments(heard.sums).items()} if heard.sums else {}
