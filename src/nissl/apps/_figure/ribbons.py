"""Ribbons: each dye absorbs what light the picture underneath gives, as stains do in a slide."""

from typing import Any

import numpy as np
from matplotlib.collections import LineCollection
from numpy.typing import NDArray

from nissl.apps._figure.sheet import POINTS, empty
from nissl.core.marks import Ribbons
from nissl.core.palette import absorb, rgb

DEEPEST = 1.2
"""However many ribbons cross, no dye is deeper than this: many ribbons are dark, not black."""


def ribbons(axes: Any, mark: Ribbons, level: int) -> None:
    """Multiplied into what is there already, or laid over it."""
    curves = _curves(mark.start, mark.end)
    if mark.blend == "over":
        light = np.array([rgb(dye) for dye in mark.dyes])[mark.dye]
        axes.add_collection(_strokes(curves, mark, np.concatenate([light, mark.alpha[:, None]], 1), level))
        return
    figure = axes.figure
    under = _seen(figure)
    depths = [_depth(axes, curves, mark, mark.dye == dye) for dye in range(len(mark.dyes))]
    mixed = np.clip(absorb(under, np.stack(depths, -1), mark.dyes), 0, 1)
    (left, right), (bottom, top) = axes.get_xlim(), axes.get_ylim()
    for artist in [*axes.collections, *axes.lines, *axes.patches, *axes.images]:
        artist.remove()
    picture = np.round(mixed * 255).astype(np.uint8)
    axes.imshow(picture, extent=(left, right, bottom, top), interpolation="none", aspect="auto", zorder=level)


def _curves(start: NDArray[Any], end: NDArray[Any], points: int = 28) -> NDArray[Any]:
    """(ribbon, point, x and y): cubic Bézier curves that leave and arrive level."""
    t = np.linspace(0, 1, points)[None, :, None]
    bend = np.zeros((len(start), 1, 2))
    bend[:, 0, 0] = 0.55 * (end - start)[:, 0]
    p, q = start[:, None], end[:, None]
    curves: NDArray[Any] = (
        (1 - t) ** 3 * p + 3 * (1 - t) ** 2 * t * (p + bend) + 3 * (1 - t) * t**2 * (q - bend) + t**3 * q
    )
    return curves


def _strokes(
    curves: NDArray[Any], mark: Ribbons, colours: NDArray[Any], level: int, which: Any = slice(None)
) -> LineCollection:
    dashes: list[Any] = [(0, (4, 2.2)) if dashed else "solid" for dashed in mark.dashed[which]]
    return LineCollection(
        list(curves[which]), colors=colours[which], linewidths=mark.width[which] * POINTS, linestyles=dashes, zorder=level,
        snap=False,
    )  # fmt: skip


def _depth(axes: Any, curves: NDArray[Any], mark: Ribbons, which: NDArray[np.bool_]) -> NDArray[Any]:
    """How deep a dye lies at each pixel: what shines through black strokes one over the other is a product, as in a stain."""
    (left, right), (bottom, top) = axes.get_xlim(), axes.get_ylim()
    clear = empty(left, right, top, bottom, axes.figure.dpi, "#ffffff")
    black = np.zeros((len(curves), 4))
    black[:, 3] = mark.alpha
    clear.add_collection(_strokes(curves, mark, black, 0, which))
    through = _seen(clear.figure)[..., 0]
    depth: NDArray[Any] = DEEPEST * np.tanh(-np.log(np.maximum(through, 1 / 255)) / DEEPEST)
    return depth


def _seen(figure: Any) -> NDArray[Any]:
    """The figure's pixels now, 0 to 1; words are left for the top."""
    words = list(figure.axes[0].texts)
    for word in words:
        word.set_visible(False)
    figure.canvas.draw()
    pixels: NDArray[Any] = np.asarray(figure.canvas.buffer_rgba())[..., :3] / 255
    for word in words:
        word.set_visible(True)
    return pixels
