"""Pictures in a picture; where a pixel of one falls on a pixel of the sheet, it is laid there and nothing is computed anew."""

from typing import Any

import numpy as np
from matplotlib.image import AxesImage
from matplotlib.transforms import Bbox

NEARLY = 1e-8


class Laid(AxesImage):
    """As `imshow` shows it."""

    def make_image(self, renderer: Any, magnification: float = 1.0, unsampled: bool = False) -> Any:
        pixels: Any = self.get_array()
        left, right, bottom, top = self.get_extent()
        box: Any = Bbox([[left, bottom], [right, top]]).transformed(self.get_transform()).extents
        x0, x1 = np.floor(box[[0, 2]] + (0.5, 0.5 + NEARLY))  # as matplotlib rounds
        y0, y1 = np.ceil(box[[1, 3]] - (0.5 + NEARLY, 0.5))
        around: Any = self.axes.figure.bbox.extents
        inside = x0 >= around[0] and y0 >= around[1] and x1 <= around[2] and y1 <= around[3]
        same = (y1 - y0, x1 - x0) == pixels.shape[:2] and pixels.dtype == np.uint8 and pixels.shape[2] == 3
        if unsampled or magnification != 1 or not (inside and same):
            return super().make_image(renderer, magnification, unsampled)
        return np.dstack([pixels, np.full(pixels.shape[:2], 255, np.uint8)])[::-1], x0, y0, None
