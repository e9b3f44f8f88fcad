"""`channels/LAYER.EXAMPLE.WHAT.bin`: what each channel of a layer makes of one example: its map at an epoch, or what in the example it owes it to."""

import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np

from nissl.core.attributing import attribute
from nissl.core.moments import heard
from nissl.errors import MissingData, NisslWarning
from nissl.studies._feed.packing import Array, packed, steps
from nissl.studies._feed.part import Part, number
from nissl.studies._feed.slides import Glass

NOW, GUIDED = "now", "guided"
MOST = 256
"""At most so many channels of a layer are shown."""


class Channels(Part):
    def told(self) -> dict[str, Any] | None:
        probed, slides = self.stage.probed, list(self.stage.slides.shown.values())
        spatial = [self.trace.place(glass.layer).unit == "channel" and glass.alone for glass in slides]
        recorded = [probed.epochs(glass.layer) if self._recorded(glass) else [] for glass in slides]
        if not any(spatial) or not probed.count:
            return {"absent": "No layer that is shown has channels that look at places."}
        if not any(recorded) and not self.stage.alive:
            return {
                "absent": "What each channel makes of an example needs the quantity samples, or the network at hand."
            }
        return {"layers": spatial, "recorded": recorded, "most": MOST}

    def _recorded(self, glass: Glass) -> bool:
        """Were whole maps kept, of a known shape?"""
        layer = glass.layer
        return (
            glass.alone
            and layer in self.stage.probed.layers
            and len(self.trace.spec(layer, "samples").shape) == 3
            and len(self.trace.place(layer).unit_shape) == 2
        )

    def names(self) -> Iterator[str]:
        """None: there is one for each example and layer."""
        return iter(())

    def file(self, rest: str) -> bytes:
        place, _, later = rest.removesuffix(".bin").partition(".")
        said, _, what = later.partition(".")
        layer, sample, epoch = number(place), number(said), number(what)
        shown, probed = list(self.stage.slides.shown.values()), self.stage.probed
        fits = rest.endswith(".bin") and layer is not None and layer < len(shown) and sample is not None
        if not fits or sample is None or sample >= probed.count or (epoch is None and what not in (NOW, GUIDED)):
            raise self.unknown(rest, "LAYER.EXAMPLE.EPOCH.bin, LAYER.EXAMPLE.now.bin and LAYER.EXAMPLE.guided.bin")
        glass = shown[layer or 0]
        maps = self._kept(glass, sample, epoch) if epoch is not None else self._asked(glass.layer, sample, what)
        if maps.ndim != 3:
            raise MissingData(
                f"The {self.trace.place(glass.layer).unit}s of {glass.layer} have no maps of two dimensions."
            )
        table, most = steps(np.nan_to_num(maps[:MOST]))
        head = {"what": what, "most": most, "every": len(maps), "shape": list(maps.shape[1:])}
        return packed(head, {"maps": table})

    def _kept(self, glass: Glass, sample: int, epoch: int) -> Array:
        """(channel, row, column), as it was recorded."""
        if not self._recorded(glass) or epoch not in self.stage.probed.epochs(glass.layer):
            raise MissingData(f"No maps of {glass.layer} were recorded at epoch {epoch}.")
        values = self.stage.probed.values(glass.layer, epoch, slice(sample, sample + 1))[0]
        return values.reshape(len(values), *self.trace.place(glass.layer).unit_shape)

    def _asked(self, layer: str, sample: int, what: str) -> Array:
        """Of the network at hand."""
        x = self.stage.probed.inputs[sample : sample + 1]
        with self.stage.moments.at(None) as net, warnings.catch_warnings():
            warnings.simplefilter("ignore", NisslWarning)
            if what == NOW:
                return np.moveaxis(heard(net, layer, [x])[0][0], -1, 0)
            found = attribute(net, x, by="guided_backprop", at=layer, unit="every")
        values = found.values[:, 0].astype(np.float64)
        return values.sum(1) if values.ndim == 4 else values
