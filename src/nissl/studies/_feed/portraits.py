"""`portraits/LAYER.CELL.bin`: what one unit wants to see, drawn when it is asked for; of a cell of several units, of its first."""

import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np

from nissl.core.pictures import images
from nissl.core.portrait import portrait
from nissl.errors import MissingData, NisslWarning
from nissl.studies._feed.packing import finite, packed
from nissl.studies._feed.part import Part, number
from nissl.studies._feed.thumbs import grey

STEPS, REAL = 160, 500
"""How long it is drawn, and by how many real inputs it is guided."""


class Portraits(Part):
    def told(self) -> dict[str, Any] | None:
        if not self.stage.alive:
            return {"absent": "A portrait is drawn by the network, which is not at hand."}
        return (
            {"steps": STEPS}
            if self.stage.probed.count
            else {"absent": "No examples were recorded that could guide it."}
        )

    def names(self) -> Iterator[str]:
        """None: they are drawn on request."""
        return iter(())

    def file(self, rest: str) -> bytes:
        said = [number(word) for word in rest.removesuffix(".bin").split(".")]
        shown = list(self.stage.slides.shown.items())
        if not rest.endswith(".bin") or len(said) != 2 or said[0] is None or said[1] is None or said[0] >= len(shown):
            raise self.unknown(rest, "LAYER.CELL.bin, LAYER being a slide's number")
        layer, glass = shown[said[0]]
        if said[1] >= len(glass.first):
            raise self.unknown(rest, f"cells up to {len(glass.first) - 1} of {layer}")
        unit = int(glass.first[said[1]])
        inputs = self.stage.probed.inputs
        span = float(inputs.min()), float(inputs.max())
        with self.stage.moments.at(None) as net, warnings.catch_warnings():
            warnings.simplefilter("ignore", NisslWarning)
            made = portrait(net.model, [unit], of=layer, data=inputs[:REAL], steps=STEPS, progress=False)
        pixels = images(np.asarray(made.pictures), span)
        if pixels is None:
            raise MissingData(f"Inputs of shape {inputs.shape[1:]} are no pictures: there is no portrait to look at.")
        realism = None if made.realism is None else finite(made.realism[0])
        head = {"unit": unit, "score": finite(made.scores[0]), "metric": made.metric, "realism": realism}
        return packed({**head, "shape": list(grey(pixels)[0].shape)}, {"pixels": grey(pixels)[0]})
