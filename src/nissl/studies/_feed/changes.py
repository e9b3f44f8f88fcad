"""`changes/found.bin`: what stays the same and what changes, when and where, as `nissl.changes` finds it."""

from collections.abc import Iterator
from functools import cached_property
from typing import Any

import numpy as np

from nissl.core.change.found import EVENTS, TABLE, Changes
from nissl.core.change.paths import SOURCES
from nissl.core.change.search import changes
from nissl.studies._feed.packing import Array, finite, packed
from nissl.studies._feed.part import Part

ROWS, TURNS = 300, 2000
"""The most units, and events, of the file; what it leaves out is counted."""
COUNTED = ("birth", "death", "saturation", "recovery", "preference")


class Changed(Part):
    def told(self) -> dict[str, Any]:
        trace = self.trace
        if any(name in SOURCES for layer in trace.layers for name in trace.names(layer)):
            return {}
        return {"absent": "no activity was recorded: record with the quantities 'activation' or 'profile'"}

    def names(self) -> Iterator[str]:
        if not self.told():
            yield "found.bin"

    def file(self, rest: str) -> bytes:
        if rest != "found.bin":
            raise self.unknown(rest, "found.bin")
        found = self._found
        rows, turned = found.rows(), found.turned()
        head = {
            "level": found.level, "lasting": found.lasting, "sentences": list(found.sentences),
            "layers": [{"name": n, "of": s.source, "untested": s.untested} for n, s in found.scans.items()],
            "units": [_plain(dict(zip(TABLE, row, strict=True))) for row in rows[:ROWS]], "every": len(rows),
            "events": [_plain(dict(zip(EVENTS, row, strict=True))) for row in turned[:TURNS]], "turned": len(turned),
            "wholes": [
                {"of": kind, "layer": name, "epoch": jump.epoch, "size": finite(jump.size)}
                for kind, jumps in found.wholes.items() for name, jump in jumps
            ],
        }  # fmt: skip
        return packed(head, self._arrays(found))

    @cached_property
    def _found(self) -> Changes:
        return changes(self.trace)

    def _arrays(self, found: Changes) -> dict[str, Array]:
        """(layer, epoch) of all epochs: drift since the one before, how many units jumped; (event, epoch) how many turned."""
        place = {epoch: number for number, epoch in enumerate(found.trace.epochs)}
        drift = np.full((len(found.scans), len(place)), np.nan, np.float32)
        jumped = np.zeros((len(found.scans), len(place)), np.uint32)
        for row, (name, scan) in enumerate(found.scans.items()):
            drift[row, [place[epoch] for epoch in scan.epochs]] = scan.previous
            for jump in found.moved[name]:
                jumped[row, place[jump.epoch]] += 1
        turned = np.zeros((len(COUNTED), len(place)), np.uint32)
        for epoch, event, *_ in found.turned():
            turned[COUNTED.index(event), place[epoch]] += 1
        return {"drift": drift, "jumped": jumped, "turned": turned}


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    return {name: finite(value) if isinstance(value, float) else value for name, value in row.items()}
