"""Lines, fields of colour, bars and words."""

from typing import Any

from matplotlib.patches import FancyBboxPatch, Rectangle

from nissl.apps._figure.sheet import ON_TOP, POINTS
from nissl.core.marks import Bars, Cells, Lines, Text
from nissl.core.palette import ramp


def lines(axes: Any, mark: Lines, level: int) -> None:
    width = mark.width * POINTS
    if len(mark.points) == 1:
        axes.plot(*mark.points.T, "o", color=mark.colour, markersize=3.2 * width, markeredgewidth=0, zorder=level)
        return
    style: Any = (0, (4, 2.2)) if mark.dashed else "solid"
    axes.plot(*mark.points.T, color=mark.colour, linewidth=width, linestyle=style, solid_capstyle="round", zorder=level)


def cells(axes: Any, mark: Cells, level: int) -> None:
    box = (mark.x, mark.x + mark.width, mark.y + mark.height, mark.y)
    between = "bicubic" if mark.smooth else "none"
    axes.imshow(ramp(mark.ramp, mark.shares), extent=box, interpolation=between, aspect="auto", zorder=level)


def bars(axes: Any, mark: Bars, level: int) -> None:
    for (x, y, width, height), colour in zip(mark.boxes, mark.colours, strict=True):
        look: Any = {"facecolor": colour, "edgecolor": "none", "zorder": level}
        round_by = min(mark.radius, width / 2, height / 2)
        if round_by > 0:
            shape: Any = FancyBboxPatch(
                (x + round_by, y + round_by), width - 2 * round_by, height - 2 * round_by,
                boxstyle=f"round,pad={round_by},rounding_size={round_by}", mutation_aspect=1, **look,
            )  # fmt: skip
        else:
            shape = Rectangle((x, y), width, height, **look)
        axes.add_patch(shape)


def text(axes: Any, mark: Text, _level: int) -> None:
    """Above everything, whatever its place in the list."""
    axes.text(
        mark.x, mark.y, mark.words, size=mark.size * POINTS, color=mark.colour, ha=mark.align,
        va="center" if mark.upright else "center_baseline", weight="bold" if mark.bold else "normal",
        rotation=90 if mark.upright else 0, parse_math=False, zorder=ON_TOP,
    )  # fmt: skip
