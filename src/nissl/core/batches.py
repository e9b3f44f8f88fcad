"""The statistics of single batches, for runs that keep them (drop_batches=False)."""

from collections.abc import Iterator, Sequence

import numpy as np

from nissl.core.columns import moments
from nissl.core.plan import BATCH
from nissl.core.quantity import Array
from nissl.core.sums import Sums


def blocks(parts: Sequence[Sums], steps: int) -> Iterator[Array]:
    """(step, neuron, stat) tables of `steps` batches each, the last filled up with NaN."""
    for start in range(0, len(parts), steps):
        rows = [_row(sums) for sums in parts[start : start + steps]]
        table = np.full((steps, *rows[0].shape), np.nan, np.float32)
        table[: len(rows)] = rows
        yield table


def _row(sums: Sums) -> Array:
    found = moments(sums)
    return np.stack([found[name] for name in BATCH], 1)
