"""Arrays by example as small pictures: signed values around paper, positive ones from paper to ink, inputs as they are."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nissl.core.palette import ramp
from nissl.core.pictures import images

Array = NDArray[Any]
CLIP = 99.5
"""Values beyond this percentile of their sizes have the last colour."""


def coloured(values: Array, axis: int | None) -> tuple[Array, bool | None]:
    """(example, row, column, red green blue) from 0 to 255, each example by its own largest; and whether there were signs.

    None where all is zero.
    """
    flat = planes(values, axis)
    negative = bool((flat < 0).any())
    shares = _shares(flat)
    pixels = signed(flat) if negative else np.round(255 * ramp("ink", shares)).astype(np.uint8)
    return pixels, negative if flat.any() else None


def signed(flat: Array) -> Array:
    """Maps (picture, row, column) as pixels: each by its own largest magnitude, zero as paper."""
    return np.round(255 * ramp("change", (_shares(flat) + 1) / 2)).astype(np.uint8)


def _shares(flat: Array) -> Array:
    """Of each picture's largest, -1 to 1."""
    inner = tuple(range(1, flat.ndim))
    most = np.percentile(np.abs(flat), CLIP, inner, method="higher", keepdims=True)
    most = np.where(most > 0, most, np.abs(flat).max(inner, keepdims=True, initial=0))
    shares: Array = np.clip(np.divide(flat, most, out=np.zeros_like(flat), where=most > 0), -1, 1)
    return shares


def pictured(inputs: Array, axis: int | None) -> Array:
    """The examples themselves: images as they look, other arrays as shades of grey."""
    found = images(inputs)
    if found is not None:
        return np.asarray(found)
    flat = planes(inputs, axis)
    inner = tuple(range(1, flat.ndim))
    low, high = flat.min(inner, keepdims=True), flat.max(inner, keepdims=True)
    shares = np.divide(flat - low, high - low, out=np.zeros_like(flat), where=high > low)
    return np.round(255 * ramp("ink", shares)).astype(np.uint8)


def planes(values: Array, axis: int | None) -> Array:
    """(example, row, column): channels summed, tables and signals as one row, solids by their middle slice."""
    found = np.asarray(values, np.float64)
    if axis is not None and found.ndim > 2:
        found = found.sum(axis)
    while found.ndim > 3:
        found = np.take(found, found.shape[1] // 2, 1)
    return found[:, None] if found.ndim == 2 else found.reshape(len(found), 1, -1) if found.ndim < 2 else found
