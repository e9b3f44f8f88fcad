"""`units/PLACE.bin`: of a layer that has more units than cells, the cell that shows each unit."""

from collections.abc import Iterator

import numpy as np

from nissl.studies._feed.packing import packed
from nissl.studies._feed.part import Part, number


class Units(Part):
    def names(self) -> Iterator[str]:
        for place, glass in enumerate(self.stage.slides.shown.values()):
            if not glass.alone:
                yield f"{place}.bin"

    def file(self, rest: str) -> bytes:
        place, shown = number(rest.removesuffix(".bin")), list(self.stage.slides.shown.values())
        if place is None or not rest.endswith(".bin") or place >= len(shown):
            raise self.unknown(rest, "PLACE.bin")
        return packed({"layer": shown[place].layer}, {"cell": shown[place].cell.astype(np.uint32)})
