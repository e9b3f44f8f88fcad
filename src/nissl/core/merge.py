"""How the parts that several ranks recorded of one epoch become one array, by the rules that its columns carry."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nissl.core.store import ArraySpec, Column, absent
from nissl.errors import BadValue

Array = NDArray[Any]
Parts = Sequence[Mapping[str, Array]]
ALONGSIDE = ("steps", "seconds")  # scalars that ranks go through side by side: of these the most counts


def merged(spec: ArraySpec, parts: Parts, specs: Mapping[str, ArraySpec]) -> Array:
    """One array out of what each rank has of it; ranks without it and NaN values are left out.

    `parts` hold, besides the array itself, the siblings that its columns weigh by.
    """
    parts = [part for part in parts if spec.key in part]
    if len(parts) == 1:
        with np.errstate(over="ignore"):
            return parts[0][spec.key].astype(spec.dtype, copy=False)
    result = np.full(parts[0][spec.key].shape, absent(spec), spec.dtype)
    for column, at in columns(spec):
        values = np.stack([part[spec.key][at] for part in parts])
        with np.errstate(over="ignore"):  # what is too large for the declared type is infinite in it
            result[at] = _RULES[column.merge](column, values, _Siblings(spec, parts, specs))
    return result


def scalars(parts: Sequence[tuple[Mapping[str, float], float]]) -> dict[str, float]:
    """One number of each name out of every rank's (numbers, weight): their weighted mean, over the ranks that have it."""
    whole = {}
    for name in dict.fromkeys(name for numbers, _ in parts for name in numbers):
        found = [(numbers[name], weight) for numbers, weight in parts if name in numbers]
        counted = [(value, weight) for value, weight in found if weight > 0] or [(value, 1.0) for value, _ in found]
        if name in ALONGSIDE or len(counted) == 1:
            whole[name] = max(value for value, _ in counted)
        else:
            whole[name] = sum(value * weight for value, weight in counted) / sum(weight for _, weight in counted)
    return whole


def columns(spec: ArraySpec) -> Iterator[tuple[Column, Any]]:
    """Each column and where in the array it stands."""
    if spec.dims and spec.dims[-1] == "stat" and spec.columns:
        for index, column in enumerate(spec.columns):
            yield column, (..., index)
    else:
        yield (spec.columns[0] if spec.columns else Column(spec.name)), ...


def siblings(spec: ArraySpec, specs: Mapping[str, ArraySpec]) -> set[str]:
    """The keys of the other arrays that merging this one takes; BadValue where a rule cannot be followed."""
    keys = set()
    for column, _ in columns(spec):
        if column.merge not in _RULES:
            raise BadValue(f"{spec.key}: column {column.name!r} has no such rule to merge by: {column.merge!r}.")
        wanted = {"mean": [column.weight], "average": [column.weight], "std": [column.weight, column.mean]}.get(
            column.merge, []
        )
        found = [_find(name, spec, specs) for name in wanted]
        if len(found) == 2 and found[1] is None:
            raise BadValue(
                f"{spec.key}: the spread {column.name!r} of several ranks cannot be merged without {column.mean!r}, the mean "
                "that it is around: record that too."
            )
        keys |= {place[0].key for place in found if place is not None}
    return keys - {spec.key}


def _find(name: str, spec: ArraySpec, specs: Mapping[str, ArraySpec]) -> tuple[ArraySpec, Any] | None:
    """Where a sibling is: in the array itself, an array of that name in the layer, a column of another array there."""
    layer = [other for other in specs.values() if other.layer == spec.layer and other.key != spec.key]
    named = [(other, ...) for other in layer if other.name == name]
    inside = [
        (other, at)
        for other in (spec, *layer)
        if other.dims and other.dims[-1] == "stat"
        for column, at in columns(other)
        if column.name == name
    ]
    fitting = [
        (other, at) for other, at in (*inside[:1], *named, *inside[1:]) if set(_dims(other, at)) <= set(spec.dims)
    ]
    return fitting[0] if fitting else None


def _dims(spec: ArraySpec, at: Any) -> tuple[str, ...]:
    return spec.dims if at is ... else spec.dims[:-1]


class _Siblings:
    """Looks up the values that a column is weighed by, shaped so that they broadcast against it."""

    def __init__(self, spec: ArraySpec, parts: Parts, specs: Mapping[str, ArraySpec]):
        self._spec, self._parts, self._specs = spec, parts, specs

    def get(self, name: str, values: Array) -> Array | None:
        """(rank, ...) for (rank, ...) values; None where nothing of that name was recorded."""
        found = _find(name, self._spec, self._specs)
        if found is None or any(found[0].key not in part for part in self._parts):
            return None
        other, at = found
        own = self._spec.dims[: values.ndim - 1]
        kept = [dim for dim in own if dim in _dims(other, at)]
        stacked = np.stack([part[other.key][at] for part in self._parts])
        order = [0, *(1 + _dims(other, at).index(dim) for dim in kept)]
        shape = [len(self._parts), *(n if dim in kept else 1 for dim, n in zip(own, values.shape[1:], strict=True))]
        return stacked.transpose(order).reshape(shape)


def _weights(column: Column, values: Array, siblings: _Siblings) -> Array:
    """How much each part's value counts: nothing where it is NaN, all alike where no weight was recorded."""
    weight = siblings.get(column.weight, values)
    wide = np.broadcast_to(1.0 if weight is None else weight.astype(np.float64), values.shape)
    return np.where(np.isnan(values) | np.isnan(wide), 0.0, wide)


def _sum(_: Column, values: Array, __: _Siblings) -> Array:
    if not np.issubdtype(values.dtype, np.floating):
        return values.sum(0)
    return np.where(np.isnan(values).all(0), np.nan, np.nansum(values.astype(np.float64), 0))


def _min(_: Column, values: Array, __: _Siblings) -> Array:
    return np.fmin.reduce(values, 0)


def _max(_: Column, values: Array, __: _Siblings) -> Array:
    return np.fmax.reduce(values, 0)


def _mean(column: Column, values: Array, siblings: _Siblings) -> Array:
    return _average(values, _weights(column, values, siblings))


def _std(column: Column, values: Array, siblings: _Siblings) -> Array:
    """Chan, Golub and LeVeque: the spread within the parts and the spread of their means."""
    weight = _weights(column, values, siblings)
    means = siblings.get(column.mean, values)
    if means is None:
        raise BadValue(f"The spread {column.name!r} cannot be merged: no {column.mean!r} was recorded with it.")
    means = np.broadcast_to(means.astype(np.float64), values.shape)
    weight = np.where(np.isnan(means), 0.0, weight)
    gaps = np.where(weight > 0, means - _average(means, weight), 0.0)
    return np.sqrt(_average(values.astype(np.float64) ** 2 + gaps**2, weight))


def _first(_: Column, values: Array, __: _Siblings) -> Array:
    if not np.issubdtype(values.dtype, np.floating):
        return values[0]
    return np.take_along_axis(values, np.isnan(values).argmin(0)[None], 0)[0]


def _average(values: Array, weight: Array) -> Array:
    total = weight.sum(0)
    weighted = (np.where(weight > 0, values, 0.0) * weight).sum(0)
    return np.divide(weighted, total, out=np.full(np.shape(total), np.nan), where=total > 0)


_RULES = {"sum": _sum, "min": _min, "max": _max, "mean": _mean, "average": _mean, "std": _std, "first": _first}
