"""Each unit's weights and bias at the end of an epoch: summaries, how far they moved, and the values themselves."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from nissl.core.columns import five, neuron_columns
from nissl.core.layer import Layer
from nissl.core.quantity import Array, Context, Heard, Quantity
from nissl.core.store import ArraySpec, Column

FIVE = ("mean", "median", "std", "max", "min")
AUTO = 2_000_000  # parameters: 8 MB an epoch; beyond it full snapshots are taken only when asked for


@dataclass(frozen=True)
class Weights(Quantity):
    """weight_mean, median, std, max, min, norm; bias; update (norm of the change) and cosine to the last recorded epoch.

    `full`: keep every weight ("weight"); "auto" does so for networks of up to 2 million parameters. The layer's own five
    statistics over all its weights and biases are in "parameter_summary". A unit of a recurrent layer has a bias for each gate:
    such are in the summary alone.
    """

    full: bool | Literal["auto"] = "auto"

    needs = "parameters"

    def declare(self, layer: Layer | None, context: Context) -> tuple[ArraySpec, ...]:
        if layer is None or not layer.units or not layer.parameters:
            return ()
        names: tuple[str, ...] = ()
        specs: tuple[ArraySpec, ...] = ()
        if "weight" in layer.parameters:
            names = (*(f"weight_{s}" for s in FIVE), "weight_norm", "weight_update", "weight_cosine")
            fan = int(np.prod(layer.parameters["weight"][1:]))
            if self.full is True or (self.full == "auto" and context.parameters <= AUTO):
                kept = (Column("weight", "first"),)
                specs = (ArraySpec("weight", ("neuron", "input"), (layer.units, fan), columns=kept),)
        if layer.parameters.get("bias") == (layer.units,):
            names += ("bias", "bias_update")
        rows = {"parameter": ("weight", "bias"), "statistic": FIVE}
        summary = ArraySpec(
            "parameter_summary", ("parameter", "statistic"), (2, 5), labels=rows, columns=(Column("", "first"),)
        )
        return (*neuron_columns(tuple(Column(n, "first") for n in names), layer.units), *specs, summary)

    def read(self, heard: Heard) -> dict[str, Array]:
        now, before = heard.parameters or {}, heard.before or {}
        found: dict[str, Array] = {"parameter_summary": np.full((2, 5), np.nan)}
        for row, name in enumerate(("weight", "bias")):
            if name in now and now[name].size:
                whole = five(now[name].reshape(1, -1))
                found["parameter_summary"][row] = [whole[s][0] for s in FIVE]
        if "weight" in now:
            weight = now["weight"].reshape(len(now["weight"]), -1)
            found |= {f"weight_{name}": value for name, value in five(weight).items()}
            found["weight_norm"] = _norm(weight)
            found["weight"] = weight
            if "weight" in before:
                last = before["weight"].reshape(weight.shape)
                found["weight_update"] = _norm(weight.astype(np.float64) - last)
                found["weight_cosine"] = _cosine(weight, last)
        if "bias" in now and now["bias"].ndim == 1:
            found["bias"] = now["bias"]
            if "bias" in before:
                found["bias_update"] = np.abs(now["bias"].astype(np.float64) - before["bias"])
        return found


def _norm(rows: Array) -> Array:
    return np.sqrt((rows.astype(np.float64) ** 2).sum(1))


def _cosine(a: Array, b: Array) -> Array:
    size = _norm(a) * _norm(b)
    dot = (a.astype(np.float64) * b).sum(1)
    return np.divide(dot, size, out=np.full(len(a), np.nan), where=size > 0)
