"""`thumbs/BLOCK.bin`: small pictures of the probe's examples, 256 a file; of tables and signals a row of values."""

from collections.abc import Iterator
from functools import cached_property
from typing import Any

import numpy as np

from nissl.core.pictures import images
from nissl.errors import MissingData, NisslError
from nissl.studies._feed.packing import Array, packed
from nissl.studies._feed.part import Part, number
from nissl.studies._feed.probed import HELD, worst

BLOCK, SIDE, WIDE = 256, 48, 256
"""Examples a file; the most pixels of a picture's side, and the most values of a row."""


class Thumbs(Part):
    def told(self) -> dict[str, Any] | None:
        probed = self.stage.probed
        if not probed.count:
            return {"absent": "Nothing was recorded of single examples."}
        if not probed.pictured:
            return {
                "absent": "The run does not say which data it was shown, so that its examples cannot be pictured: open it with the network "
                "and its data."
            }
        return {"count": probed.count, "block": BLOCK}

    def names(self) -> Iterator[str]:
        """All, or where that is much, those of the worst mistakes first."""
        if "absent" in (self.told() or {}):
            return
        try:
            each = self._pixels(0).nbytes
        except (NisslError, OSError):  # without pictures there is still a report
            return
        every = range(-(-self.stage.probed.count // BLOCK))
        probed = self.stage.probed
        first = [one // BLOCK for one in worst(probed, probed.answered[-1], probed.count)] if probed.answered else []
        kept = list(dict.fromkeys([*first, *every]))[: max(1, HELD // max(each, 1))]
        yield from (f"{block}.bin" for block in sorted(kept))

    def file(self, rest: str) -> bytes:
        block = number(rest.removesuffix(".bin"))
        if block is None or not rest.endswith(".bin") or block * BLOCK >= self.stage.probed.count:
            raise self.unknown(rest, f"BLOCK.bin, {BLOCK} examples a block")
        pixels = self._pixels(block)
        return packed(
            {"first": block * BLOCK, "row": self._span is None, "shape": list(pixels.shape[1:])}, {"pixels": pixels}
        )

    def _pixels(self, block: int) -> Array:
        """(example, row, column, one or three colours)."""
        some = self.stage.probed.inputs[block * BLOCK : (block + 1) * BLOCK]
        if self._span is None:
            return self._rows(some)
        found = images(some, self._span)
        assert found is not None
        return small(grey(found))

    @cached_property
    def _span(self) -> tuple[float, float] | None:
        """The values that are black and white on all pictures; None: the examples are no pictures."""
        inputs = self.stage.probed.inputs
        return (float(inputs.min()), float(inputs.max())) if images(inputs[:2]) is not None else None

    def _rows(self, some: Array) -> Array:
        """Each value between the least and the largest that its column has."""
        inputs = self.stage.probed.inputs
        if inputs.dtype.kind not in "fb" or inputs[0].size > WIDE:
            raise MissingData(f"Examples of shape {inputs.shape[1:]} are neither pictures nor short rows of numbers.")
        low, high = self._edges
        flat = some.reshape(len(some), -1).astype(np.float64)
        shares = np.divide(flat - low, high - low, out=np.full_like(flat, 0.5), where=high > low)
        found: Array = np.rint(255 * np.nan_to_num(shares).clip(0, 1)).astype(np.uint8)[:, None, :, None]
        return found

    @cached_property
    def _edges(self) -> tuple[Array, Array]:
        flat = self.stage.probed.inputs.reshape(self.stage.probed.count, -1)
        return flat.min(0).astype(np.float64), flat.max(0).astype(np.float64)


def grey(pixels: Array) -> Array:
    """One colour where all three are the same."""
    same = (pixels[..., 0] == pixels[..., 1]).all() and (pixels[..., 0] == pixels[..., 2]).all()
    return np.ascontiguousarray(pixels[..., :1]) if same else pixels


def small(pixels: Array, side: int = SIDE) -> Array:
    """At most so many pixels wide and high, each the mean of those that it stands for."""
    step = -(-max(pixels.shape[1:3]) // side)
    if step < 2:
        return pixels
    high, wide = (size // step * step for size in pixels.shape[1:3])
    cut = pixels[:, :high, :wide].reshape(len(pixels), high // step, step, wide // step, step, -1)
    found: Array = np.rint(cut.mean((2, 4))).astype(np.uint8)
    return found
