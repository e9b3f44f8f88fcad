"""Which units answer to which class: sets made of activity alone, which say nothing of what the output depends on."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nissl.core.structures import Structures
from nissl.core.traced import assembled, heard
from nissl.errors import NotHeard, listing

if TYPE_CHECKING:
    from nissl.core.trace import Trace

Array = NDArray[Any]


def surplus(means: Array) -> Array:
    """How far a unit's mean response to a class is above that of its layer's units on average; (unit, class), NaN stays NaN.

    This is the rule of a class's set: a unit belongs to it where its surplus is above zero.
    """
    known = np.isfinite(means)
    level = np.where(known, means, 0.0).sum(0) / np.maximum(known.sum(0), 1)
    return np.asarray(np.where(known, means, np.nan) - level)


def class_sets(trace: "Trace", epoch: Any, model: Any) -> Structures:
    """Each class's set, over all layers whose responses were recorded, but for the outputs: they are the classes themselves."""
    number = trace[epoch if epoch is not None else max(trace.epochs, default=0)].number
    means = {name: heard(trace, name, "class_mean", [number]) for name in trace.layers}
    tables = {name: surplus(mean[0]) for name, mean in means.items() if mean is not None}
    if not tables:
        raise NotHeard(
            f"No responses to classes were recorded at epoch {number}. Record with labels, or classes=, and the quantity "
            f"'profile'; there are: {listing(dict.fromkeys(n for layer in trace.layers for n in trace.names(layer)))}."
        )
    last, classes = list(tables)[-1], len(trace.classes)
    if len(tables) > 1 and trace.units(last) in {classes, 1 if classes == 2 else classes}:
        del tables[last]
    inside = {name: np.nan_to_num(table) > 0 for name, table in tables.items()}
    recipe = {"by": "class_sets", "causal": False, "rank": "surplus"}
    return assembled(trace, number, trace.classes, (tables, tables, inside), recipe, model)
