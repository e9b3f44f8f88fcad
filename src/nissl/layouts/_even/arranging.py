"""Units into the cells of a shape: near one another where they are alike."""

import numpy as np

from nissl.core.layout import Array, Layout
from nissl.layouts._even.blocks import traded
from nissl.layouts._even.halves import filled
from nissl.layouts._even.shapes import Cells, middles
from nissl.layouts._even.sheet import learned

SETTLED = 2.0
"""How far around a cell looks, at first, where units lie in an order already."""


def arranged(features: Array, cells: Cells, embedding: Layout | None, start: Array | None, seed: int) -> Array:
    """(unit, x and y), a cell's side being one. From `start` units only move where the features say so."""
    if embedding is not None:
        points = embedding.place(features, start, seed)
    elif start is not None:
        points = start
    else:
        points = learned(features, cells)
    reach = SETTLED if start is not None and embedding is None else 4.0
    held = traded(features, cells, filled(points, cells), seed, reach)
    places = np.empty((len(cells), 2))
    places[held] = middles(cells)
    return places
