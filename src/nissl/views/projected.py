"""Samples as points, near those to which a layer answers alike; at one moment, or at several side by side."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nissl.core.marks import Mark, Text
from nissl.core.palette import COUNTERSTAIN, INK, MUTED, STAIN10
from nissl.core.pictures import images
from nissl.core.projection import Frame, Projection, Quality
from nissl.core.view import Picture, View
from nissl.views._plots.panel import chosen
from nissl.views._samples import photographs
from nissl.views._samples.field import Field
from nissl.views._samples.key import column, rows
from nissl.views._staining import lettering

Array = NDArray[Any]
WIDTH, SIDE, PANELS = 1600.0, 1000.0, 8
CELLS = 150
"""How many places across are asked what would be answered there."""


@dataclass(frozen=True, eq=False)
class Projected(View):
    """Points in the colours of their classes; who was taken for another has a ring in that one's. Behind them what would be answered there.

    `moments`: which, by name or epoch; None: the last where there is one, else up to 8 of them. `most`: points drawn in a panel.
    """

    projection: Projection
    moments: Sequence[Any] | None = None
    most: int = 4000
    photos: int = 20
    regions: bool = True

    def describe(self) -> Picture:
        every = self.projection.frames
        frames = [self.projection.frame(one) for one in self.moments] if self.moments is not None else _some(every)
        drawn = np.sort(
            np.random.default_rng(self.projection.seed).permutation(len(self.projection))[: self._most(len(frames))]
        )
        quality = self.projection.quality
        marks, height, agreed = (
            self._one(frames[0], drawn) if len(frames) == 1 else self._several(frames, drawn, quality)
        )
        samples = self.projection.samples
        where = f" as layer {samples.layer} sees them" if samples.layer else ""
        when = f", {frames[0].name}" if len(frames) == 1 and frames[0].name else ""
        return Picture(
            f"Samples{where}{when}", self._caption(frames, drawn, quality, agreed), WIDTH, height, tuple(marks)
        )

    def _most(self, panels: int) -> int:
        return self.most if panels == 1 else max(self.most // 3, 1)

    def _one(self, frame: Frame, drawn: Array) -> tuple[list[Mark], float, list[float]]:
        field = Field.over(0, 0, SIDE, [frame.positions])
        marks, agreed = self._panel(field, frame, drawn)
        pixels = images(self.projection.samples.inputs)
        if pixels is not None and self.photos and self.projection.labels is not None:
            marks += self._photographs(field, frame, drawn, pixels)
        return (
            marks + column(SIDE + 50, WIDTH - SIDE - 50, self.projection, frame, self._dyes, bool(agreed)),
            SIDE,
            agreed,
        )

    def _several(
        self, frames: Sequence[Frame], drawn: Array, quality: Quality
    ) -> tuple[list[Mark], float, list[float]]:
        across = min(4, len(frames))
        gap, top = 26.0, 40.0
        side = (WIDTH - gap * (across - 1)) / across
        marks: list[Mark] = []
        agreed: list[float] = []
        known = {id(frame): kept for frame, kept in zip(self.projection.frames, quality.frames, strict=True)}
        for number, frame in enumerate(frames):
            left, up = (side + gap) * (number % across), top + (side + top + 14) * (number // across)
            field = Field.over(left, up, side, [one.positions for one in frames])
            told = lettering.fitted(Text(left, up - 18, frame.name or "samples", 19, bold=True, colour=INK), side - 130)
            marks += [told, Text(left + side, up - 18, f"kept {known[id(frame)].kept:.2f}", 16, "right", colour=MUTED)]
            found, agrees = self._panel(field, frame, drawn)
            marks, agreed = marks + found, agreed + agrees
        bottom = top + (side + top + 14) * ((len(frames) - 1) // across) + side + 30
        keys, height = rows(bottom, WIDTH, self.projection, self._dyes, bool(agreed))
        return marks + keys, height, agreed

    def _panel(self, field: Field, frame: Frame, drawn: Array) -> tuple[list[Mark], list[float]]:
        marks: list[Mark] = []
        found = (
            self.projection.regions(frame.name, CELLS if field.side == SIDE else CELLS // 2, field.box)
            if self.regions
            else None
        )
        dyes = self._dyes
        if found is not None:
            marks += field.ground(found, dyes[:-1])
        labels, ring = self._colours(frame)
        marks.append(field.points(frame.positions[drawn], labels[drawn], ring[drawn], dyes))
        return marks + field.frame(), [found.agreement] if found is not None else []

    @property
    def _dyes(self) -> tuple[str, ...]:
        """Of the classes, and at the end of samples without one."""
        classes = len(self.projection.classes) or 1
        return (*STAIN10[: min(classes, len(STAIN10))], COUNTERSTAIN)

    def _colours(self, frame: Frame) -> tuple[Array, Array]:
        """Each sample's dye, and that around it."""
        count, dyes = len(self.projection), len(self._dyes) - 1
        labels, predicted = self.projection.labels, frame.moment.predicted
        none = np.full(count, -1)
        if labels is None:
            return (predicted % dyes if predicted is not None and self.projection.classes else none + 1 + dyes), none
        ring = np.where((predicted != labels) & (labels >= 0), predicted % dyes, -1) if predicted is not None else none
        return np.where(labels >= 0, labels % dyes, dyes), ring

    def _photographs(self, field: Field, frame: Frame, drawn: Array, pixels: Array) -> list[Mark]:
        labels = self.projection.labels
        assert labels is not None
        predicted = frame.moment.predicted
        which = photographs.chosen(
            frame.positions[drawn], labels[drawn], None if predicted is None else predicted[drawn], self.photos
        )
        colours = [self._dyes[labels[drawn][one] % (len(self._dyes) - 1)] for one in which]
        return photographs.placed(field, frame.positions[drawn], which, pixels[drawn], colours, 46.0)

    def _caption(self, frames: Sequence[Frame], drawn: Array, quality: Quality, agreed: list[float]) -> str:
        every = self.projection.frames
        said = [
            lettering.counted(len(drawn), len(self.projection), "sample")
            + (" in each panel" if len(frames) > 1 else "")
        ]
        if len(every) > 1:
            said.append(
                f"{lettering.counted(len(frames), len(every), 'moment')}, each begun from its neighbour, on the same axes"
            )
        said.append(f"Placed by {self.projection.how!r}, seed {self.projection.seed}")
        looked = quality.frames[0].looked_at
        of = "" if looked == len(self.projection) else f", from {looked:,} samples"
        said.append(f"How far to believe it{of}: {quality}")
        if agreed:
            said.append(
                f"The ground has the colour of what would be answered there; {100 * float(np.mean(agreed)):.0f} % of the samples lie on that "
                "of their own answer. Hatched: no sample is near, or neighbours here are none in truth"
            )
        return lettering.sentences(said)


def _some(frames: Sequence[Frame]) -> list[Frame]:
    return [frames[number] for number in chosen(range(len(frames)), PANELS)]
