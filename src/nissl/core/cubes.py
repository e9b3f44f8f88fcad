"""A trace as lazy xarray: a tree with a node for each layer, whose arrays are read when they are computed."""

from typing import TYPE_CHECKING, Any

import numpy as np

from nissl.core.store import ArraySpec
from nissl.errors import MissingDependency

if TYPE_CHECKING:
    from nissl.core.trace import Trace


def tree(trace: "Trace", chunks: Any) -> Any:
    """A DataTree: the whole network at the root, a node for each layer."""
    try:
        import xarray
    except ImportError as error:
        raise MissingDependency("to_xarray needs xarray: pip install 'nissl[analysis]'") from error
    epochs = trace.epochs
    nodes: dict[str, Any] = {}
    for layer in (None, *trace.layers):
        variables = {spec.name: _variable(trace, spec, epochs) for spec in trace.specs(layer)}
        coords: dict[str, Any] = {"epoch": epochs}
        for spec in trace.specs(layer):
            coords |= {dim: list(labels) for dim, labels in spec.labels.items()}
        if layer is None:
            variables |= {n: xarray.Variable(("epoch",), v.values) for n, v in trace.scalars.items()}
        found = xarray.Dataset(variables, coords=coords, attrs={"layer": layer} if layer else {})
        node = "/" if layer is None else layer.replace("/", "%2F")
        nodes[node] = found if chunks is None else found.chunk(chunks)
    return xarray.DataTree.from_dict(nodes)


def _variable(trace: "Trace", spec: ArraySpec, epochs: list[int]) -> Any:
    import xarray
    from xarray.backends import BackendArray
    from xarray.core import indexing

    class OnDisk(BackendArray):
        """One array of the trace; reads only the epochs and units that are asked for."""

        shape = (len(epochs), *spec.shape)
        dtype = np.dtype(spec.dtype)

        def __getitem__(self, key: Any) -> Any:
            return indexing.explicit_indexing_adapter(key, self.shape, indexing.IndexingSupport.BASIC, self._read)

        def _read(self, key: tuple[Any, ...]) -> Any:
            first, *rest = key
            rows = epochs[first] if isinstance(first, slice) else [epochs[first]]
            where = tuple(k if isinstance(k, slice) else slice(k, k + 1) for k in rest)
            steps = tuple(slice(None, None, w.step) for w in where)
            plain = tuple(slice(*_span(w, n)) for w, n in zip(where, spec.shape, strict=True))
            found = trace.store.read(spec.key, rows, plain)[(slice(None), *steps)]
            return found[tuple(0 if not isinstance(k, slice) else slice(None) for k in key)]

    return xarray.Variable(("epoch", *spec.dims), indexing.LazilyIndexedArray(OnDisk()))


def _span(where: slice, size: int) -> tuple[int, int]:
    start, stop, step = where.indices(size)
    return (start, stop) if step > 0 else (stop + 1, start + 1)
