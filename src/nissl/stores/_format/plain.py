"""What makes a run plain Zarr v3: a zarr.json for every group and array, coordinates, and one consolidated copy of all."""

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

import numpy as np

from nissl.core.store import ArraySpec, segment
from nissl.stores._format.index import Index
from nissl.stores._format.place import Place
from nissl.stores._format.shard import CODEC, Grid

Meta = dict[str, Any]


def write_root(place: Place, header: Mapping[str, Any], all_of_it: Mapping[str, Meta] | None = None) -> None:
    """The root group with the run's header; at the end with everybody's metadata in it."""
    meta = group({"nissl": dict(header)})
    if all_of_it is not None:
        inner = {
            path: one | _inline({}) if one["node_type"] == "group" else one
            for path, one in sorted(all_of_it.items(), key=lambda item: item[0].rpartition("/"))
        }
        meta |= _inline(inner)
    place.write(place.group, [_text(meta)])


def write_nodes(place: Place, index: Index, epochs: int) -> dict[str, Meta]:
    """The metadata of every group and declared array, for so many epochs."""
    nodes = {"layers": group(), "network": group(), "metrics": group()}
    for grid in index.grids.values():
        if grid.spec.layer is not None:
            nodes[grid.spec.key.rpartition("/")[0]] = group({"name": grid.spec.layer})
    dims = dimensions(index.specs)
    for key, grid in index.grids.items():
        nodes[key] = _array(grid, ("epoch", *dims[key]), epochs)
    place.each(lambda node: _write_node(place, *node), nodes.items())
    return nodes


def finish(place: Place, index: Index, header: Mapping[str, Any]) -> None:
    """Everything that a closed run has besides: coordinates, scalars as arrays, and the consolidated copy."""
    nodes = write_nodes(place, index, len(index.rows))
    epochs = np.array([row.epoch for row in index.rows], "<i8")
    groups = {grid.spec.key.rpartition("/")[0] for grid in index.grids.values()}
    flat = {f"{parent}epoch": epochs for parent in ("", "metrics/", *(f"{path}/" for path in groups))}
    flat["time"] = np.array([row.time for row in index.rows], "<f8")
    for name in dict.fromkeys(name for row in index.rows for name in row.scalars):
        flat.setdefault(
            f"metrics/{segment(name)}", np.array([row.scalars.get(name, np.nan) for row in index.rows], "<f8")
        )
    more = {}
    for path, values in flat.items():
        more[path] = _flat(path, len(values), "int64" if values.dtype.kind == "i" else "float64"), values.tobytes()
    for path, names in _labels(index.specs).items():
        if path not in nodes and path not in more:
            more[path] = _flat(path, len(names), "string"), _words(names)
    place.each(lambda one: _write(place, one[0], *one[1]), more.items())
    nodes |= {path: meta for path, (meta, _) in more.items()}
    write_root(place, header, nodes)


def dimensions(specs: Mapping[str, ArraySpec]) -> dict[str, tuple[str, ...]]:
    """Every array's dimension names, so that one name has one size and one set of labels within a group.

    The first array to use a name has it; one that differs gets its own name behind it.
    """
    taken: dict[tuple[str | None, str], tuple[int, tuple[str, ...]]] = {}
    named = {}
    for key, spec in specs.items():
        names = []
        for dim, size in zip(spec.dims, spec.shape, strict=True):
            mine = (size, labels_of(spec, dim))
            same = taken.setdefault((spec.layer, dim), mine) == mine and dim != "epoch"
            names.append(dim if same else f"{dim}_{spec.name}")
        named[key] = tuple(names)
    return named


def labels_of(spec: ArraySpec, dim: str) -> tuple[str, ...]:
    """The names along a dimension, if it has any."""
    columns = tuple(column.name for column in spec.columns) if dim == "stat" == spec.dims[-1] else ()
    return spec.labels.get(dim, columns)


def group(attributes: Meta | None = None) -> Meta:
    return {"zarr_format": 3, "node_type": "group", "attributes": attributes or {}}


def _inline(nodes: Mapping[str, Meta]) -> Meta:
    """Consolidated metadata as zarr-python writes it, which wants one inside every group and siblings side by side."""
    return {"consolidated_metadata": {"kind": "inline", "must_understand": False, "metadata": nodes}}


def _labels(specs: Mapping[str, ArraySpec]) -> dict[str, tuple[str, ...]]:
    """Coordinates by path."""
    return {
        f"{key.rpartition('/')[0]}/{name}": labels_of(spec, dim)
        for key, names in dimensions(specs).items()
        for spec in (specs[key],)
        for dim, name in zip(spec.dims, names, strict=True)
        if labels_of(spec, dim)
    }


def _array(grid: Grid, names: tuple[str, ...], rows: int) -> Meta:
    """A sharded array; docs/trace-format.md explains every member."""
    spec, size = grid.spec, grid.dtype.itemsize
    blosc = {**CODEC, "shuffle": "shuffle", "typesize": size}
    inner = [
        {"name": "transpose", "configuration": {"order": list(range(len(names)))[::-1]}},
        {"name": "bytes", "configuration": {"endian": "little"}} if size > 1 else {"name": "bytes"},
        {"name": "blosc", "configuration": blosc},
        {"name": "crc32c"},
    ]
    sharding = {
        "chunk_shape": grid.shape(grid.chunk),
        "codecs": inner,
        "index_codecs": [{"name": "bytes", "configuration": {"endian": "little"}}, {"name": "crc32c"}],
        "index_location": "end",
    }
    return _meta(
        (rows, *spec.shape),
        spec.dtype,
        grid.shape(grid.shard),
        [{"name": "sharding_indexed", "configuration": sharding}],
        names,
        {
            "columns": [vars(column) for column in spec.columns],
            "labels": {name: labels_of(spec, dim) for dim, name in zip(spec.dims, names[1:], strict=True)},
        },
    )


def _flat(path: str, length: int, dtype: str) -> Meta:
    """A small array in one piece, along the epochs or, for labels, along its own name."""
    codec = {"name": "vlen-utf8"} if dtype == "string" else {"name": "bytes", "configuration": {"endian": "little"}}
    along = path.rpartition("/")[2] if dtype == "string" else "epoch"
    return _meta((length,), dtype, (max(length, 1),), [codec], (along,), {})


def _meta(
    shape: Sequence[int], dtype: str, chunk: Sequence[int], codecs: list[Meta], names: Sequence[str], attributes: Meta
) -> Meta:
    fill: Any = "" if dtype == "string" else False if dtype == "bool" else 0
    if dtype.startswith("float"):
        fill = "NaN"
    return {
        "zarr_format": 3,
        "node_type": "array",
        "shape": list(shape),
        "data_type": dtype,
        "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": list(chunk)}},
        "chunk_key_encoding": {"name": "default", "configuration": {"separator": "/"}},
        "fill_value": fill,
        "codecs": codecs,
        "dimension_names": list(names),
        "attributes": attributes,
    }


def _write(place: Place, path: str, meta: Meta, data: bytes) -> None:
    place.write(f"{path}/c/0", [data])
    _write_node(place, path, meta)


def _write_node(place: Place, path: str, meta: Meta) -> None:
    """A group's or array's zarr.json, if it is not that already: to replace a file waits for the disk, to read it doesn't."""
    file, text = f"{path}/{place.group}", _text(meta)
    with suppress(FileNotFoundError):
        if place.read(file) == text:
            return
    place.write(file, [text])


def _words(names: Sequence[str]) -> bytes:
    """Zarr's vlen-utf8: how many, then every one with its length before it."""
    words = [name.encode() for name in names]
    return len(words).to_bytes(4, "little") + b"".join(len(word).to_bytes(4, "little") + word for word in words)


def _text(meta: Meta) -> bytes:
    return json.dumps(meta, allow_nan=False).encode()
