"""Where t-SNE begins."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nissl.core.layout import plane

Array = NDArray[Any]


def scaled(features: Array) -> Array:
    """The first two principal components, so small that nothing is decided yet."""
    two = plane(features)
    found: Array = 1e-4 * two / (two[:, 0].std() or 1.0)
    return found


def native(start: Array) -> Array:
    """Places to go on from; those in the unit square, as maps have them, at t-SNE's own scale."""
    centred = start - start.mean(0)
    found: Array = 30 * centred if np.ptp(start, axis=0).max(initial=0) <= 1 + 1e-9 else centred
    return found
