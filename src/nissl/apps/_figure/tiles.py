"""Slides of stained cells."""

from typing import Any

import numpy as np
from matplotlib.collections import PolyCollection
from numpy.typing import NDArray

from nissl.apps._figure.sheet import POINTS
from nissl.core.marks import Tiles
from nissl.core.palette import COUNTERSTAIN, MUTED, PAPER, absorb, rgb


def tiles(axes: Any, mark: Tiles, level: int) -> None:
    """Each cell as a parallelogram; where cells touch, an edge of their own colour closes the seam."""
    if not len(mark.row):
        return
    steps = np.array([mark.across, mark.down], float)
    half = (1 - mark.gap) / 2
    corners = half * np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)]) @ steps
    centres = mark.centres()
    depths = np.concatenate([mark.grey[:, None], mark.depth], 1)
    colours = np.clip(absorb(rgb(PAPER), depths, (COUNTERSTAIN, *mark.dyes)), 0, 1)
    if mark.gap == 0 and mark.across[1] == 0 and mark.down[0] == 0:
        _field(axes, mark, colours, level)
    else:
        _cells(axes, mark, centres[:, None] + corners, colours, level)
    quiet = centres[mark.silent]
    if len(quiet):
        dot = float(np.clip(0.16 * np.linalg.norm(steps, axis=1).min(), 0.8, 4.0))
        axes.plot(
            *quiet.T, "o", color=MUTED, markersize=dot * POINTS, markeredgewidth=0, linestyle="none", zorder=level
        )


def _cells(axes: Any, mark: Tiles, corners: NDArray[Any], colours: NDArray[Any], level: int) -> None:
    seam = 0.0 if mark.gap else 0.4
    axes.add_collection(
        PolyCollection(list(corners), facecolors=colours, edgecolors=colours, linewidths=seam, zorder=level)
    )


def _field(axes: Any, mark: Tiles, colours: NDArray[Any], level: int) -> None:
    """An upright slide without gaps, as an image: quick for many cells."""
    rows, columns = int(mark.row.max()) + 1, int(mark.column.max()) + 1
    picture = np.zeros((rows, columns, 4))
    picture[mark.row, mark.column] = np.concatenate([colours, np.ones((len(colours), 1))], 1)
    (left, top), width, height = mark.origin, mark.across[0] * columns, mark.down[1] * rows
    axes.imshow(
        picture, extent=(left, left + width, top + height, top), interpolation="nearest", aspect="auto", zorder=level
    )
