"""Huffman's code (1952) for small whole numbers, in its canonical form: the lengths of the code words say it all."""

import heapq
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nissl.errors import DamagedData

Array = NDArray[Any]
LONGEST = 56
"""Bits of a code word: as many as eight bytes hold wherever in a byte it begins."""
_PIECE = 1 << 18  # bits that are decoded at once, which bounds memory


def lengths(counts: Array) -> Array:
    """How long each symbol's code word is: 0 where it never occurs, or where nothing else does."""
    found = np.zeros(len(counts), np.uint8)
    heap: list[tuple[int, int, tuple[int, ...]]] = [
        (int(count), symbol, (symbol,)) for symbol, count in enumerate(counts) if count
    ]
    heapq.heapify(heap)
    while len(heap) > 1:
        first, second = heapq.heappop(heap), heapq.heappop(heap)
        both = first[2] + second[2]
        found[list(both)] += 1
        heapq.heappush(heap, (first[0] + second[0], first[1], both))
    return found


def encode(symbols: Array, words: Array) -> bytes:
    """The symbols one after the other, each by its word of that length; the last byte is filled with zeros."""
    order, codes = _codes(words)
    by_symbol = np.zeros(len(words), np.uint64)
    by_symbol[order] = codes
    long = words[symbols].astype(np.int64)
    ends = np.cumsum(long)
    starts, mine = ends - long, by_symbol[symbols]
    bits = np.zeros(int(ends[-1]) if len(ends) else 0, np.uint8)
    for place in range(int(long.max(initial=0))):
        has = long > place
        shift = (long[has] - 1 - place).astype(np.uint64)
        bits[starts[has] + place] = (mine[has] >> shift) & np.uint64(1)
    return np.packbits(bits).tobytes()


def decode(data: bytes, words: Array, count: int) -> Array:
    """So many symbols; what is no such code, or too short for them, is refused."""
    used = np.flatnonzero(words)
    if not len(used):
        raise DamagedData("A code without words.")
    longest = int(words.max())
    if longest > LONGEST or sum(1 << (longest - int(n)) for n in words[used]) != 1 << longest:
        raise DamagedData("The lengths of the code words are those of no Huffman code.")
    order, codes = _codes(words)
    tops = codes << (LONGEST - words[order].astype(np.uint64))  # as the first bits of a window
    found, at, end = np.empty(count, np.int64), 0, 8 * len(data)
    raw = np.frombuffer(data + bytes(8), np.uint8)
    done = 0
    while done < count:
        if at >= end:
            raise DamagedData(f"The code ends after {done} of {count} symbols.")
        stop = min(at + _PIECE, end)
        here = order[np.searchsorted(tops, _windows(raw, at, stop), side="right") - 1]
        steps = words[here].tolist()
        path: list[int] = []
        first = at
        while at < stop and done + len(path) < count:  # every place was decoded; these are the ones where words begin
            path.append(at - first)
            at += steps[at - first]
        found[done : done + len(path)] = here[path]
        done += len(path)
    if at > end:
        raise DamagedData("The code ends within its last word.")
    return found


def _codes(words: Array) -> tuple[Array, Array]:
    """The symbols by length and number, and their words: each the one before plus one, made longer where it must be."""
    order = np.lexsort((np.arange(len(words)), words))
    order = order[words[order] > 0]
    codes, code, before = np.zeros(len(order), np.uint64), 0, 0
    for place, symbol in enumerate(order):
        code = (code + 1 if place else 0) << (int(words[symbol]) - before)
        codes[place], before = code, int(words[symbol])
    return order, codes


def _windows(raw: Array, start: int, stop: int) -> Array:
    """The `LONGEST` bits that begin at each place from `start` to `stop`, as whole numbers."""
    byte = start // 8
    part = raw[byte : (stop + 7) // 8 + 8].astype(np.uint64)
    many = (stop + 7) // 8 - byte
    eight = np.zeros(many, np.uint64)
    for place in range(8):
        eight = (eight << np.uint64(8)) | part[place : place + many]
    places = np.arange(start, stop)
    shifted = eight[places // 8 - byte] << (places % 8).astype(np.uint64)
    return shifted >> np.uint64(64 - LONGEST)
