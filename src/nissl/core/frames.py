"""Layouts of the same samples at successive moments, each begun from its neighbour's: what has not changed stays where it is."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nissl.core.layout import GradualLayout, Layout, fitted, principal
from nissl.errors import BadValue

Array = NDArray[Any]
Told = Callable[[Array], None]
FIRST = 3.0
"""The first layout takes as long as so many that are begun from another."""


def placed(
    how: Layout,
    features: Sequence[Array],
    seed: int,
    forward: bool,
    tell: Callable[[float], None],
    preview: Told | None,
) -> list[Array]:
    """(sample, 2) for each moment, in their order."""
    order = list(range(len(features)))
    order = order if forward else order[::-1]
    found: dict[int, Array] = {}
    start, done, whole = None, 0.0, FIRST + len(order) - 1
    for number in order:
        part = FIRST if start is None else 1.0

        def told(share: float, done: float = done, part: float = part) -> None:
            tell((done + part * share) / whole)

        start = _one(how, features[number], start, seed, told, preview if number == order[0] else None)
        found[number] = start
        done += part
    return [found[number] for number in range(len(features))]


def _one(
    how: Layout, features: Array, start: Array | None, seed: int, tell: Callable[[float], None], preview: Told | None
) -> Array:
    few = _few(features)
    if few is not None:
        return few
    first = principal(features)
    if isinstance(how, GradualLayout):
        made = first[:, :2]
        for share, made in how.steps(first, start, seed):
            tell(share)
            if preview is not None and share < 1:
                preview(np.asarray(made, np.float64))
    else:
        made = how.place(first, None if start is None else fitted(start), seed)
    tell(1.0)
    found = np.asarray(made, np.float64)
    if found.shape != (len(features), 2) or not np.isfinite(found).all():
        raise BadValue(f"{how!r} gave no place to some of {len(features)} samples.")
    return found - found.mean(0) if start is None else turned(found, start)


def _few(features: Array) -> Array | None:
    """Places where there is nothing to lay out: of one or two samples, or of samples that are all alike."""
    if not np.ptp(features, axis=0).any():
        return np.zeros((len(features), 2))
    return np.array([[-0.5, 0.0], [0.5, 0.0]]) if len(features) == 2 else None


def turned(positions: Array, onto: Array) -> Array:
    """Moved, rotated and if need be mirrored onto other places, at its own scale (Procrustes)."""
    centred, other = positions - positions.mean(0), onto - onto.mean(0)
    left, _, right = np.linalg.svd(centred.T @ other)
    found: Array = centred @ (left @ right) + onto.mean(0)
    return found
