"""What the network said: loss, accuracy and confusion counts of the epoch, and every answer on the probe."""

from dataclasses import dataclass

import numpy as np

from nissl.core.layer import Layer
from nissl.core.quantity import Array, Context, Heard, Quantity
from nissl.core.store import ArraySpec, Column

ANSWERS = ("prediction", "label")
"""Of every example of the probe: the class that was answered, and its own, below 0 where it has none."""


@dataclass(frozen=True)
class Predictions(Quantity):
    """confusion (true class, predicted class), accuracy and loss: cross-entropy for classes, squared error for regression."""

    needs = "outputs"

    def declare(self, layer: Layer | None, context: Context) -> tuple[ArraySpec, ...]:
        k, names = len(context.classes), context.classes
        specs: tuple[ArraySpec, ...] = ()
        if k and context.task not in ("grouped", "tokens"):
            several = context.task == "multilabel"
            dims, shape = (("class", "true", "predicted"), (k, 2, 2)) if several else (("class", "predicted"), (k, k))
            labels = {"class": names} if several else {"class": names, "predicted": names}
            columns = (Column("confusion", "sum"),)
            specs = (ArraySpec("confusion", dims, shape, columns=columns, labels=labels, dtype="int64"),)
        if context.probing and context.task in ("multiclass", "binary"):
            for name in ANSWERS:
                columns = (Column(name, "first"),)
                specs += (ArraySpec(name, ("sample",), (context.probe,), columns=columns, dtype="int32"),)
        return specs

    def read(self, heard: Heard) -> dict[str, Array]:
        found = heard.predictions
        if found is None or not found.count:
            return {}
        arrays = {"confusion": found.confusion} if found.confusion.size else {}
        if heard.context.probing and found.truth:
            arrays |= dict(zip(ANSWERS, map(np.concatenate, (found.predicted, found.truth)), strict=True))
        return arrays

    def scalars(self, heard: Heard) -> dict[str, float]:
        found = heard.predictions
        if found is None or not found.count:
            return {}
        numbers = {"loss": found.loss / found.count}
        if found.task.kind != "regression":
            numbers["accuracy"] = found.right / found.count
        return numbers
