"""Two classes' sets of units: what they share, and where they part."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from nissl.core.annotation import surplus
from nissl.core.marks import Bars, Mark, Text
from nissl.core.palette import COUNTERSTAIN, INK, MUTED, OVERLAP, STAIN10, hexadecimal, ramp
from nissl.core.traced import heard
from nissl.core.view import Picture, TraceView
from nissl.errors import BadValue, Unsupported
from nissl.views._staining import legend, lettering
from nissl.views._staining.paths import PORTS, Bundle, absence, bundles, outputs
from nissl.views._staining.rack import Frame, Slide, glass, heading, ribbons, slide
from nissl.views._staining.responses import Stain, active, closest, confusion, recalls, source

Flags = NDArray[np.bool_]
DYES = (STAIN10[0], OVERLAP, STAIN10[1])
"""First class only, both, second class only."""
NEITHER = 0.3
"""How grey a unit is that belongs to neither set."""
MOST_SLIDES = 8


@dataclass(frozen=True)
class Divergence(TraceView):
    """Every unit as one of the first class only, of both, of the second only, or of neither.

    A unit belongs to a class's set where its mean response to the class is above that of its layer's units on average.
    `pair`: two classes, by name or number; None: the two that are most often taken for one another.
    """

    epoch: int | str | None = None
    pair: Sequence[str | int] | None = None
    ribbons: int = 900

    def describe(self) -> Picture:
        epoch = self.moment(self.epoch)
        pair = self._pair(epoch)
        every = active(self.trace)
        ends = len(every) > 1 and outputs(self.trace, every[-1]) is not None
        shown = every[-MOST_SLIDES - ends :]
        sets = {name: self._set(name, epoch, pair) for name in shown[: len(shown) - ends]}
        found = bundles(self.trace, shown, epoch, pair, self.ribbons, sets)
        marks, kept = self._marks(epoch, pair, sets, found)
        first, second = (self.trace.classes[k] for k in pair)
        paths = lettering.counted(kept, sum(b.total for b in found), "path")
        drawn = f"Ribbons join units of one set, the strongest by activation x weight x gradient: {paths}"
        said = [
            (
                f"A unit is in a class's set where its mean response to the class (on {source(self.trace, list(sets))}) is above "
                "the mean over its layer's units"
            ),
            _told(np.concatenate(list(sets.values())), first, second),
            drawn if kept else absence(found, self.ribbons),
            f"{lettering.counted(len(shown), len(every), 'layer')}{', the last one as the classes at the right' if ends else ''}",
        ]
        title = f"What {first} and {second} share and where they part, epoch {epoch}"
        return Picture(title, lettering.sentences(said), 1600, 850, tuple(marks))

    def _pair(self, epoch: int) -> tuple[int, int]:
        if len(self.trace.classes) < 2:
            raise Unsupported(
                f"A divergence is between two classes, and this trace has {len(self.trace.classes)}. Record with labels, or "
                "with classes= and bins= where the targets are values."
            )
        if self.pair is None:
            return closest(self.trace, epoch)
        found = self.numbers(self.pair)
        if len(found) != 2:
            raise BadValue(f"pair={self.pair!r}: two different classes.")
        return found[0], found[1]

    def _set(self, layer: str, epoch: int, pair: tuple[int, int]) -> Flags:
        """(unit, which of the two); nobody belongs to a class that was not heard."""
        values = heard(self.trace, layer, "class_mean", [epoch])
        if values is None:
            return np.zeros((self.trace.units(layer), 2), bool)
        return np.asarray(surplus(values[0])[:, list(pair)] > 0)

    def _marks(
        self, epoch: int, pair: tuple[int, int], sets: dict[str, Flags], found: list[Bundle]
    ) -> tuple[list[Mark], int]:
        room = 1180 / len(sets)
        marks: list[Mark] = []
        slides: dict[str, Slide] = {}
        for place, (name, flags) in enumerate(sets.items()):
            frame = Frame(20 + room * (place + 0.17), 95, room * 0.66, 560)
            slides[name] = _slide(name, flags, frame)
            centre = frame.left + frame.width / 2
            marks += heading(self.trace.place(name), self.trace.units(name), centre, room - 12, 20)
            marks += _counts(flags, centre, min(room - 20, 230))
        marks += [glass(one.tiles) for one in slides.values()] + [one.tiles for one in slides.values()]
        right = recalls(confusion(self.trace, epoch), len(self.trace.classes))
        ports, signs = legend.ports(self.trace, pair, (DYES[0], DYES[2]), right, only=True)
        drawn = ribbons(found, slides, ports, lambda bundle: _dye(bundle, pair, sets), DYES, blend="over")
        marks += [drawn] if drawn else []
        return marks + signs + _key(*(self.trace.classes[k] for k in pair)), len(drawn.start) if drawn else 0


def _parts(flags: Flags) -> tuple[Flags, Flags, Flags]:
    """First only, both, second only."""
    first, second = flags.T
    return first & ~second, first & second, second & ~first


def _slide(name: str, flags: Flags, frame: Frame) -> Slide:
    """Units of the first class at the top, then of both, of the second, of neither."""
    parts = np.stack(_parts(flags), 1).astype(float)
    rank = np.where(parts.any(1), parts.argmax(1), 3)
    neither = np.where(rank == 3, NEITHER, 0.0)
    stain = Stain(neither, parts, np.zeros(len(flags), bool))
    return slide(name, stain, np.argsort(rank, kind="stable"), DYES, frame)


def _counts(flags: Flags, centre: float, room: float) -> list[Mark]:
    """How many units of the layer are in each part, as one bar."""
    counts = [int(part.sum()) for part in _parts(flags)]
    counts.append(len(flags) - sum(counts))
    edges = centre - room / 2 + room * np.cumsum([0, *counts]) / len(flags)
    boxes = np.array([[left, 684, right - left, 12] for left, right in pairwise(edges)])
    words = lettering.fitted(
        Text(centre, 716, " · ".join(f"{n:,}" for n in counts), 17, "center", False, INK), room + 16
    )
    return [Bars(boxes, _colours()), words]


def _dye(bundle: Bundle, pair: tuple[int, int], sets: dict[str, Flags]) -> NDArray[np.int64]:
    """Paths between units that belong to both classes are of the overlap."""
    shared = sets[bundle.source][bundle.start].all(1)
    if bundle.target != PORTS:
        shared = shared & sets[bundle.target][bundle.end].all(1)
    return np.where(shared, 1, 2 * pair.index(bundle.class_number))


def _told(flags: Flags, first: str, second: str) -> str:
    one, both, two = (int(part.sum()) for part in _parts(flags))
    return (
        f"With A0 for the set of {first} and A1 for that of {second}: A0 ∩ A1 has {both:,} of {len(flags):,} units, "
        f"A0 − A1 {one:,}, A1 − A0 {two:,}; {len(flags) - one - both - two:,} are in neither"
    )


def _key(first: str, second: str) -> list[Mark]:
    marks: list[Mark] = []
    x = 0.0
    for dye, words in zip(_colours(), (f"{first} only", "both", f"{second} only", "neither"), strict=True):
        marks.append(Bars(np.array([[x, 781, 18, 18]]), (dye,)))
        text = lettering.fitted(Text(x + 28, 790, words, 17, "left", False, INK), 260)
        marks.append(text)
        x += 28 + lettering.width(text.words, 17) + 34
    marks.append(Text(x, 790, "numbers under a slide: units, in this order", 16, colour=MUTED))
    return marks


def _colours() -> tuple[str, ...]:
    return (*DYES, hexadecimal(ramp(COUNTERSTAIN, NEITHER)))
