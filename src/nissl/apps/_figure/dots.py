"""Points and small pictures."""

from typing import Any

import numpy as np
from matplotlib.collections import EllipseCollection
from matplotlib.patches import Rectangle

from nissl.apps._figure.pixels import Laid
from nissl.apps._figure.sheet import POINTS
from nissl.core.marks import Dots, Photos
from nissl.core.palette import PAPER, rgb

EYE, WHITE = 2.1, 1.45
"""How much wider than a point its ring is, and the paper within the ring."""


def dots(axes: Any, mark: Dots, level: int) -> None:
    """Plain ones first, so that eyes lie on top."""
    light = np.array([rgb(dye) for dye in mark.dyes])
    eye = mark.ring >= 0
    _discs(axes, mark.points[~eye], mark.size, light[mark.dye[~eye]], mark.alpha, level)
    for size, colours in ((EYE, light[mark.ring[eye]]), (WHITE, rgb(PAPER)), (1.0, light[mark.dye[eye]])):
        _discs(axes, mark.points[eye], size * mark.size, colours, 1.0, level)


def _discs(axes: Any, points: Any, size: float, colours: Any, alpha: float, level: int) -> None:
    if len(points):
        sizes = np.full(len(points), size)
        axes.add_collection(
            EllipseCollection(
                sizes, sizes, np.zeros(len(points)), units="xy", offsets=points, transOffset=axes.transData, facecolors=colours,
                edgecolors=0.72 * np.asarray(colours), linewidths=0.6 * POINTS, alpha=alpha, zorder=level,
            )
        )  # fmt: skip


def photos(axes: Any, mark: Photos, level: int) -> None:
    for (x, y, width, height), pixels, colour in zip(mark.boxes, mark.pixels, mark.colours, strict=True):
        box = (x, x + width, y + height, y)
        image = Laid(axes, extent=box, interpolation="nearest", zorder=level)
        image.set_data(pixels)
        axes.add_image(image)
        axes.add_patch(
            Rectangle((x, y), width, height, fill=False, edgecolor=colour, linewidth=2.2 * POINTS, zorder=level)
        )
