"""The paper: its size, the title above the picture and the caption below."""

from functools import lru_cache
from typing import Any

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import TextToPath

from nissl.core.palette import INK, MUTED, PAPER
from nissl.core.view import Picture

POINTS = 0.72
"""One unit of a picture in points, at 100 units an inch."""
MARGIN, TITLE, CAPTION = 28.0, 28.0, 17.0
LEADING = 1.5
ON_TOP = 10_000
"""Words lie above all else, so that nothing hides them."""


def empty(left: float, right: float, top: float, bottom: float, dpi: float, paper: str) -> Any:
    """Axes that fill a figure and have a picture's coordinates."""
    figure = Figure(figsize=((right - left) / 100, (bottom - top) / 100), dpi=dpi, facecolor=paper)
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    axes.set(xlim=(left, right), ylim=(bottom, top), autoscale_on=False)
    return axes


def blank(picture: Picture, dpi: float) -> Any:
    """The sheet for a picture, title and caption on it."""
    room = 0.99 * picture.width  # hinted letters are a little wider than drawn ones
    called = wrapped(picture.title, room, TITLE, bold=True)
    told = wrapped(picture.caption, room, CAPTION)
    top = -2 * MARGIN - LEADING * TITLE * len(called) + (LEADING - 1) * TITLE
    bottom = picture.height + MARGIN + LEADING * CAPTION * len(told) + MARGIN
    axes = empty(-MARGIN, picture.width + MARGIN, top, bottom, dpi, PAPER)
    write = {"parse_math": False, "va": "center", "zorder": ON_TOP}
    for number, line in enumerate(called):
        y = top + MARGIN + TITLE / 2 + LEADING * TITLE * number
        axes.text(0, y, line, size=TITLE * POINTS, weight="bold", color=INK, **write)
    for number, line in enumerate(told):
        y = picture.height + MARGIN + LEADING * CAPTION * (number + 0.5)
        axes.text(0, y, line, size=CAPTION * POINTS, color=MUTED, **write)
    return axes


def wrapped(words: str, room: float, size: float, *, bold: bool = False) -> list[str]:
    """Lines that are not wider than the room."""
    lines, wide, between = [""], 0.0, size * _wide("a b", bold) - size * _wide("ab", bold)
    for word in words.split():
        own = size * _wide(word, bold)
        longer = wide + between + own if lines[-1] else own
        if lines[-1] and longer > room:
            lines.append(word)
            wide = own
        else:
            lines[-1], wide = f"{lines[-1]} {word}".strip(), longer
    return lines


@lru_cache(4096)
def _wide(word: str, bold: bool) -> float:
    """How wide, in letters of size 1: most pictures say much the same."""
    font = FontProperties(family="DejaVu Sans", size=100, weight="bold" if bold else "normal")
    return float(TextToPath().get_text_width_height_descent(word, font, ismath=False)[0]) / 100
