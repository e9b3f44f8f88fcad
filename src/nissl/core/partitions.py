"""A trace as a lazy Dask frame, in parts of bounded size that follow how the trace lies."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from nissl.core import tables
from nissl.core.stored import PIECE, Stored
from nissl.errors import MissingDependency

if TYPE_CHECKING:
    from nissl.core.trace import Trace


def frame(trace: "Trace", layers: Any, stats: Any, *, long: bool) -> Any:
    """Columns epoch, layer, neuron and the statistics: Dask's frames have no index of several levels."""
    try:
        import dask.dataframe
    except ImportError as error:
        raise MissingDependency("engine='dask' needs Dask: pip install 'nissl[cluster]'") from error
    chosen, names = tables.asked(trace, layers, stats)
    epochs = tuple(trace.epochs)
    frames: Any = dask.dataframe  # which says nothing of its types
    kind = np.result_type(*(spec.dtype for layer in chosen if (spec := tables.stats_of(trace, layer))), np.float16)
    make = _Maker(tuple(chosen), tuple(names), kind.name, long)
    parts = [part for layer in chosen for part in _parts(trace, layer, epochs, PIECE // 4 if long else PIECE)]
    nothing = make(_Part("", (), 0, 0, None))
    if not parts:
        return frames.from_pandas(nothing, npartitions=1)
    return frames.from_map(make, parts, meta=nothing, label="nissl")


@dataclass(frozen=True)
class _Part:
    """Some units of a layer at some epochs."""

    layer: str
    epochs: tuple[int, ...]
    first: int
    last: int
    stored: Stored | None


def _parts(trace: "Trace", layer: str, epochs: tuple[int, ...], most: int) -> Iterator[_Part]:
    spec, units = tables.stats_of(trace, layer), trace.units(layer)
    pieces = Stored(trace.store, spec, epochs).pieces(most) if spec else ((1,) * len(epochs), (units,))
    for start, stop in pairwise(accumulate(pieces[0], initial=0)):
        some = epochs[start:stop]
        stored = Stored(trace.store, spec, some) if spec else None
        for first, last in pairwise(accumulate(pieces[1], initial=0)):
            yield _Part(layer, some, first, last, stored)


@dataclass(frozen=True)
class _Maker:
    """Makes the pandas frame of a part, where the part is computed."""

    layers: tuple[str, ...]
    names: tuple[str, ...]
    kind: str
    long: bool

    def __call__(self, part: _Part) -> Any:
        import pandas

        units = range(part.first, part.last)
        spec = part.stored.spec if part.stored else None
        table = part.stored[:, part.first : part.last] if part.stored else np.zeros((len(part.epochs), len(units), 0))
        found = tables.columns(part.layer, part.epochs, units, table.astype(self.kind, copy=False), spec, self.names)
        whole = pandas.DataFrame(tables.melted(found, self.names) if self.long else found)
        for name, known in (("layer", self.layers), ("stat", self.names)):
            if name in whole:  # a number a row instead of a text, and the same in every part
                whole[name] = pandas.Categorical(whole[name], known)
        return whole
