"""What one rank recorded of one epoch: an immutable safetensors file with a checksum for every array."""

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import google_crc32c
import numpy as np
from numpy.typing import NDArray

from nissl.core.store import ArraySpec
from nissl.errors import DamagedTrace
from nissl.stores._format.place import Opened, Place, parsed

Array = NDArray[Any]
LARGEST_HEADER = 100 << 20
PIECE = 4 << 20
HEAD = 64 << 10  # bytes read at once in the hope that they are the whole header
_CODES = {"float16": "F16", "float32": "F32", "float64": "F64", "bool": "BOOL"} | {
    f"{kind}{bits}": f"{kind[0].upper()}{bits}" for kind in ("int", "uint") for bits in (8, 16, 32, 64)
}


@dataclass(frozen=True)
class Tag:
    """Whose segment it is; kept inside, so that a file in the wrong place is found out."""

    run_id: str
    epoch: int
    rank: int
    world: int


def write(place: Place, tag: Tag, arrays: Mapping[str, Array], more: Mapping[str, str] | None = None) -> int:
    """Write a segment under its final name, whole; nothing of an array is copied on the way. `more`: for its metadata."""
    raw = {key: array.reshape(-1).view(np.uint8) for key, array in arrays.items()}
    sums = {key: google_crc32c.value(data) for key, data in raw.items()}
    said = {name: str(value) for name, value in asdict(tag).items()}
    header: dict[str, Any] = {"__metadata__": said | {"crc32c": json.dumps(sums)} | dict(more or {})}
    at = 0
    for key, array in arrays.items():
        header[key] = {"dtype": _CODES[array.dtype.name], "shape": array.shape, "data_offsets": [at, at + array.nbytes]}
        at += array.nbytes
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    pieces = [len(text).to_bytes(8, "little"), text, *(data.data for data in raw.values() if data.size)]
    return place.write(place.segment(tag.epoch, tag.rank), pieces, new=place.fenced and tag.rank == 0)


class Segment:
    """An open segment's header; its data are read from the file each time, checked the first time."""

    def __init__(self, place: Place, tag: Tag):
        self._place, self._name, self._tag = place, place.segment(tag.epoch, tag.rank), tag
        self.path = place.where(self._name)
        self._checked: set[str] = set()
        with place.open(self._name) as file:
            text = file.at(0, HEAD)
            self.identity, size = file.identity, file.identity[1]
            length = int.from_bytes(text[:8], "little")
            if not 2 <= length <= min(LARGEST_HEADER, size - 8):
                raise DamagedTrace(f"{self.path}: cut short, or no safetensors file.")
            text = text[8 : 8 + length] if 8 + length <= len(text) else file.at(8, length)
        self._header, self._start, self._size = parsed(self.path, text), 8 + length, size
        said = self._header.pop("__metadata__", None)
        self.said: dict[str, Any] = said if isinstance(said, dict) else {}
        self._sums = self._claims(self.said)

    def _claims(self, said: dict[str, Any]) -> dict[str, Any]:
        """The checksums, once the file has been found to be the one that it should be."""
        wanted = {name: str(value) for name, value in asdict(self._tag).items()}
        if {name: said.get(name) for name in wanted} != wanted:
            raise DamagedTrace(f"{self.path}: it says that it is {said}, and should be {wanted}.")
        return parsed(self.path, str(said.get("crc32c")).encode())

    @property
    def names(self) -> frozenset[str]:
        return frozenset(self._header)

    def read(self, spec: ArraySpec, first: int = 0, last: int | None = None) -> Array:
        """An array, or the part of it from `first` to `last` along its first dimension; DamagedTrace if it was harmed.

        In the declared type, or in float64 where it is one of several ranks' parts.
        """
        (begin, dtype), whole = self._where(spec), spec.shape
        last = whole[0] if last is None and whole else last
        shape = whole if not whole else (max((last or 0) - first, 0), *whole[1:])
        result = np.empty(shape, np.dtype(dtype).newbyteorder("<"))
        step = math.prod(whole[1:]) * result.itemsize
        with self._place.open(self._name, self.identity) as file:
            raw = result.reshape(-1).view(np.uint8).data
            partial = shape != whole
            if partial and spec.key not in self._checked:
                self._check(spec.key, _pieces(file, begin, math.prod(whole) * result.itemsize))
            if file.into(begin + first * step, raw) < len(raw):
                raise DamagedTrace(f"{self.path}: cut short.")
            if not partial:
                self._check(spec.key, iter([result.reshape(-1).view(np.uint8)]))
        return result

    def _where(self, spec: ArraySpec) -> tuple[int, str]:
        """Where in the file an array begins, and its type, when what the header says of it is just what was declared."""
        said = self._header.get(spec.key)
        dtype = "float64" if self._tag.world > 1 and spec.dtype.startswith("float") else spec.dtype
        size = math.prod(spec.shape) * np.dtype(dtype).itemsize
        match said:
            case {"dtype": code, "shape": shape, "data_offsets": [int(begin), int(end)]} if (
                code == _CODES[dtype] and shape == list(spec.shape) and end - begin == size and begin >= 0
            ):
                if self._start + end <= self._size:
                    return self._start + begin, dtype
        raise DamagedTrace(f"{self.path}: {spec.key} is not there whole, or not what was declared.")

    def _check(self, key: str, pieces: Iterator[Any]) -> None:
        found = 0
        for piece in pieces:
            found = google_crc32c.extend(found, piece)
        if found != self._sums.get(key):
            raise DamagedTrace(f"{self.path}: the checksum of {key} differs.")
        self._checked.add(key)


def _pieces(file: Opened, begin: int, size: int) -> Iterator[bytes]:
    return (file.at(at, min(PIECE, begin + size - at)) for at in range(begin, begin + size, PIECE))
