"""The sealed form of an array: Zarr v3 shards, each written once, read chunk by chunk and checked.

Written and read here rather than through zarr so that sealing stays on one thread of low priority, a harmed chunk is
named, and neither recording nor reading has to load zarr. Any Zarr v3 reader opens what this writes.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import google_crc32c
import numpy as np
from numpy.typing import NDArray

from nissl.core.store import ArraySpec, absent
from nissl.errors import BadValue, DamagedTrace
from nissl.stores._format.place import Opened, Place

Array = NDArray[Any]
CHUNK = 256 << 10  # bytes of an inner chunk before compression: what reading one neuron costs
SHARD = 64 << 20  # bytes of a shard before compression: what the sealer holds in memory
LARGEST_CHUNK = (1 << 31) - 64  # what Blosc can pack
WIDEST = 32768  # units in a shard
EMPTY = (1 << 64) - 1
CODEC: dict[str, Any] = {"cname": "zstd", "clevel": 1, "blocksize": CHUNK}
SHUFFLES = (1, 2)  # bytes, bits: rounded values and integers like the second


@dataclass(frozen=True)
class Grid:
    """How an array (epoch, *dims) is cut: a chunk spans all epochs of a block and some units, a shard some chunks."""

    spec: ArraySpec
    block: int
    chunk: int
    shard: int

    @classmethod
    def of(cls, spec: ArraySpec, block: int) -> "Grid":
        """The cut that gives chunks of about CHUNK bytes and shards of at most SHARD."""
        units, each = _units(spec), block * max(_rest(spec), 1) * np.dtype(spec.dtype).itemsize
        chunk = min(1 << max(int(math.log2(max(CHUNK // each, 1))), 0), max(units, 1))
        most = max(1, min(SHARD // (each * chunk), WIDEST // chunk, math.ceil(units / chunk)))
        return cls(spec, block, chunk, chunk * most).bounded()

    def bounded(self) -> "Grid":
        """Itself; BadValue where a chunk would be more than can be packed at once, or has a hostile index."""
        size = math.prod(self.shape(self.chunk)) * self.dtype.itemsize
        if size > LARGEST_CHUNK or self.shard // self.chunk > WIDEST * self.block:
            raise BadValue(
                f"{self.spec.key}: {self.block} epochs of {self.chunk} units take {size} bytes, more than {LARGEST_CHUNK}: "
                "record fewer values a unit."
            )
        return self

    @cached_property
    def dtype(self) -> np.dtype[Any]:
        return np.dtype(self.spec.dtype).newbyteorder("<")

    @property
    def units(self) -> int:
        return _units(self.spec)

    def shape(self, units: int) -> tuple[int, ...]:
        """Of a block with so many units; an array without dimensions has only the epoch."""
        rest = tuple(max(n, 1) for n in self.spec.shape[1:])
        return (self.block, units, *rest) if self.spec.shape else (self.block,)

    def empty(self, epochs: int, units: int) -> Array:
        """An array to be filled."""
        return np.empty((epochs, units, *self.spec.shape[1:]) if self.spec.shape else (epochs,), self.dtype)

    def shards(self) -> range:
        return range(math.ceil(self.units / self.shard) if math.prod(self.spec.shape) else 0)

    def part(self, index: int) -> tuple[int, int]:
        """The units of one shard: first, and one past the last."""
        return index * self.shard, min((index + 1) * self.shard, self.units)

    def file(self, block: int, index: int) -> str:
        """Where a shard is: Zarr's default key of that chunk of the grid."""
        numbers = [block, index, *([0] * (len(self.spec.shape) - 1))] if self.spec.shape else [block]
        return "/".join((self.spec.key, "c", *map(str, numbers)))


def encode(grid: Grid, values: Array) -> list[bytes]:
    """The pieces of a shard that holds `values` (epoch, unit, ...), at most a block of epochs and a shard of units.

    Its bytes or its bits are shuffled, whichever packs the first chunk better: a Blosc frame says itself which it was.
    """
    codec = None
    pieces: list[bytes] = []
    table = np.full((grid.shard // grid.chunk, 2), EMPTY, "<u8")
    at = 0
    for number, first in enumerate(range(0, _width(grid, values), grid.chunk)):
        chunk = np.full(grid.shape(grid.chunk), absent(grid.spec), grid.dtype)
        part = values[:, first : first + grid.chunk] if grid.spec.shape else values
        chunk[tuple(slice(n) for n in part.shape)] = part
        turned = np.ascontiguousarray(chunk.T)
        codec = codec or min((_codec(grid, way) for way in SHUFFLES), key=lambda one: len(one.encode(turned)))
        data = codec.encode(turned)
        pieces.append(data + google_crc32c.value(data).to_bytes(4, "little"))
        table[number] = at, len(pieces[-1])
        at += len(pieces[-1])
    index = table.tobytes()
    return [*pieces, index, google_crc32c.value(index).to_bytes(4, "little")]


def decode(grid: Grid, place: Place, name: str, rows: Sequence[int], first: int, last: int) -> Array:
    """Some epochs of a block and the units `first` to `last`, counted within the shard; DamagedTrace if it was harmed."""
    result = grid.empty(len(rows), last - first)
    path = place.where(name)
    with place.open(name) as file:
        numbers = range(first // grid.chunk, math.ceil(last / grid.chunk))
        spans = [(int(begin), int(size)) for begin, size in _table(grid, file, path)[numbers.start : numbers.stop]]
        if any(sum(span) > file.identity[1] for span in spans):
            raise DamagedTrace(f"{path}: cut short.")
        turned = np.empty(grid.shape(grid.chunk)[::-1], grid.dtype)
        for number, data in zip(numbers, file.many(spans), strict=True):
            _unpack(grid, data, turned, path)
            chunk = turned.T
            origin = number * grid.chunk
            low, high = max(first, origin), min(last, origin + grid.chunk)
            if grid.spec.shape:
                result[:, low - first : high - first] = chunk[rows, low - origin : high - origin]
            else:
                result[:] = chunk[rows]
    return result


def _table(grid: Grid, file: Opened, path: str) -> Array:
    """The shard's index: where each chunk is."""
    size = grid.shard // grid.chunk * 16
    data = file.end(size + 4)
    if len(data) != size + 4 or google_crc32c.value(data[:-4]).to_bytes(4, "little") != data[-4:]:
        raise DamagedTrace(f"{path}: the shard's index is missing or harmed.")
    return np.frombuffer(data[:-4], "<u8").reshape(-1, 2)


def _unpack(grid: Grid, data: bytes, into: Array, path: str) -> None:
    """One chunk, last dimension first as it is packed."""
    sound = google_crc32c.value(data[:-4]).to_bytes(4, "little") == data[-4:] and len(data) >= 20
    lengths = int.from_bytes(data[4:8], "little"), int.from_bytes(data[12:16], "little")
    if not sound or lengths != (into.nbytes, len(data) - 4):
        raise DamagedTrace(f"{path}: a chunk's checksum differs.")
    try:
        _codec(grid).decode(data[:-4], into)
    except (RuntimeError, ValueError) as error:
        raise DamagedTrace(f"{path}: a chunk cannot be unpacked: {error}.") from None


def _codec(grid: Grid, shuffle: int = SHUFFLES[0]) -> Any:
    from numcodecs.blosc import Blosc

    return Blosc(**CODEC, shuffle=shuffle, typesize=grid.dtype.itemsize)


def _units(spec: ArraySpec) -> int:
    return spec.shape[0] if spec.shape else 1


def _rest(spec: ArraySpec) -> int:
    return math.prod(spec.shape[1:])


def _width(grid: Grid, values: Array) -> int:
    return values.shape[1] if grid.spec.shape else 1
