"""`run/layers.bin`: how each layer fares at each epoch; and, in the index, what recording has cost."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from nissl.core.change.turns import BOUNDED
from nissl.core.vitals import NEEDS, vitals
from nissl.studies._feed.packing import finite, packed
from nissl.studies._feed.part import Part


class Run(Part):
    def told(self) -> dict[str, Any]:
        return {"costs": self._costs()}

    def names(self) -> Iterator[str]:
        yield "layers.bin"

    def file(self, rest: str) -> bytes:
        if rest != "layers.bin":
            raise self.unknown(rest, "layers.bin")
        trace = self.trace
        found = vitals(trace)
        head = {
            "layers": trace.layers,
            "units": [trace.units(name) for name in trace.layers],
            "lacking": {name: quantity for name, quantity in NEEDS.items() if name not in found},
            "bounded": sum(trace.place(name).nonlinearity in BOUNDED for name in trace.layers),
        }
        return packed(head, {name: table.astype(np.float32) for name, table in found.items()})

    def _costs(self) -> dict[str, Any] | None:
        """What hearing took of a step, reading and writing of an epoch, all of it of the run; None until the recording ends."""
        held = self.trace.header.get("costs")
        if not held:
            return None
        scalars = self.trace.scalars
        steps, seconds = (
            float(np.nansum(scalars[name].values)) if name in scalars else 0.0 for name in ("steps", "seconds")
        )
        after = held["seconds_reading"] + held["seconds_writing"]
        spent = held["seconds_hearing"] + after
        told = {
            "bytes": held["bytes"],
            "epochs": held["epochs"],
            "spent": spent,
            "reading": held["seconds_reading"],
            "writing": held["seconds_writing"],
            "step": held["seconds_hearing"] / steps if steps else np.nan,
            "epoch": after / held["epochs"] if held["epochs"] else np.nan,
            "share": spent / (seconds + after) if seconds else np.nan,
        }
        return {name: finite(value) for name, value in told.items()}
