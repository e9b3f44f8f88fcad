"""The gradient of the loss that reaches each unit's activation: how large, and how steady."""

from dataclasses import dataclass

import numpy as np

from nissl.core.columns import moments, neuron_columns
from nissl.core.layer import Layer
from nissl.core.quantity import Array, Context, Heard, Quantity
from nissl.core.store import ArraySpec, Column

COLUMNS = (Column("count", "sum"), Column("mean"), Column("std", "std"), Column("magnitude"), Column("snr", "average"))


@dataclass(frozen=True)
class Gradient(Quantity):
    """mean, std, magnitude (mean absolute) and snr (|mean| / std) over examples and positions.

    The loss is the one that the user differentiates: a mean over the batch makes these smaller by the batch size, a
    gradient scaler larger by its scale (snr is free of both).
    """

    needs = "gradient"

    def declare(self, layer: Layer | None, context: Context) -> tuple[ArraySpec, ...]:
        return neuron_columns(COLUMNS, layer.units, "gradient_") if layer and layer.units else ()

    def read(self, heard: Heard) -> dict[str, Array]:
        if heard.sums is None:
            return {}
        found = moments(heard.sums)
        with np.errstate(divide="ignore", invalid="ignore"):
            found["snr"] = np.abs(found["mean"]) / found["std"]
        found["snr"][found["std"] == 0] = np.nan
        return {f"gradient_{c.name}": found[c.name] for c in COLUMNS}
