"""Which dye is which class, and how a stained picture is read."""

from collections.abc import Sequence

import numpy as np

from nissl.core.marks import Bars, Cells, Lines, Mark, Text, Tiles
from nissl.core.palette import COUNTERSTAIN, FAINT, INK, MUTED, absorb, hexadecimal
from nissl.core.trace import Trace
from nissl.views._staining.lettering import fitted, width
from nissl.views._staining.responses import GREY, Floats

Port = tuple[float, float, float]
LEFT, CHIP, TOP, HEIGHT = 1250.0, 34.0, 95.0, 590.0
MOST_PORTS = 12


def ports(
    trace: Trace, chosen: Sequence[int], dyes: tuple[str, ...], right: Floats, *, only: bool = False
) -> tuple[dict[int, Port], list[Mark]]:
    """A port for each class: dye, name and the share of its examples that was recognised; undyed classes are pale, or left out."""
    count = len(trace.classes)
    listed = list(range(count)) if count <= MOST_PORTS and not only else list(chosen)
    if not listed:
        return {}, []
    step = min(64.0, HEIGHT / len(listed))
    high = min(34.0, 0.68 * step)
    first = TOP + HEIGHT / 2 - step * (len(listed) - 1) / 2
    places: dict[int, Port] = {}
    room = min(142.0, max(width(trace.classes[number], 20, bold=True) for number in listed))
    marks: list[Mark] = [Text(LEFT, 20, "classes", 20, "left", True, INK)]
    if np.isfinite(right).any():
        marks.append(Text(LEFT, 45, "share recognised", 16, "left", False, MUTED))
    for place, number in enumerate(listed):
        y = first + step * place
        places[number] = (LEFT - 4, y, high)
        dye = dyes[list(chosen).index(number)] if number in chosen else None
        marks += _port(trace.classes[number], dye, right[number], y, high, room)
    if count > len(listed) and not only:
        marks.append(
            Text(LEFT, first + step * len(listed), f"{count - len(listed):,} more classes, grey", 16, colour=MUTED)
        )
    return places, marks


def _port(name: str, dye: str | None, right: float, y: float, high: float, room: float) -> list[Mark]:
    size = min(20.0, high * 0.8)
    ink = INK if dye else MUTED
    marks: list[Mark] = [
        Bars(np.array([[LEFT, y - high / 2, CHIP, high]]), (dye or FAINT,), 5),
        fitted(Text(LEFT + CHIP + 12, y, name, size, "left", dye is not None, ink), room),
    ]
    if np.isfinite(right):
        x = LEFT + CHIP + room + 26
        box = np.array([[x, y - 4, 76, 8], [x, y - 4, max(76 * right, 0.5), 8]])
        marks.append(Bars(box, ("#eceae3", dye or FAINT), 3))
        marks.append(Text(x + 86, y, f"{100 * right:.0f} %", min(18.0, size), "left", False, ink))
    return marks


def chips(names: Sequence[str], dyes: Sequence[str], y: float) -> list[Mark]:
    """Every dye with its class's name, on one line as far as it goes."""
    marks: list[Mark] = []
    x = 0.0
    room = 1600 / max(len(names), 1) - 50
    for name, dye in zip(names, dyes, strict=True):
        text = fitted(Text(x + 28, y, name, 16, colour=INK), room)
        marks += [Bars(np.array([[x, y - 9, 18, 18]]), (dye,), 3), text]
        x += 28 + width(text.words, 16) + 22
    return marks


ANSWERS = ("answers to all alike", "to this class above the others", "never answers")


def key(
    dye: str | None, words: tuple[str, str, str] = ANSWERS, *, silent: bool = True, paths: bool = False, y: float
) -> list[Mark]:
    """One line that says how cells (grey, dyed, blank: `words`) and ribbons are read."""
    marks: list[Mark] = []
    x = 0.0

    def say(words: str, room: float) -> None:
        nonlocal x
        marks.append(Text(x + room + 10, y, words, 16, colour=MUTED))
        x += room + 10 + width(words, 16) + 26

    grey = hexadecimal(absorb([1, 1, 1], [GREY], (COUNTERSTAIN,)))
    marks.append(Cells(x, y - 9, 54, 18, np.linspace(0, 1, 9)[None], grey))
    say(words[0] if dye else "mean activity", 54)
    if dye:
        marks.append(Cells(x, y - 9, 54, 18, np.linspace(0, 1, 9)[None], dye))
        say(words[1], 54)
    if silent:
        marks.append(_silent(x, y))
        say(words[2], 18)
    if paths:
        marks.append(Lines(np.array([[x, y], [x + 54, y]]), INK, 2.6))
        say("path that raises its class's output", 54)
        marks.append(Lines(np.array([[x, y], [x + 54, y]]), MUTED, 1.6, dashed=True))
        say("lowers it", 54)
    return marks


def _silent(x: float, y: float) -> Tiles:
    one, none = np.zeros(1, np.int64), np.zeros((1, 0))
    return Tiles(
        "", (x, y - 9), (18.0, 0.0), (0.0, 18.0), one, one, one, one + 1, np.zeros(1), none, (), np.ones(1, bool)
    )
