"""What each unit adds to each class, turned into depths of dye: grey where many share it, dye where it is one class's own."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from nissl.core.belonging import NOBODY, owners, shares, specificity
from nissl.views._staining.responses import Floats, Stain

BRIGHTEST = 99
"""The percentile, over a layer's units, of the most that each adds to any class, that counts as full."""

SHARED, FOREIGN = 0.9, 0.25
"""Depths of the counterstain."""


def full(table: Floats) -> float:
    """How much a unit of this layer adds at most, but for a few; 1 where none adds anything."""
    return float(np.percentile(shares(table).max(1), BRIGHTEST)) or 1.0


def stained(table: Floats, whole: float, chosen: Sequence[int], *, mixed: bool) -> Stain:
    """Depth is the root of the most that a unit adds to any class, so that little is seen too.

    Dyed is how far the unit is one class's own, for each chosen class by its part of the most (`mixed`: else the largest
    only); grey is what is shared, and pale what is the own of a class that isn't dyed.
    """
    positive, own = shares(table), np.sqrt(specificity(table))
    most = positive.max(1)
    depth = np.sqrt(np.minimum(most / whole, 1.0))
    part = np.divide(positive[:, list(chosen)].T, most, out=np.zeros((len(chosen), len(table))), where=most > 0).T
    part *= own[:, None]
    if not mixed and len(chosen):
        part = np.where(np.arange(len(chosen)) == part.argmax(1)[:, None], part, 0.0)
    grey = depth * (SHARED * (1 - own) + FOREIGN * (own - part.max(1, initial=0.0)))
    return Stain(grey, 1.3 * depth[:, None] * part, owners(table) == NOBODY)


def by_owner(table: Floats) -> NDArray[np.int64]:
    """Units by the class that each adds most to, the most specific first; those that add to none last."""
    owner = owners(table)
    return np.lexsort((-specificity(table), np.where(owner == NOBODY, table.shape[1], owner)))
