"""What pictures of samples over time keep: do points move only where the network changed, and do boundaries stay boundaries?

The last two measures are those of DeepVisualInsight (Yang et al., AAAI 2022), with our choice of boundary samples.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nissl.core.nearby import nearest_of
from nissl.core.neighbours import nearest

Array = NDArray[Any]
LEAST_STEPS = 3
"""From fewer pairs of moments a sample's correlation would be chance."""


def jump(positions: Sequence[Array]) -> float | None:
    """How far points move from one moment to the next: the median distance over all, in units of the layout's RMS radius.

    The RMS radius is sqrt(mean |p - mean p|^2) over all points of the two moments. None of a single moment.
    """
    moves = []
    for before, after in pairwise(positions):
        both = np.concatenate([before - before.mean(0), after - after.mean(0)])
        radius = np.sqrt((both**2).sum(1).mean())
        moves.append(np.linalg.norm(after - before, axis=1) / (radius or 1.0))
    return float(np.median(np.concatenate(moves))) if moves else None


def temporal(features: Sequence[Array], positions: Sequence[Array], k: int, rows: Array) -> float | None:
    """-1: points stay where their neighbourhood stays, and move where it changes; 0: movement says nothing.

    For each sample i the Pearson correlation over successive moments t of a_i(t), the share of its k nearest samples in feature
    space at t-1 that are so at t, with d_i(t) = |p_i(t) - p_i(t-1)|; the mean over samples. One without variation counts 0.
    """
    if len(features) < LEAST_STEPS + 1:
        return None
    near = [nearest(one, k, rows) for one in features]
    if not near[0].shape[1]:
        return None
    alike = np.stack([_shared(a, b) for a, b in pairwise(near)])
    moved = np.stack([
        np.linalg.norm((b - a)[rows], axis=1) for a, b in pairwise(positions)
    ])  # fmt: skip
    alike, moved = alike - alike.mean(0), moved - moved.mean(0)
    size = np.sqrt((alike**2).sum(0) * (moved**2).sum(0))
    return float(np.divide((alike * moved).sum(0), size, out=np.zeros_like(size), where=size > 1e-12).mean())


def boundary(features: Array, positions: Array, outputs: Array | None, k: int, rows: Array) -> float | None:
    """The share of the k boundary samples nearest to a sample in feature space that are the nearest in the picture; the mean over samples.

    Boundary samples B are the tenth of which the two largest outputs are closest (at least 2k of them); k / |B| is chance.
    None where outputs are not known, or of too few samples.
    """
    if outputs is None or outputs.shape[1] < 2 or len(features) < 4 * k:
        return None
    top = np.partition(outputs, -2, 1)
    margin = top[:, -1] - top[:, -2]
    edge = np.sort(margin.argsort(kind="stable")[: max(2 * k, len(features) // 10)])
    true = nearest_of(features[edge], features[rows], k)[0]
    drawn = nearest_of(positions[edge], positions[rows], k)[0]
    return float(_shared(true, drawn).mean())


def _shared(one: Array, other: Array) -> Array:
    """The share of each row's entries that the other's row has too."""
    found: Array = (one[:, :, None] == other[:, None, :]).any(2).mean(1)
    return found
