"""`beside/EPOCH.bin`: whom another run took for whom; `beside/twins.bin`: which units of the two answer to which, and what differs."""

from collections.abc import Iterator
from functools import cached_property
from typing import Any

import numpy as np

from nissl.core.change.twins import TABLE, Twins
from nissl.errors import NotHeard
from nissl.studies._feed.cells import MATRIX
from nissl.studies._feed.packing import finite, packed
from nissl.studies._feed.part import Part, number
from nissl.studies._twins.search import twins
from nissl.views._staining.responses import confusion

ROWS = 300
"""The most pairs of units of the file; what it leaves out is counted."""


class Beside(Part):
    def told(self) -> dict[str, Any] | None:
        if self.stage.beside is None:
            return None
        name, other = self.stage.beside
        scalars = {key: [finite(v) for v in found.values] for key, found in other.scalars.items()}
        same = other.classes == self.trace.classes
        return {"name": name, "epochs": other.epochs, "classes": list(other.classes), "same": same, "scalars": scalars}

    def names(self) -> Iterator[str]:
        if self.stage.beside is not None:
            yield from (f"{epoch}.bin" for epoch in self.stage.beside[1].epochs)
            yield "twins.bin"

    def file(self, rest: str) -> bytes:
        if self.stage.beside is None:
            raise self.unknown(rest, "none, as no other run was named: nissl view RUN --beside OTHER")
        name, other = self.stage.beside
        if rest == "twins.bin":
            return self._matched()
        epoch = number(rest.removesuffix(".bin"))
        if epoch is None or not rest.endswith(".bin"):
            raise self.unknown(rest, "EPOCH.bin and twins.bin")
        other[epoch]  # an error that names what there is
        counts = confusion(other, epoch)
        if counts is None or counts.ndim != 2 or len(counts) > MATRIX:
            raise NotHeard(
                f"{name} recorded no predictions at epoch {epoch} that a matrix of up to {MATRIX} classes shows."
            )
        return packed({"epoch": epoch, "judged": int(counts.sum())}, {"confusion": counts.astype(np.uint32)})

    @cached_property
    def _twins(self) -> Twins:
        assert self.stage.beside is not None
        return twins(self.trace, self.stage.beside[1])

    def _matched(self) -> bytes:
        found = self._twins
        rows = found.rows()
        units = [dict(zip(TABLE, row, strict=True)) for row in rows[:ROWS]]
        plain = [{k: finite(v) if isinstance(v, float) else v for k, v in row.items()} for row in units]
        return packed({"sentences": list(found.sentences), "units": plain, "every": len(rows)}, {})
