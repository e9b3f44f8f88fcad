"""Which units make each class, epoch by epoch: attribution patching on some of the probe."""

from dataclasses import dataclass

import numpy as np

from nissl.core.belonging import jaccard, members, owners, specificity
from nissl.core.choosing import Size
from nissl.core.columns import neuron_columns
from nissl.core.layer import Layer
from nissl.core.quantity import Array, Context, Heard, Quantity
from nissl.core.store import ArraySpec, Column
from nissl.errors import BadValue

SHARE = 0.1
"""How large the structures are whose likeness from epoch to epoch is told."""


@dataclass(frozen=True)
class Structures(Quantity):
    """attribution (neuron, class): what a unit adds to the log-odds of a class, on average over the class's probe examples.

    owner: the number of the class that it adds most to, -1 where it adds to none; specificity: how far it is that class's
    own, 0 to 1. structure_jaccard: what classes' structures have in common with those of the last recorded epoch.
    Of the probe `examples` are asked, as many of each class and at least one; `batch` of them at once, all in one pass if that is no fewer.
    """

    examples: int = 300
    seed: int = 0
    batch: int = 300

    needs = "attribution"

    def __post_init__(self) -> None:
        for name in ("examples", "batch"):
            if not isinstance(getattr(self, name), int) or getattr(self, name) < 1:
                raise BadValue(f"{name}={getattr(self, name)!r}: a whole number of examples, from 1.")

    def declare(self, layer: Layer | None, context: Context) -> tuple[ArraySpec, ...]:
        if layer is None or not layer.units or layer.name not in context.followed or not context.classes:
            return ()
        k, names, first = len(context.classes), {"class": context.classes}, (Column("attribution", "first"),)
        table = ArraySpec("attribution", ("neuron", "class"), (layer.units, k), columns=first, labels=names)
        return (*neuron_columns((Column("owner", "first"), Column("specificity", "first")), layer.units), table)

    def read(self, heard: Heard) -> dict[str, Array]:
        table = heard.attribution
        if table is None:
            return {}
        return {"attribution": table, "owner": owners(table), "specificity": specificity(table)}

    def scalars(self, heard: Heard) -> dict[str, float]:
        if not heard.attributions or not heard.before:
            return {}
        now, before = (members(tables, Size(SHARE), "contrast") for tables in (heard.attributions, heard.before))
        known = jaccard(now, before)
        return {"structure_jaccard": float(np.nanmean(known))} if np.isfinite(known).any() else {}
