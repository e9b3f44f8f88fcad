"""Inputs that are images, as pixels that can be shown."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


def images(inputs: Any, span: tuple[float, float] | None = None) -> Array | None:
    """(sample, row, column, red green blue) from 0 to 255; None where the inputs are no images.

    `span`: the values that are black and white; None: the least and the largest of these.
    """
    if (
        not hasattr(inputs, "ndim")
        or inputs.dtype.kind not in "fiub"
        or inputs.ndim not in (3, 4)
        or min(inputs.shape[1:]) < 1
    ):
        return None
    found = np.asarray(inputs)
    if found.ndim == 3:
        found = found[..., None]
    elif found.shape[1] in (1, 3) and found.shape[-1] not in (1, 3):
        found = np.moveaxis(found, 1, -1)
    if found.shape[-1] not in (1, 3) or min(found.shape[1:3]) < 4:
        return None
    low, high = (float(found.min()), float(found.max())) if span is None else span
    grey = np.clip((found - low) / ((high - low) or 1.0) * 255, 0, 255).astype(np.uint8)
    return np.repeat(grey, 3, -1) if grey.shape[-1] == 1 else grey
