"""What a store lets in: the checks that every store makes of what it is given, and how a header is kept."""

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nissl.core.store import ArraySpec, Column, Record
from nissl.errors import BadValue, UnknownKey, listing, near

Array = NDArray[Any]
DTYPES = (*(f"float{n}" for n in (16, 32, 64)), *(f"{k}{n}" for k in ("int", "uint") for n in (8, 16, 32, 64)), "bool")
LARGEST = 1 << 34  # bytes of one array in one epoch; more can only be a mistake or an attack
RESERVED = ("format", "run_id", "closed")
_NAME = re.compile(r"(?!__)[A-Za-z0-9%_-][A-Za-z0-9%_.~-]*")


def kept(header: Mapping[str, Any]) -> dict[str, Any]:
    """A header as it will be read again, out of JSON."""
    taken = sorted(set(header) & set(RESERVED))
    if taken:
        raise BadValue(f"A header cannot hold {listing(taken)}: the store says that itself.")
    try:
        plain: dict[str, Any] = json.loads(json.dumps(dict(header), allow_nan=False))
    except (TypeError, ValueError, RecursionError) as error:
        raise BadValue(f"A header must be JSON: {error}.") from None
    return plain


def declared(known: Mapping[str, ArraySpec], new: Sequence[ArraySpec]) -> dict[str, ArraySpec]:
    """The known arrays with new ones added; BadValue where one is impossible or was declared otherwise."""
    specs = dict(known)
    for spec in map(sound, new):
        if specs.setdefault(spec.key, spec) != spec:
            raise BadValue(f"{spec.key} was declared as {specs[spec.key]} and cannot become {spec}.")
    return specs


def sound(spec: ArraySpec) -> ArraySpec:
    """The spec in its plain form; BadValue where no array can be like that."""
    parts = [
        part for part in spec.key.split("/")[1:] if not _NAME.fullmatch(part) or part == "zarr.json" or len(part) > 200
    ]
    if (
        parts
        or (spec.layer is not None and spec.key.count("/") != 2)
        or (spec.layer is None and spec.key.count("/") != 1)
    ):
        raise BadValue(f"{spec.key!r} cannot be a place in a trace: {spec.name!r} in layer {spec.layer!r}.")
    if spec.dtype not in DTYPES:
        raise BadValue(f"{spec.key} has the type {spec.dtype!r}; a trace can hold {listing(DTYPES)}.")
    sizes = tuple(int(n) for n in spec.shape)
    if len(spec.dims) != len(sizes) or min(sizes, default=0) < 0 or len(set(spec.dims)) != len(sizes):
        raise BadValue(f"{spec.key}: the shape {spec.shape} does not fit the dimensions {spec.dims}.")
    if math.prod(sizes) * np.dtype(spec.dtype).itemsize > LARGEST:
        raise BadValue(f"{spec.key}: {spec.shape} is more than {LARGEST >> 30} GiB for one epoch.")
    wanted = sizes[-1] if "stat" in spec.dims[-1:] else 1
    if len(spec.columns) not in {0, wanted}:
        raise BadValue(f"{spec.key} has {len(spec.columns)} columns, where {wanted} would fit.")
    labels = {dim: tuple(map(str, names)) for dim, names in spec.labels.items()}
    wrong = [dim for dim, names in labels.items() if dim not in spec.dims or len(names) != sizes[spec.dims.index(dim)]]
    if wrong:
        raise BadValue(f"{spec.key}: the labels of {listing(wrong)} do not fit the shape {spec.shape}.")
    columns = tuple(Column(c.name, c.merge, c.weight, c.mean) for c in spec.columns)
    return replace(spec, dims=tuple(spec.dims), shape=sizes, columns=columns, labels=labels)


def arrays(record: Record, specs: Mapping[str, ArraySpec], last: int | None) -> dict[str, Array]:
    """A record's arrays as they were declared (parts: floats in float64); BadValue where they were not, or where the epoch is not a later one."""
    if record.epoch < 0 or (last is not None and record.epoch <= last):
        raise BadValue(f"Epoch {record.epoch} cannot follow epoch {last}: epochs are appended in order, from 0 up.")
    if not 0 <= record.rank < record.world:
        raise BadValue(f"There is no rank {record.rank} among {record.world}.")
    if not 0 <= record.weight < math.inf:
        raise BadValue(f"Rank {record.rank} cannot count {record.weight} examples at epoch {record.epoch}.")
    found = {}
    for key, given in record.arrays.items():
        if key not in specs:
            raise BadValue(f"{key!r} was not declared.{near(key, specs)} Declared are: {listing(specs)}.")
        spec, array = specs[key], np.asarray(given)
        if array.shape != spec.shape or not np.can_cast(array.dtype, spec.dtype, "same_kind"):
            raise BadValue(
                f"{key} at epoch {record.epoch} is {array.dtype}{array.shape}, not {spec.dtype}{spec.shape}."
            )
        wide = record.world > 1 and np.issubdtype(np.dtype(spec.dtype), np.floating)
        dtype = np.dtype("float64" if wide else spec.dtype).newbyteorder("<")
        found[key] = np.ascontiguousarray(array, dtype).reshape(spec.shape)
    return found


def scalars(record: Record) -> dict[str, float]:
    """A record's scalars as plain floats."""
    return {str(name): float(value) for name, value in record.scalars.items()}


def spec_of(key: str, specs: Mapping[str, ArraySpec]) -> ArraySpec:
    """The array of this key; UnknownKey says what there is."""
    if key not in specs:
        raise UnknownKey(f"This trace has no array {key!r}.{near(key, specs)} It has: {listing(specs)}.")
    return specs[key]


def unknown_epoch(epoch: int, epochs: Sequence[int]) -> UnknownKey:
    """The error for an epoch that was never committed."""
    return UnknownKey(f"This trace has no epoch {epoch}. It has: {listing(epochs)}.")


def window(spec: ArraySpec, where: tuple[slice, ...]) -> tuple[slice, ...]:
    """One slice for each of the array's dimensions."""
    if len(where) > len(spec.dims) or not all(isinstance(part, slice) for part in where):
        raise BadValue(f"{spec.key} is cut by at most {len(spec.dims)} slices, for {spec.dims}; got {where}.")
    return (*where, *(slice(None) for _ in spec.dims[len(where) :]))
