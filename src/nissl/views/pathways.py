"""The network with its class pathways stained."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from nissl.core import address
from nissl.core.marks import Mark
from nissl.core.view import Picture, TraceView
from nissl.errors import BadValue
from nissl.views._staining import legend, lettering
from nissl.views._staining.dye import Dye, dyed
from nissl.views._staining.paths import Bundle, absence, bundles, outputs
from nissl.views._staining.rack import Frame, Slide, glass, heading, ribbons, slide
from nissl.views._staining.responses import MIXED, choose, confusion, dyes, recalls

MOST_SLIDES, MOST_CLASSES = 8, 8


@dataclass(frozen=True)
class Pathways(TraceView):
    """Each layer a slide of cells: grey serves all classes alike, dye one of them; ribbons join what leads to it.

    `dye`: "causal" is what a unit adds to a class's log-odds, and wants a trace with the quantity "structures"; "contrast" is
    how active it is for the class, which is not proved to matter; None: causal where it can be had, else contrast. `classes` (names or numbers): those that are dyed; None: all, or of more than ten the eight that are most often
    taken for one another. `ribbons`: how many paths are drawn in all. `layers`: which; None: the last eight.
    """

    epoch: int | str | None = None
    classes: Sequence[str | int] | None = None
    ribbons: int = 900
    layers: Sequence[str] | None = None
    dye: Literal["causal", "contrast"] | None = None

    def describe(self) -> Picture:
        epoch = self.moment(self.epoch)
        if isinstance(self.ribbons, bool) or self.ribbons < 0:
            raise BadValue(f"ribbons={self.ribbons!r}: how many paths to draw, a whole number from 0.")
        dye = dyed(self.trace, self.dye, epoch)
        every = dye.layers
        shown = self._shown(every)
        chosen = choose(self.trace, epoch, MOST_CLASSES) if self.classes is None else self.numbers(self.classes)
        if len(chosen) > 10:
            raise BadValue(f"classes names {len(chosen)} classes: there are dyes for 10 at a time.")
        joined = dye.members(chosen)
        found = bundles(self.trace, shown, epoch, chosen, self.ribbons, joined) if self.trace.classes else []
        slides = shown[:-1] if len(shown) > 1 and outputs(self.trace, shown[-1]) is not None else shown
        marks, kept = self._marks(dye, slides, chosen, found)
        caption = self._caption(dye, slides, shown, chosen, kept, found)
        few = f"Pathways of {lettering.listed(self.trace.classes[k] for k in chosen)}" if 0 < len(chosen) <= 3 else ""
        title = f"{few or 'Class pathways'} by {dye.name}, epoch {epoch}" if chosen else f"Activity, epoch {epoch}"
        return Picture(title, caption, 1600, 800, tuple(marks))

    def _shown(self, every: list[str]) -> list[str]:
        if self.layers is None:
            return every[-MOST_SLIDES - (outputs(self.trace, every[-1]) is not None) :]
        asked = {address.layer_name(name, self.trace.layers) for name in self.layers}
        return [name for name in every if name in asked]

    def _marks(
        self, dye: Dye, names: list[str], chosen: tuple[int, ...], found: list[Bundle]
    ) -> tuple[list[Mark], int]:
        room = (1180 if self.trace.classes else 1560) / len(names)
        marks: list[Mark] = []
        slides: dict[str, Slide] = {}
        inks = dyes(self.trace, chosen)
        for place, name in enumerate(names):
            frame = Frame(30 + room * place + room * 0.17, 95, room * 0.66, 590)
            slides[name] = slide(name, dye.stain(name, chosen), dye.order(name), inks, frame)
            by = "by activity" if dye.stands_in(name) else ""
            centre = frame.left + frame.width / 2
            marks += heading(self.trace.place(name), self.trace.units(name), centre, room - 12, 20, by)
        marks += [glass(one.tiles) for one in slides.values()]
        marks += [one.tiles for one in slides.values()]
        right = recalls(confusion(self.trace, dye.epoch), len(self.trace.classes))
        ports, signs = legend.ports(self.trace, chosen, inks, right)
        mixed: Literal["multiply", "over"] = "multiply" if len(chosen) <= MIXED else "over"
        drawn = ribbons(found, slides, ports, lambda b: chosen.index(b.class_number), inks, blend=mixed)
        marks += [drawn] if drawn else []
        marks += signs + legend.key(inks[0] if inks else None, dye.key(chosen), paths=drawn is not None, y=760)
        return marks, len(drawn.start) if drawn else 0

    def _caption(
        self, dye: Dye, slides: list[str], shown: list[str], chosen: tuple[int, ...], kept: int, found: list[Bundle]
    ) -> str:
        trace, said = self.trace, []
        if not trace.classes:
            said.append("No classes are recorded, so that nothing is dyed: grey is the mean activity")
        else:
            names = lettering.listed(trace.classes[k] for k in chosen)
            said.append(dye.said(slides, chosen))
            if len(chosen) > MIXED:
                said.append(f"A unit takes the dye of the class that it {dye.does} most")
            if len(chosen) < len(trace.classes):
                why = "" if self.classes is not None else ", those most often taken for one another"
                said.append(f"{len(chosen)} of {len(trace.classes)} classes dyed{why}: {names}")
        if kept:
            said.append(
                f"Ribbons are the strongest paths{dye.between}, by activation x weight x gradient of the network linearised at the "
                f"class's mean: {lettering.counted(kept, sum(b.total for b in found), 'path')}"
            )
        else:
            said.append(absence(found, self.ribbons))
        units = sum(trace.units(name) for name in slides)
        cells = "" if all(trace.units(n) <= 10_000 for n in slides) else ", several to a cell in the largest layers"
        ends = ", the last one as the classes at the right" if len(shown) > len(slides) else ""
        every = len(dye.layers)
        said.append(
            f"{lettering.counted(len(shown), every, 'layer')} with {lettering.plural(units, 'unit')}{cells}{ends}"
        )
        return lettering.sentences(said)
