"""A network's numbers in one file: which weights are there, the values that they share, Huffman's code for both.

All numbers are little-endian. A file is: the eight bytes `NISSLPK1`; the length of the header (uint32); the header, JSON in
UTF-8, deflated; the arrays' parts one after the other; the CRC-32 of everything before it (uint32).

The header is {"arrays": [...]}, in the order of the parts; of each array {"name", "shape", "dtype" (numpy's, `<f4`), "gaps",
"codes", "values"}:

- "gaps": where the array is other than zero, as distances in C order: a stream of whole numbers below n, or null where every
  entry is written. A number g < n - 1: after g zeros the next entry that is written. n - 1: so many zeros, and no entry.
- "codes": which of the values each written entry has: a stream, or null where the values are those of the entries in turn.
- "values": how many values there are. They come last, as they lie in memory.

A stream is [count, n, form, bytes]: so many whole numbers below n, written in so many bytes. Its form is "fixed", each in
as many bits as n - 1 takes; "huffman", n lengths of code words (uint8) and the code, the words of one length in the order of
their numbers; or a number, which is the only one that occurs, and nothing is written. First bits are highest.
"""

import json
import struct
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nissl.errors import DamagedData
from nissl.studies._compression import huffman

Array = NDArray[Any]
MAGIC = b"NISSLPK1"
_HEADER = 1 << 26  # bytes: more is no header
_WIDEST = 8  # bits of a distance
_MOST = 1 << 16  # different values that entries may share


@dataclass(frozen=True, eq=False)
class Part:
    """One array as it shall be written."""

    name: str
    shape: tuple[int, ...]
    values: Array
    """Of the written entries in turn; or, with codes, those that they share."""
    places: Array | None = None
    """Where the entries lie that are written, rising; None: all are."""
    codes: Array | None = None


def packed(parts: Sequence[Part], *, coded: bool) -> bytes:
    """The whole file; `coded`: by Huffman's code wherever that is shorter."""
    described, written = [], []
    for part in parts:
        gaps, codes = None, None
        if part.places is not None:
            gaps, data = _shortest(part.places, coded)
            written.append(data)
        if part.codes is not None:
            codes, data = _stream(part.codes, max(len(part.values), 1), coded)
            written.append(data)
        values = np.ascontiguousarray(part.values).reshape(-1)
        values = values.astype(values.dtype.newbyteorder("<"), copy=False)
        written.append(values.tobytes())
        described.append(
            {"name": part.name, "shape": list(part.shape), "dtype": values.dtype.str, "gaps": gaps, "codes": codes,
             "values": values.size}
        )  # fmt: skip
    header = zlib.compress(json.dumps({"arrays": described}, separators=(",", ":")).encode(), 9)
    whole = b"".join([MAGIC, struct.pack("<I", len(header)), header, *written])
    return whole + struct.pack("<I", zlib.crc32(whole))


def unpacked(data: bytes, like: Mapping[str, Array]) -> dict[str, Array]:
    """The arrays, which must be named and shaped as these are; whatever is no such file is refused, in words."""
    if data[: len(MAGIC)] != MAGIC:
        raise DamagedData("It does not begin as a file that nissl.compress wrote.")
    if len(data) < 16 or zlib.crc32(data[:-4]) != struct.unpack("<I", data[-4:])[0]:
        raise DamagedData("Some of it was cut off or changed after it was written (its checksum is another).")
    try:
        size = struct.unpack("<I", data[8:12])[0]
        opened = zlib.decompressobj()
        header = json.loads(opened.decompress(data[12 : 12 + size], _HEADER))
        rest = _Rest(data[12 + size : -4])
        found = {each["name"]: _array(each, rest, like) for each in header["arrays"]}
    except (KeyError, TypeError, ValueError, IndexError, AttributeError, OverflowError, RecursionError, zlib.error) as error:  # fmt: skip
        if isinstance(error, DamagedData):
            raise
        raise DamagedData(f"What it says of itself makes no sense: {type(error).__name__}: {error}") from error
    if found.keys() != like.keys():
        other = sorted(found.keys() ^ like.keys())
        raise DamagedData(f"It is of a model with other arrays: {', '.join(other[:5])}.")
    return found


class _Rest:
    """What has not been read."""

    def __init__(self, data: bytes):
        self._data, self._at = memoryview(data), 0

    def take(self, size: Any) -> bytes:
        if not isinstance(size, int) or not 0 <= size <= len(self._data) - self._at:
            raise DamagedData(f"A part of {size} bytes is said to be there, and is not.")
        self._at += size
        return bytes(self._data[self._at - size : self._at])


def _array(said: Mapping[str, Any], rest: _Rest, like: Mapping[str, Array]) -> Array:
    name, shape = said["name"], tuple(said["shape"])
    if name not in like or shape != like[name].shape:
        have = like[name].shape if name in like else "no such array"
        raise DamagedData(f"It is of another model: {name} has the shape {shape}; the model given has {have}.")
    if said["dtype"] != like[name].dtype.newbyteorder("<").str:
        raise DamagedData(f"It is of another model: {name} is {said['dtype']}; in the model given, {like[name].dtype}.")
    size = like[name].size  # from here on nothing is larger than what the model has
    places = None if said["gaps"] is None else _placed(_numbers(said["gaps"], rest, size), said["gaps"][1], size)
    codes = None if said["codes"] is None else _numbers(said["codes"], rest, size)
    dtype = np.dtype(said["dtype"])
    values = np.frombuffer(rest.take(said["values"] * dtype.itemsize), dtype).astype(dtype.newbyteorder("="))
    if codes is not None:
        if codes.max(initial=-1) >= len(values):
            raise DamagedData(f"{name} refers to values that are not there.")
        values = values[codes]
    if len(values) != (size if places is None else len(places)):
        raise DamagedData(f"{name} has {len(values)} entries for {size if places is None else len(places)} places.")
    if places is not None:
        whole = np.zeros(size, values.dtype)
        whole[places] = values
        values = whole
    return values.reshape(shape)


# where


def _shortest(places: Array, coded: bool) -> tuple[list[Any], bytes]:
    """The distances, in the number of bits a distance that makes them shortest together."""
    tried = [_stream(_gaps(places, (1 << width) - 1), 1 << width, coded) for width in range(1, _WIDEST + 1)]
    return min(tried, key=lambda one: len(one[1]))


def _gaps(places: Array, skip: int) -> Array:
    zeros = np.diff(places, prepend=-1) - 1
    skips = zeros // skip
    found = np.full(len(zeros) + int(skips.sum()), skip)
    found[np.cumsum(skips + 1) - 1] = zeros % skip
    return found


def _placed(gaps: Array, n: int, size: int) -> Array:
    entry = gaps < n - 1
    places = (np.cumsum(np.where(entry, gaps + 1, gaps)) - 1)[entry]
    if len(places) and places[-1] >= size:
        raise DamagedData("Entries are said to lie beyond an array's end.")
    return places


# streams


def _stream(numbers: Array, n: int, coded: bool) -> tuple[list[Any], bytes]:
    if len(numbers) and (numbers == numbers[0]).all():
        return [len(numbers), n, int(numbers[0]), 0], b""
    width = max((n - 1).bit_length(), 1)
    shifts = np.arange(width)[::-1]
    if coded:
        counts = np.bincount(numbers, minlength=n)
        words = huffman.lengths(counts)
        if 8 * n + int(counts @ words.astype(np.int64)) < width * len(numbers):
            data = words.tobytes() + huffman.encode(numbers, words)
            return [len(numbers), n, "huffman", len(data)], data
    data = np.packbits(((numbers[:, None] >> shifts) & 1).astype(np.uint8)).tobytes()
    return [len(numbers), n, "fixed", len(data)], data


def _numbers(said: Sequence[Any], rest: _Rest, most: int) -> Array:
    count, n, form, size = said
    if not (isinstance(count, int) and isinstance(n, int) and 0 <= count <= most and 0 < n <= _MOST):
        raise DamagedData(f"A part is said to have {count} numbers below {n}, of at most {most}.")
    data = rest.take(size)
    if form == "huffman":
        words = np.frombuffer(data[:n], np.uint8)
        if len(words) < n:
            raise DamagedData("The lengths of the code words are cut off.")
        return huffman.decode(data[n:], words, count)
    if form == "fixed":
        width = max((n - 1).bit_length(), 1)
        bits = np.unpackbits(np.frombuffer(data, np.uint8), count=min(width * count, 8 * len(data)))
        found = bits.reshape(count, width).astype(np.int64) @ (1 << np.arange(width)[::-1])
    else:
        found = np.full(count, int(form))
    if len(found) and not 0 <= int(found.min()) <= int(found.max()) < n:
        raise DamagedData(f"A part has numbers that are not below {n}.")
    return found
