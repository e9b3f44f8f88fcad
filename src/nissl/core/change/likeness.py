"""How alike two representations are, whatever basis they are written in: debiased linear CKA, and how many dimensions they use.

By the probe's recorded samples where a trace has them, else by class profiles: a few points only.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nissl.core.change.paths import Paths, paths
from nissl.core.store import ArraySpec
from nissl.core.stored import PIECE, Stored

if TYPE_CHECKING:
    from nissl.core.trace import Trace

Array = NDArray[Any]
EXAMPLES = 256
"""Samples that are compared, evenly chosen."""
MOMENTS = 40
"""Epochs at which representations and weights are compared as wholes, evenly chosen."""
LEAST = 4
"""Points without which the unbiased estimate does not exist."""
SMALL = 1e-4
"""Of the largest variance: below it a dimension does not count for the rank."""


@dataclass(frozen=True, eq=False)
class Geometry:
    """How a layer's examples (or classes) lie to one another at an epoch."""

    trace: "Trace"
    layer: str

    @cached_property
    def samples(self) -> ArraySpec | None:
        """The recorded samples, if there are any."""
        return next((spec for spec in self.trace.specs(self.layer) if spec.name == "samples"), None)

    @cached_property
    def _paths(self) -> Paths | None:
        return paths(self.trace, self.layer)

    @cached_property
    def epochs(self) -> tuple[int, ...]:
        """Those of which it is known."""
        if self.samples is not None:
            return tuple(entry.epoch for entry in self.trace.entries if self.samples.key in entry.arrays)
        return self._paths.epochs if self._paths is not None and "class" in self._paths.spec.dims else ()

    @property
    def points(self) -> int:
        """How many examples or classes are compared."""
        if self.samples is not None:
            return min(self.samples.shape[0], EXAMPLES)
        return len(self._paths.numbers) if self._paths is not None and self.epochs else 0

    def gram(self, epoch: int) -> Array:
        """(point, point) inner products, summed over units in pieces."""
        if self.samples is None:
            assert self._paths is not None
            values = self._paths.at(epoch) / self._paths.scale
            return np.asarray(values[np.isfinite(values).all(1)].T @ values[np.isfinite(values).all(1)])
        which = np.unique(np.linspace(0, self.samples.shape[0] - 1, self.points).round().astype(int))
        stored = Stored(self.trace.store, self.samples, (epoch,))
        wide = max(1, 4 * PIECE // max(4 * int(np.prod(self.samples.shape)) // max(self.samples.shape[1], 1), 1))
        found = np.zeros((len(which), len(which)))
        for first in range(0, self.samples.shape[1], wide):
            part = np.asarray(stored[0, :, first : first + wide], np.float64)[which].reshape(len(which), -1)
            found += part @ part.T
        return found


def chosen(epochs: Any, most: int = MOMENTS) -> list[int]:
    """The first, the last, and evenly spaced ones between."""
    places = np.unique(np.linspace(0, len(epochs) - 1, min(most, len(epochs))).round().astype(int))
    return [epochs[place] for place in places]


def centred(gram: Array) -> Array:
    """The Gram matrix without its diagonal and its rows' means, so that inner products of two are unbiased (Szekely and Rizzo)."""
    count = len(gram)
    found = np.array(gram, np.float64)
    np.fill_diagonal(found, 0)
    rows = found.sum(1) / (count - 2)
    found += rows.sum() / (count - 1) - rows[:, None] - rows[None]
    np.fill_diagonal(found, 0)
    return found


def direction(gram: Array) -> Array:
    """The centred matrix as a vector of length 1: the inner product of two such is their debiased CKA. NaN where nothing differs."""
    if len(gram) < LEAST:
        return np.full(gram.size, np.nan)
    found = centred(gram).ravel()
    size = float(np.linalg.norm(found))
    big = float(np.abs(gram).max(initial=0.0))
    return found / size if np.isfinite(size) and size > 1e-9 * big else np.full(gram.size, np.nan)


def cka(one: Array, other: Array) -> float:
    """Debiased linear CKA of two tables, (example, unit) of the same examples; 1: alike but for rotation, about 0: unrelated."""
    first, second = (np.asarray(x, np.float64) - np.asarray(x, np.float64).mean(0) for x in (one, other))
    return float(direction(first @ first.T) @ direction(second @ second.T))


def spectrum(gram: Array) -> tuple[float, int]:
    """The effective dimension (participation ratio of variances) and the rank of the centred points."""
    middle = gram - gram.mean(0) - gram.mean(1)[:, None] + gram.mean()
    if not np.isfinite(middle).all() or not len(middle):
        return float("nan"), 0
    values = np.maximum(np.linalg.eigvalsh(middle), 0)
    total = float(values.sum())
    if total <= 1e-12 * max(float(np.abs(gram).max(initial=0.0)), 1e-300):
        return 0.0, 0
    return total**2 / float((values**2).sum()), int((values > SMALL * values.max()).sum())
