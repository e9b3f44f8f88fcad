"""What the network said: loss, accuracy and confusion counts of the epoch, and every answer on the probe."""

from dataclasses import dataclass

import numpy as np

from nissl.core.layer import Layer
from nissl.core.quantity import Array, Context, Heard, Quantity
from nissl.core.store import ArraySpec, Column


@dataclass(frozen=True)
class Predictions(Quantity):
    """confusion (true class, predicted class), accuracy and loss: cross-entropy for classes, squared error for regression."""

    needs = "outputs"

    def declare(self, layer: Layer | None, context: Context) -> tuple[ArraySpec, ...]:
        k, names = len(context.classes), context.classes
        if not k:
            return ()
        columns = (Column("confusion", "sum"),)
        labels = {"class": names, "predicted": names}
        return (ArraySpec("confusion", ("class", "predicted"), (k, k), columns=columns, labels=labels, dtype="int64"),)

    def read(self, heard: Heard) -> dict[str, Array]:
        found = heard.predictions
        if found is None or not found.count or found.confusion.ndim != 2 or not found.confusion.size:
            return {}
        return {"confusion": found.confusion}

    def scalars(self, heard: Heard) -> dict[str, float]:
        found = heard.predictions
        if found is None or not found.count:
            return {}
        numbers = {"loss": found.loss / found.count}
        if found.task.kind != "regression":
            numbers["accuracy"] = found.right / found.count
        return {name: value for name, value in numbers.items() if not np.isnan(value) or name == "loss"}
