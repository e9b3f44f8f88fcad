"""The statistics of single batches, for runs that keep them (drop_batches=False)."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from nissl.core.columns import moments
from nissl.core.plan import BATCH
from nissl.core.quantity import Array
from nissl.core.sums import Sums
from nissl.errors import UnknownName

if TYPE_CHECKING:
    from nissl.core.trace import Trace


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


def table(trace: "Trace", layer: str, epoch: int) -> Array:
    """(step, neuron, stat) of every batch of an epoch."""
    held = trace.entry(epoch).arrays
    specs = [s for s in trace.specs(layer) if s.name.startswith("batches.") and s.key in held]
    if not specs:
        raise UnknownName(
            f"No batches of layer {layer!r} at epoch {epoch}: record with drop_batches=False to keep them."
        )
    specs.sort(key=lambda s: int(s.name.split(".")[1]))
    rows: Array = np.concatenate([trace.store.read(spec.key, [epoch])[0] for spec in specs])
    return rows[~np.isnan(rows).all((1, 2))]
