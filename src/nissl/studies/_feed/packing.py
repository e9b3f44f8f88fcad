"""Arrays and what is said of them in one file that a page reads without a library: docs/design/viewer.md has the format."""

import gzip
import json
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
MOST, NEVER = 32767, -32768
"""The largest step of a table, and what stands for not-a-number."""


def packed(said: Mapping[str, Any], arrays: Mapping[str, Array], level: int = 5) -> bytes:
    """Gzip of: the head's length (uint32), the head (JSON), and each array at a multiple of four bytes, all little-endian."""
    listed, parts, place = [], [], 0
    for name, array in arrays.items():
        data = np.ascontiguousarray(array, array.dtype.newbyteorder("<")).tobytes()
        listed.append({"name": name, "type": array.dtype.name, "shape": array.shape, "at": place})
        data += bytes(-len(data) % 4)
        parts.append(data)
        place += len(data)
    head = json.dumps({**said, "arrays": listed}, allow_nan=False, separators=(",", ":")).encode()
    head += b" " * (-len(head) % 4)
    return gzip.compress(len(head).to_bytes(4, "little") + head + b"".join(parts), level, mtime=0)


def steps(values: Array) -> tuple[Array, float]:
    """Values as whole steps of an evenly divided range (int16), and the value of the last step; what isn't 0 stays so."""
    finite = np.where(np.isfinite(values), values, 0.0)
    most = float(np.abs(finite).max(initial=0.0)) or 1.0
    found = np.rint(finite / most * MOST)
    found = np.where((found == 0) & (finite != 0), np.sign(finite), found)
    found = np.where(np.isnan(values), NEVER, np.where(np.isinf(values), MOST * np.sign(np.nan_to_num(values)), found))
    return found.astype(np.int16), most


def finite(value: Any) -> float | None:
    """What JSON has of a number."""
    return float(f"{value:.6g}") if np.isfinite(value) else None
