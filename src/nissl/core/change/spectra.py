"""How a layer's weights change: their norm, their singular values, and those of what an epoch added."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nissl.core.stored import Stored

if TYPE_CHECKING:
    from nissl.core.trace import Trace

Array = NDArray[Any]
LARGE = 1024
"""The shorter side up to which all singular values are found; beyond it only the largest, by iteration."""
COLUMNS = (
    "epoch", "layer", "norm", "stable_rank", "effective_rank", "update", "update_stable_rank", "from_last", "largest", "update_largest"
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Spectrum:
    """Of one matrix."""

    norm: float
    values: Array
    """The largest singular values, at most eight."""
    stable_rank: float
    """Squared norm over squared largest singular value."""
    effective_rank: float
    """Participation ratio of the squared singular values; NaN where not all were found."""


def spectrum(matrix: Array) -> Spectrum:
    """NaN where the matrix is not finite; a matrix of zeros has rank 0."""
    matrix = np.asarray(matrix, np.float64)
    norm = float(np.linalg.norm(matrix))
    if not np.isfinite(norm) or not norm:
        none = norm if np.isfinite(norm) else float("nan")
        return Spectrum(none, np.zeros(0), none, none)
    if min(matrix.shape) > LARGE:
        top = _largest(matrix)
        return Spectrum(norm, np.array([top]), norm**2 / top**2, float("nan"))
    values = np.linalg.svd(matrix / norm, compute_uv=False)
    squares = values**2
    effective = float(squares.sum() ** 2 / (squares**2).sum())
    return Spectrum(norm, norm * values[:8], float(squares.sum() / squares[0]), effective)


def rows(trace: "Trace", layer: str, epochs: list[int]) -> list[dict[str, Any]]:
    """One for each of these epochs that has the layer's weights in full; an epoch and its predecessor in memory."""
    known = [spec for spec in trace.specs(layer) if spec.name == "weight"]
    if not known:
        return []
    kept = {entry.epoch for entry in trace.entries if known[0].key in entry.arrays}
    asked = [epoch for epoch in epochs if epoch in kept]
    if not asked:
        return []
    last = _at(trace, known[0], asked[-1])
    size = max(float(np.linalg.norm(last)), 1e-300)
    before: Array | None = None
    found = []
    for epoch in asked:
        now = _at(trace, known[0], epoch)
        own = spectrum(now)
        added = spectrum(now - before) if before is not None else Spectrum(np.nan, np.zeros(0), np.nan, np.nan)
        values: tuple[Any, ...] = (
            epoch, layer, own.norm, own.stable_rank, own.effective_rank, added.norm / size, added.stable_rank,
            float(np.linalg.norm(now - last)) / size, own.values.tolist(), added.values.tolist(),
        )  # fmt: skip
        found.append(dict(zip(COLUMNS, values, strict=True)))
        before = now
    return found


def _at(trace: "Trace", spec: Any, epoch: int) -> Array:
    return np.asarray(Stored(trace.store, spec, (epoch,))[0], np.float64)


def _largest(matrix: Array) -> float:
    """By power iteration from a fixed start."""
    vector = np.random.default_rng(0).normal(size=matrix.shape[1])
    size = 0.0
    for _ in range(100):
        vector = matrix.T @ (matrix @ (vector / np.linalg.norm(vector)))
        now = float(np.sqrt(np.linalg.norm(vector)))
        if abs(now - size) <= 1e-6 * now:
            return now
        size = now
    return size
