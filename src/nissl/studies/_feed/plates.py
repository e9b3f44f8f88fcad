"""`plates/PLACE.bin`, `plates/PLACE.EPOCH.DYE.bin`: of a layer with more units than cells, in which order all its units lie, and what each shows."""

from collections.abc import Iterator

import numpy as np

from nissl.studies._feed.packing import packed
from nissl.studies._feed.part import Part, number
from nissl.studies._feed.plate import DEEPEST, GREYEST
from nissl.studies._feed.slides import Glass

FORM = "PLACE.bin and PLACE.EPOCH.DYE.bin, PLACE being the number of a slide with more units than cells"
QUICK = 1
"""As little packing as there is: what is served to the same machine is soon there, and a million units are to be packed while one waits."""


class EveryUnit(Part):
    """A report or a folder holds none: a million units take a megabyte and more at every epoch."""

    def names(self) -> Iterator[str]:
        return iter(())

    def file(self, rest: str) -> bytes:
        words = rest.removesuffix(".bin").split(".")
        glass = self._glass(words[0])
        if glass is None or not rest.endswith(".bin") or len(words) not in (1, 3):
            raise self.unknown(rest, FORM)
        if len(words) == 1:
            return packed({"layer": glass.layer}, {"order": glass.order.astype(np.uint32)}, QUICK)
        epoch, dye = number(words[1]), words[2]
        if epoch is None or dye not in ("causal", "contrast"):
            raise self.unknown(rest, FORM)
        self.stage.there(epoch)
        if dye not in self.stage.dyes(epoch) or (dye == "causal" and not self.stage.slides.scored(glass.layer)):
            raise self.unknown(rest, "those of the dyes that this layer has at this epoch")
        plate = self.stage.plates.plate(glass, dye, epoch)
        small = plate.owner.astype(np.uint8) if len(self.trace.classes) < 256 else plate.owner
        said = {"layer": glass.layer, "epoch": epoch, "dye": dye, "deepest": DEEPEST, "greyest": GREYEST}
        return packed(said, {"owner": small, "depth": plate.depth, "grey": plate.grey}, QUICK)

    def _glass(self, word: str) -> Glass | None:
        place, shown = number(word), list(self.stage.slides.shown.values())
        return None if place is None or place >= len(shown) or shown[place].alone else shown[place]
