"""What colours and shapes mean, beside one panel or below several."""

import numpy as np

from nissl.core.marks import Bars, Dots, Lines, Mark, Text
from nissl.core.palette import INK, MUTED, PAPER, absorb, hexadecimal, rgb
from nissl.core.projection import Frame, Projection
from nissl.views._samples.field import tints
from nissl.views._staining import lettering

NAMED, ROOMY = 24, 14
"""Classes that are named in a column, and up to how many with room between them."""


def column(
    left: float, room: float, shown: Projection, frame: Frame, dyes: tuple[str, ...], ground: bool
) -> list[Mark]:
    """Classes one below the other, each with how many samples it has and how many were recognised."""
    marks: list[Mark] = []
    y = 18.0
    classes, labels, predicted = shown.classes, shown.labels, frame.moment.predicted
    if classes and (labels is not None or predicted is not None):
        judged = labels is not None and predicted is not None
        head = "samples" if labels is not None else "answers"
        marks += [
            Text(left, y, "class", 20, bold=True, colour=INK),
            Text(left + 330, y, head, 16, "right", colour=MUTED),
        ]
        marks += [Text(left + 460, y, "recognised", 16, "right", colour=MUTED)] if judged else []
        who = labels if labels is not None else predicted
        assert who is not None
        step, colours = 38 if len(classes) <= ROOMY else 30, len(dyes) - 1
        for number, name in enumerate(classes[:NAMED]):
            y += step
            mine = who == number
            marks += _class(left, y, dyes[number % colours], name, 210)
            marks.append(Text(left + 330, y, f"{int(mine.sum()):,}", 18, "right", colour=INK))
            if judged and mine.any():
                share = float((predicted[mine] == number).mean())  # type: ignore[index]
                marks.append(Text(left + 460, y, f"{100 * share:.1f} %", 18, "right", colour=INK))
        if len(classes) > colours:
            more = f"{len(classes) - NAMED:,} more classes share these colours" if len(classes) > NAMED else ""
            y = _more(marks, left, y, more or f"{colours} colours, for {len(classes)} classes: they come again", room)
    if labels is not None and (labels < 0).any():
        y += 38
        marks += _class(left, y, dyes[-1], "without a class", 300)
    y += 60
    for sign in _signs(shown, ground):
        y = _sign(marks, left, y, sign, room, dyes)
    return marks


def rows(top: float, width: float, shown: Projection, dyes: tuple[str, ...], ground: bool) -> tuple[list[Mark], float]:
    """Classes in lines, then the signs; and where they end."""
    marks: list[Mark] = []
    x, y = 0.0, top
    for number, name in enumerate(shown.classes[: len(dyes) - 1]):
        shown_name = lettering.fitted(Text(0, 0, name, 18), 190).words
        needed = 30 + lettering.width(shown_name, 18) + 30
        if x and x + needed > width:
            x, y = 0.0, y + 36
        marks += _class(x, y, dyes[number], name, 190)
        x += needed
    if len(shown.classes) > len(dyes) - 1:
        more = f"{len(shown.classes) - len(dyes) + 1:,} more classes share these colours"
        y = _more(marks, 0.0, y, more, width)
    y += 42 if shown.classes else 0
    x = 0.0
    for kind, words in _signs(shown, ground):
        needed = 30 + lettering.width(words, 16) + 36
        if x and x + needed > width:
            x, y = 0.0, y + 36
        marks += _drawn(kind, x, y, dyes)
        marks.append(Text(x + 30, y, words, 16, colour=MUTED))
        x += needed
    return marks, y + 24


def _class(x: float, y: float, dye: str, name: str, room: float) -> list[Mark]:
    return [
        Bars(np.array([[x, y - 10, 20, 20]]), (dye,), 5),
        lettering.fitted(Text(x + 30, y, clean(name), 18, colour=INK), room),
    ]


def _more(marks: list[Mark], left: float, y: float, words: str, room: float) -> float:
    marks.append(lettering.fitted(Text(left, y + 36, words, 16, colour=MUTED), room))
    return y + 36


def _signs(shown: Projection, ground: bool) -> list[tuple[str, str]]:
    found = [("dot", "a sample, in the colour of its class" if shown.labels is not None else "a sample")]
    if shown.labels is not None and shown.predicted is not None:
        found.append(("eye", "taken for the class of the ring"))
    if ground:
        found += [("ground", "what would be answered there"), ("hatch", "not to be trusted")]
    return found


def _sign(marks: list[Mark], left: float, y: float, sign: tuple[str, str], room: float, dyes: tuple[str, ...]) -> float:
    kind, words = sign
    marks += _drawn(kind, left, y, dyes)
    marks.append(lettering.fitted(Text(left + 30, y, words, 17, colour=MUTED), room - 30))
    return y + 36


def _drawn(kind: str, x: float, y: float, dyes: tuple[str, ...]) -> list[Mark]:
    middle, zero = np.array([[x + 10, y]]), np.zeros(1, int)
    if kind in ("dot", "eye"):
        ring = np.array([min(1, len(dyes) - 1) if kind == "eye" else -1])
        return [Dots(middle, zero, ring, dyes, 10.0)]
    box = np.array([[x, y - 10, 20, 20]])
    if kind == "ground":
        return [Bars(box, (hexadecimal(absorb(rgb(PAPER), [tints(dyes)[0]], dyes[:1])),), 3)]
    lines = [[[x + a, y + 10], [x + min(a + 20, 20), y + 10 - min(20, 20 - a)], [np.nan, np.nan]] for a in (0, 7, 14)]
    lines += [[[x, y + 10 - a], [x + 20 - a, y - 10], [np.nan, np.nan]] for a in (7, 14)]
    return [Bars(box, (PAPER,), 3), Lines(np.array(lines).reshape(-1, 2), MUTED, 0.9)]


def clean(name: str) -> str:
    """On one line."""
    return " ".join(name.split()) or "·"
