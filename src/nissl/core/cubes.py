"""A trace as lazy xarray: a tree with a node for each layer, whose arrays are read when they are computed."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from nissl.core.store import ArraySpec
from nissl.core.stored import PIECE, Stored
from nissl.errors import BadValue, MissingDependency, listing, near

if TYPE_CHECKING:
    from nissl.core.trace import Trace


def tree(trace: "Trace", chunks: Any) -> Any:
    """A DataTree: the whole network at the root, a node for each layer."""
    entries = trace.entries  # once: more may be committed while we look
    epochs = tuple(entry.epoch for entry in entries)
    specs = {layer: trace.specs(layer) for layer in (None, *trace.layers)}
    _known(chunks, {"epoch", *(dim for some in specs.values() for spec in some for dim in spec.dims)})
    nodes = {place(layer): dataset(trace, layer, some, epochs, chunks) for layer, some in specs.items()}
    for name in dict.fromkeys(name for entry in entries for name in entry.scalars):
        nodes["/"][name] = ("epoch", np.array([entry.scalars.get(name, np.nan) for entry in entries], float))
    return xarray().DataTree.from_dict(nodes)


def place(layer: str | None) -> str:
    """A layer's node in the tree, where `/` would begin a branch."""
    return "/" if layer is None else layer.replace("/", "%2F")


def dataset(
    trace: "Trace",
    layer: str | None,
    specs: Sequence[ArraySpec],
    epochs: tuple[int, ...],
    chunks: Any,
    most: int = PIECE,
) -> Any:
    """These arrays of a layer: xarray's own lazy ones where chunks is None, else Dask's, in pieces of `most` bytes."""
    made = _lazy if chunks is None else partial(_chunked, chunks=chunks, most=most)
    coords: dict[str, Any] = {"epoch": np.array(epochs, np.int64)}
    for spec in specs:
        coords |= {dim: np.array(labels, object) for dim, labels in spec.labels.items()}  # as Zarr can keep them
    variables = {spec.name: (("epoch", *spec.dims), made(Stored(trace.store, spec, epochs))) for spec in specs}
    return xarray().Dataset(variables, coords=coords, attrs={} if layer is None else {"layer": layer})


def xarray() -> Any:
    """The library, or what to do without it."""
    try:
        import xarray
    except ImportError as error:
        raise MissingDependency("A cube needs xarray: pip install 'nissl[analysis]'") from error
    return xarray


def _known(chunks: Any, dims: set[str]) -> None:
    for dim in chunks if isinstance(chunks, Mapping) else ():
        if dim not in dims:
            raise BadValue(
                f"chunks={chunks!r}: no array has an axis {dim!r}.{near(dim, dims)} Axes: {listing(sorted(dims))}."
            )


def _chunked(stored: Stored, chunks: Any, most: int) -> Any:
    """Cut as it lies in the store, but along the axes for which something else was asked."""
    try:
        import dask.array
        from dask.base import tokenize
    except ImportError as error:
        raise MissingDependency("chunks= needs Dask: pip install 'nissl[cluster]', or chunks=None") from error
    dims = ("epoch", *stored.spec.dims)
    asked = {} if chunks == "auto" else chunks if isinstance(chunks, Mapping) else dict.fromkeys(dims, chunks)
    cut = tuple(asked.get(dim, sizes) for dim, sizes in zip(dims, stored.pieces(most), strict=True))
    name = (
        f"nissl-{stored.spec.name}-{tokenize(stored.store.header.get('run_id'), stored.spec.key, stored.epochs, cut)}"
    )
    empty = np.empty((0,) * stored.ndim, stored.dtype)
    arrays: Any = dask.array  # which says nothing of its types
    return arrays.from_array(stored, cut, name, fancy=False, asarray=False, meta=empty)


def _lazy(stored: Stored) -> Any:
    from xarray.core.indexing import LazilyIndexedArray

    return LazilyIndexedArray(_backed(stored))


def _backed(stored: Stored) -> Any:
    """As xarray wants it, by a class that is made where there is an xarray, and made again where it is sent."""
    from xarray.backends import BackendArray
    from xarray.core import indexing

    class Backed(BackendArray):
        shape, dtype = stored.shape, stored.dtype

        def __getitem__(self, key: Any) -> Any:
            basic = indexing.IndexingSupport.BASIC
            return indexing.explicit_indexing_adapter(key, self.shape, basic, stored.__getitem__)

        def __reduce__(self) -> Any:
            return _backed, (stored,)

    return Backed()
