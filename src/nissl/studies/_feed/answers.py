"""`answers/labels.bin`, `answers/EPOCH.bin`: what each of the probe's examples is, and what the network said of it, how surely."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from nissl.studies._feed.packing import Array, packed
from nissl.studies._feed.part import Part, number
from nissl.studies._feed.probed import latest

EACH = 4
"""Bytes of one example's answer."""


class Answers(Part):
    def told(self) -> dict[str, Any] | None:
        probed = self.stage.probed
        if not probed.count or not probed.answered:
            return {
                "absent": "What the network said of single examples was not recorded: record with a labelled probe=(x, y) and "
                "quantities=(..., 'predictions', 'samples')."
            }
        kept = latest(probed.answered, EACH * probed.count)
        return {"count": probed.count, "epochs": probed.answered, "kept": kept, "labelled": probed.labels is not None}

    def names(self) -> Iterator[str]:
        told = self.told() or {}
        if "absent" not in told:
            yield "labels.bin"
            yield from (f"{epoch}.bin" for epoch in told["kept"])

    def file(self, rest: str) -> bytes:
        probed = self.stage.probed
        if rest == "labels.bin":
            labels = probed.labels
            return packed({}, {} if labels is None else {"labels": labels.astype(np.int16)})
        epoch = number(rest.removesuffix(".bin"))
        if epoch is None or not rest.endswith(".bin") or epoch not in probed.answered:
            raise self.unknown(rest, "labels.bin, and EPOCH.bin of epochs at which answers were recorded")
        said = probed.said(epoch)
        arrays: dict[str, Array] = {"said": said.astype(np.int16)}
        chances = probed.chances(epoch)
        if chances is not None:
            rows = np.arange(len(said))
            arrays["sure"] = _bytes(chances[rows, said.clip(0, chances.shape[1] - 1)])
            if probed.labels is not None:
                arrays["own"] = _bytes(chances[rows, probed.labels.clip(0, chances.shape[1] - 1)])
        return packed({"epoch": epoch}, arrays)


def _bytes(chances: Array) -> Array:
    return np.rint(255 * chances.clip(0, 1)).astype(np.uint8)
