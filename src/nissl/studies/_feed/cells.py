"""`cells/EPOCH.bin`: what each cell of each slide answers to each class, and adds to it; and who was taken for whom."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from nissl.studies._feed.packing import Array, finite, packed, steps
from nissl.studies._feed.part import Part, number
from nissl.studies._feed.slides import Glass
from nissl.views._staining.responses import NOTHING, confusion, recalls

MATRIX, CONFUSED, AMONG = 32, 12, 14
"""The most classes of a matrix; how many mistakes are named; of more classes, how many of the commonest mistakes have one."""


class Cells(Part):
    def names(self) -> Iterator[str]:
        return (f"{epoch}.bin" for epoch in self.trace.epochs)

    def file(self, rest: str) -> bytes:
        epoch = number(rest.removesuffix(".bin"))
        if epoch is None or not rest.endswith(".bin"):
            raise self.unknown(rest, "EPOCH.bin")
        stage = self.stage
        stage.there(epoch)
        arrays: dict[str, Array] = {}
        told = {}
        dyes = [dye for dye in ("causal", "contrast") if dye in stage.dyes(epoch)]
        for place, (name, glass) in enumerate(stage.slides.shown.items()):
            for which in dyes:
                if which == "causal" and not stage.slides.scored(name):
                    continue
                table, full = self._table(glass, which, epoch)
                arrays[f"{place}.{which}"], most = steps(table)
                told[f"{place}.{which}"] = {"most": most, "full": full}
        counts = confusion(self.trace, epoch)
        mistakes = _mistakes(counts)
        if counts is not None and counts.ndim == 2:
            whole = len(counts) <= MATRIX
            arrays["confusion" if whole else "confused"] = (
                counts if whole else counts[np.ix_(*2 * [mistakes["among"]])]
            ).astype(np.uint32)
        right = [finite(share) for share in recalls(counts, len(self.trace.classes))]
        return packed({"epoch": epoch, "tables": told, "right": right, **mistakes}, arrays)

    def _table(self, glass: Glass, dye: str, epoch: int) -> tuple[Array, float]:
        """(class, cell), and what counts as full; of large layers as it comes with their plates."""
        stage = self.stage
        if not glass.alone:
            return stage.plates.plate(glass, dye, epoch).table, stage.slides.full(glass.layer, dye)
        table, full = stage.dye(dye, epoch).table(glass.layer)
        if dye == "contrast":
            table = np.where(np.abs(table) < NOTHING * full, 0.0, table)
        return glass.table(table), full


def _mistakes(counts: Array | None) -> dict[str, Any]:
    """How many examples were judged, and the commonest mistakes: what they are, what was said, how often.

    Of many classes also those that take part in the commonest, who was taken for whom side by side, and how many examples each has.
    """
    if counts is None or counts.ndim != 2:
        return {"judged": 0, "mistakes": [], "wrong": 0, "kinds": 0, "among": [], "each": []}
    wrong = counts.copy()
    np.fill_diagonal(wrong, 0)
    first = np.argsort(-wrong, axis=None, kind="stable")[: max(CONFUSED, AMONG)]
    pairs = [(*divmod(int(place), len(counts)), int(wrong.flat[place])) for place in first if wrong.flat[place] > 0]
    among = list(dict.fromkeys(k for pair in pairs for k in pair[:2]))[:AMONG] if len(counts) > MATRIX else []
    return {
        "judged": int(counts.sum()),
        "mistakes": pairs[:CONFUSED],
        "wrong": int(wrong.sum()),
        "kinds": int((wrong > 0).sum()),
        "among": among,
        "each": counts[among].sum(1).tolist() if among else [],
    }
