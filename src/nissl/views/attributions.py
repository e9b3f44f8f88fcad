"""What an output owes to each part of its input: a row an example, a column a method, a panel or a unit."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nissl.core.attribution import Attribution
from nissl.core.marks import Lines, Mark, Photos, Text
from nissl.core.palette import FAINT, INK, MUTED, PAPER, rgb
from nissl.core.view import Picture, View
from nissl.errors import BadValue, listing
from nissl.views._attributing.pixels import coloured, pictured
from nissl.views._plots.scale import scale
from nissl.views._staining.lettering import counted, fitted, sentences

Array = NDArray[Any]
WIDTH, LEFT, HEAD, LINE = 1600.0, 130.0, 28.0, 20.0
LARGEST, SMALLEST, GAP, HIGH = 150.0, 74.0, 12, 1000.0


@dataclass(frozen=True, eq=False)
class Attributions(View):
    """`found`: attributions, or plain arrays, by the titles of their columns. `inputs`: the examples, shown first.

    `truth`: each example's label; `said`: the network's answer; `classes`: their names. `most`: how many examples are shown.
    """

    found: Mapping[str, Any]
    inputs: Any = None
    truth: Sequence[int] | None = None
    said: Sequence[int] | None = None
    classes: Sequence[str] = ()
    most: int = 10
    title: str = ""

    def describe(self) -> Picture:
        if not self.found:
            raise BadValue("found is empty: give attributions by the titles of their columns.")
        columns = self._columns()
        count = min(len(pixels) for _, pixels, _ in columns)
        rows = min(count, self.most)
        shape = columns[0][1].shape[1:3]
        side = float(np.clip((WIDTH - LEFT) // len(columns) - GAP, SMALLEST, min(LARGEST, max(HIGH // rows, SMALLEST))))
        fits = max(2, int((WIDTH - LEFT) // (side + GAP)))
        drawn = columns[:fits]
        height = float(np.round(np.clip(side * shape[0] / shape[1], 22.0 * max(len(self._words(0)), 1), 1.6 * side)))
        marks, bottom = self._grid(drawn, rows, side, height)
        signed = any(sign for _, _, sign in drawn)
        marks += self._scales(bottom + 26, signed, any(sign is False for _, _, sign in drawn))
        caption = self._caption(
            rows, count, len(drawn) - int(self.inputs is not None), len(columns) - int(self.inputs is not None)
        )
        bands = 58 * (1 + int(signed and any(sign is False for _, _, sign in drawn)))
        wide = max(900.0, LEFT + len(drawn) * (side + GAP))
        return Picture(self._title(), caption, wide, bottom + 20 + bands, tuple(marks))

    def _columns(self) -> list[tuple[str, Array, bool | None]]:
        """Title, pixels and whether there are signs (None: the examples themselves)."""
        axis = next((one.axis for one in self.found.values() if isinstance(one, Attribution)), None)
        columns: list[tuple[str, Array, bool | None]] = []
        if self.inputs is not None:
            columns.append(("source", pictured(np.asarray(self.inputs), axis), None))
        for title, one in self.found.items():
            own = one.axis if isinstance(one, Attribution) else axis
            pixels, signed = coloured(np.asarray(one), own)
            columns.append((title, pixels, signed))
        sizes = {len(pixels) for _, pixels, _ in columns}
        if len(sizes) > 1:
            raise BadValue(f"The columns have {listing(sorted(sizes))} examples: give all of them the same.")
        return columns

    def _grid(
        self, columns: Sequence[tuple[str, Array, bool | None]], rows: int, side: float, height: float
    ) -> tuple[list[Mark], float]:
        """One photograph for each column, its examples one under another with paper between."""
        marks: list[Mark] = []
        step = height + GAP
        head = HEAD + LINE * max(len(_heading(title)) for title, _, _ in columns)
        for place, (title, pixels, _) in enumerate(columns):
            x = LEFT + place * (side + GAP)
            lines = _heading(title)
            for line, words in enumerate(lines):
                y = head - 16 - LINE * (len(lines) - 1 - line)
                marks.append(fitted(Text(x, y, words, 15, colour=INK, bold=True), side + 8))
            boxes = np.array([[x, head + row * step, side, height] for row in range(rows)])
            marks += [_stacked(boxes, pixels[:rows]), _framed(boxes)]
        for row in range(rows):
            said = self._words(row)
            y = head + row * step + height / 2 - 10 * (len(said) - 1)
            marks += [
                fitted(Text(0, y + 20 * line, words, 15, colour=colour), LEFT - 14)
                for line, (words, colour) in enumerate(said)
            ]
        return marks, head + rows * step

    def _words(self, row: int) -> list[tuple[str, str]]:
        truth = None if self.truth is None else self._name(self.truth[row])
        said = None if self.said is None else self._name(self.said[row])
        if truth is None and said is None:
            return [(f"example {row}", INK)]
        if truth is None or said is None:
            return [(f"is {truth}" if said is None else f"said {said}", INK)]
        return [(f"is {truth}", INK), (f"said {said}" if said != truth else "said so", INK if said != truth else MUTED)]

    def _name(self, number: int) -> str:
        return str(self.classes[int(number)]) if int(number) < len(self.classes) else str(int(number))

    def _scales(self, y: float, signed: bool, plain: bool) -> list[Mark]:
        marks: list[Mark] = []
        if signed:
            marks += scale(
                LEFT + 12,
                y,
                260,
                "change",
                (-1.0, 0.0, 1.0),
                "speaks against the target, and for it; 1: the panel's own largest",
            )
            y += 58
        if plain:
            marks += scale(
                LEFT + 12, y, 260, "ink", (0.0, 1.0), "columns without a sign: how much; 1: the panel's own largest"
            )
        return marks

    def _title(self) -> str:
        if self.title:
            return self.title
        told = list(dict.fromkeys(one.target for one in self.found.values() if isinstance(one, Attribution)))
        return f"Attribution: {listing(told)}" if told else "Attribution"

    def _caption(self, rows: int, count: int, shown: int, there: int) -> str:
        said = [counted(rows, count, "example"), counted(shown, there, "column")]
        known = [one for one in self.found.values() if isinstance(one, Attribution)]
        methods = list(dict.fromkeys(one.by for one in known))
        if methods:
            said.append(f"by {listing(methods, 6)}")
        gaps = [one for one in known if one.gap is not None and one.scores is not None]
        if gaps:
            worst = max(float(np.abs(one.gap).max()) for one in gaps if one.gap is not None)
            said.append(f"sums of complete methods miss the score by at most {worst:.2g}")
        notes = list(dict.fromkeys(note for one in known for note in one.notes))
        said += [f"activations {note}" if note.startswith(("by the rule", "as they")) else note for note in notes]
        return sentences(
            [
                *said,
                "values beyond the 99.5th percentile of a panel have its last colour; a blank panel is zero all over",
            ]
        )


def _heading(title: str) -> list[str]:
    """In one line, or in two of about the same length."""
    words = title.replace("_", " ").split()
    if len(words) < 2 or len(title) <= 8:
        return [" ".join(words)]
    cut = min(range(1, len(words)), key=lambda k: max(len(" ".join(words[:k])), len(" ".join(words[k:]))))
    return [" ".join(words[:cut]), " ".join(words[cut:])]


def _stacked(boxes: Array, pixels: Array) -> Photos:
    """Pictures one under another as one, with paper between, to the pixel; drawn at once, however many they are."""
    left, top, width, height = boxes[0]
    down, across = (
        np.arange(int(room)) * size // int(room) for room, size in zip((height, width), pixels.shape[1:3], strict=True)
    )
    sheet = np.empty((len(pixels), len(down) + GAP, len(across), 3), np.uint8)
    sheet[:, len(down) :] = np.round(255 * rgb(PAPER)).astype(np.uint8)
    sheet[:, : len(down)] = pixels.take(across, 2).take(down, 1)  # few rows are widened, and whole ones repeated
    whole = sheet.reshape(-1, len(across), 3)[:-GAP]
    step = height + GAP
    box = np.array([[left, top, width, (len(boxes) - 1) * step + height]])
    return Photos(box, whole[None], (PAPER,))


def _framed(boxes: Array) -> Lines:
    """A thin frame around each, all of them one line with gaps."""
    x, y, wide, high = boxes.T
    corners = np.stack([(x, y), (x + wide, y), (x + wide, y + high), (x, y + high), (x, y), (np.nan * x, y)], 1)
    return Lines(corners.transpose(2, 1, 0).reshape(-1, 2), FAINT)
