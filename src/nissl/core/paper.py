"""What is known of a network's inputs before any is drawn: their shape, the span of their values, and examples."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nissl.errors import BadValue

Array = NDArray[Any]
CHANNELS = (1, 3, 4)
LEAST = 4
"""Fewer rows or columns are no image."""
SPAN = (-1.0, 1.0)


@dataclass(frozen=True, eq=False)
class Paper:
    """Inputs of one shape; images among them have rows and columns, whichever axes those are."""

    shape: tuple[int, ...]
    low: Array
    """The least value of each channel, or of each feature where inputs are no images; broadcasts to the shape."""
    high: Array
    sample: Array | None = None
    """Real inputs, (example, *shape)."""

    @property
    def span(self) -> Array:
        return np.asarray(self.high - self.low)

    @cached_property
    def middle(self) -> Array:
        """The mean of the sample; without one, of the span."""
        found = (self.low + self.high) / 2 if self.sample is None else self.sample.mean(0)
        return np.asarray(np.broadcast_to(found, self.shape), float)

    @cached_property
    def components(self) -> Array:
        """(component, value): the directions in which the sample varies, the widest first, as long as its deviation along them."""
        assert self.sample is not None
        away = (self.sample - self.middle).reshape(len(self.sample), -1)
        turned = len(away) < away.shape[1]
        strength, axes = np.linalg.eigh((away @ away.T if turned else away.T @ away) / len(away))
        strength, axes = np.maximum(strength[::-1], 0), axes[:, ::-1]
        some = strength > 1e-10 * max(float(strength[0]), 1e-300)
        found = away.T @ axes[:, some] / np.sqrt(len(away)) if turned else axes[:, some] * np.sqrt(strength[some])
        return np.asarray(found.T)

    @cached_property
    def channel(self) -> int | None:
        """The axis of the channels of an image, counted in the shape; None where it has none, or is no image."""
        return _channel(self.shape)

    @cached_property
    def image(self) -> bool:
        return _image(self.shape)

    @property
    def sides(self) -> tuple[int, int]:
        """Rows and columns of an image."""
        rows, columns = (side for axis, side in enumerate(self.shape) if axis != self.channel)
        return rows, columns

    def planes(self, pictures: Array) -> Array:
        """(picture, channel, row, column) of images."""
        return pictures[:, None] if self.channel is None else np.moveaxis(pictures, self.channel + 1, 1)

    def pictures(self, planes: Array) -> Array:
        """The way back from `planes`."""
        return planes[:, 0] if self.channel is None else np.moveaxis(planes, 1, self.channel + 1)


def paper(shape: Sequence[int] | None, span: Any, sample: Array | None) -> Paper:
    """From what the user said, and from real inputs where there are any."""
    if shape is None and sample is None:
        raise BadValue(
            "Which shape an input has is not known: give shape=(1, 28, 28), without the batch, or data=, some real inputs."
        )
    if sample is not None:
        sample = sound(sample)
        if shape is not None and tuple(shape) != sample.shape[1:]:
            raise BadValue(
                f"shape={tuple(shape)}, but the data hold inputs of shape {sample.shape[1:]}: leave shape out."
            )
        shape = sample.shape[1:]
    size = _size(shape)
    if span is not None or sample is None:
        low, high = _span(span, size)
        return Paper(size, low, high, sample)
    axes = _over(size)
    low, high = sample.min((0, *axes), keepdims=True)[0], sample.max((0, *axes), keepdims=True)[0]
    return Paper(size, low, np.where(high > low, high, low + 1), sample)


def _size(shape: Any) -> tuple[int, ...]:
    found = tuple(shape) if np.ndim(shape) else (shape,)
    if not found or not all(isinstance(side, int | np.integer) and side > 0 for side in found):
        raise BadValue(f"shape={shape!r}: the sides of one input, without the batch, such as (1, 28, 28).")
    return tuple(map(int, found))


def _span(span: Any, size: tuple[int, ...]) -> tuple[Array, Array]:
    """The least and the largest value, each a number or one for each channel."""
    given = SPAN if span is None else span
    try:
        low, high = (np.asarray(end, float) for end in given)
    except (TypeError, ValueError):
        raise BadValue(f"span={span!r}: the least and the largest value of an input, such as (0, 1).") from None
    axis = _channel(size)
    if low.ndim == high.ndim == 1 and axis is not None:
        low, high = (end.reshape(-1, *[1] * (len(size) - 1 - axis)) for end in (low, high))
    try:
        fits = np.broadcast_shapes(low.shape, high.shape, size) == size
    except ValueError:
        fits = False
    if not fits or not (np.isfinite(low).all() and np.isfinite(high).all() and (low < high).all()):
        raise BadValue(f"span={span!r}: two numbers, the smaller one first, or two lists of one for each channel.")
    return low, high


def sound(sample: Array) -> Array:
    """Real inputs as floats; BadValue unless all are finite numbers."""
    if sample.ndim < 2 or not len(sample):
        raise BadValue(f"data: {sample.shape} are no inputs; give an array (example, ...), (x, y), or a loader.")
    if sample.dtype.kind not in "fiub":
        raise BadValue(f"data: inputs are numbers, not {sample.dtype}.")
    wide = sample.astype(float)
    if not np.isfinite(wide).all():
        bad = np.flatnonzero(~np.isfinite(wide).reshape(len(wide), -1).all(1))
        raise BadValue(f"data: input {bad[0]} holds values that are no finite numbers, as do {len(bad)} in all.")
    return wide


def _channel(shape: tuple[int, ...]) -> int | None:
    if len(shape) != 3:
        return None
    return 0 if shape[0] in CHANNELS else 2 if shape[2] in CHANNELS else None


def _image(shape: tuple[int, ...]) -> bool:
    axis = _channel(shape)
    sides = [side for place, side in enumerate(shape) if place != axis]
    return len(sides) == 2 and min(sides) >= LEAST


def _over(shape: tuple[int, ...]) -> tuple[int, ...]:
    """The axes of a batch that one span is taken over: rows and columns of an image, none where every number is a feature."""
    axis = _channel(shape)
    return tuple(place + 1 for place in range(len(shape)) if place != axis) if _image(shape) else ()
