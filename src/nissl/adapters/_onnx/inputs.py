"""What a model takes: the user's arrays by input name, checked before the model is run."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx

from nissl.errors import BadValue, UnknownName, Unsupported, near


@dataclass(frozen=True)
class Port:
    """One input of the model."""

    name: str
    dtype: np.dtype[Any]
    shape: tuple[int | str | None, ...] | None
    """A number, a name or nothing for each axis; None where even their number is free."""

    def __str__(self) -> str:
        return f"{self.name}: {self.dtype} {'of any shape' if self.shape is None else _said(self.shape)}"


def ports(model: onnx.ModelProto) -> tuple[Port, ...]:
    """The inputs in the model's order; older models list their weights among them."""
    weights = {tensor.name for tensor in model.graph.initializer}
    return tuple(_port(value) for value in model.graph.input if value.name not in weights)


def _port(value: onnx.ValueInfoProto) -> Port:
    if not value.type.HasField("tensor_type"):
        raise Unsupported(f"The model's input {value.name} is no tensor but {value.type.WhichOneof('value')}.")
    tensor = value.type.tensor_type
    shape = tuple(_dim(dim) for dim in tensor.shape.dim) if tensor.HasField("shape") else None
    return Port(value.name, onnx.helper.tensor_dtype_to_np_dtype(tensor.elem_type), shape)


def _dim(dim: Any) -> int | str | None:
    return dim.dim_value if dim.HasField("dim_value") else dim.dim_param or None


def fixed_batch(known: tuple[Port, ...]) -> int | None:
    """How many examples the model takes at a time, where it was exported for a fixed number.

    A model with any free axis was exported for any number of examples: its first axis may be something else, such as steps.
    """
    sizes = {port.shape[0] for port in known if port.shape}
    free = any(port.shape is None or not all(isinstance(n, int) for n in port.shape) for port in known)
    (only,) = sizes if len(sizes) == 1 and not free else (None,)
    return only if isinstance(only, int) else None


def feeds(known: tuple[Port, ...], x: Any) -> dict[str, Any]:
    """x as arrays by input name: an array for a model of one input, else a tuple in order or a dict by name."""
    given = _named(known, x)
    free = fixed_batch(known) is not None
    checked = {port.name: _checked(port, given[port.name], free) for port in known}
    counts = {name: len(value) for name, value in checked.items() if value.ndim}
    if free and len(set(counts.values())) > 1:
        raise BadValue(f"Every input must have the same examples; there are {counts}.")
    return checked


def _named(known: tuple[Port, ...], x: Any) -> dict[str, Any]:
    wants = "The model takes " + "; ".join(map(str, known))
    if not isinstance(x, Mapping):
        x = x if isinstance(x, tuple) else (x,)
        if len(x) != len(known):
            raise BadValue(f"{wants}. {len(x)} inputs were given: pass a tuple in this order, or a dict by name.")
        return dict(zip((port.name for port in known), x, strict=True))
    names = [port.name for port in known]
    for name in x:
        if name not in names:
            raise UnknownName(f"The model has no input {name!r}.{near(name, names)} {wants}.")
    missing = [name for name in names if name not in x]
    if missing:
        raise BadValue(f"{wants}. Not given: {', '.join(missing)}.")
    return dict(x)


def _checked(port: Port, value: Any, free: bool) -> Any:
    array = np.asarray(value)
    if array.dtype != port.dtype:
        if array.dtype.kind != port.dtype.kind or port.dtype.kind not in "fiu":
            raise BadValue(
                f"The model's input is {port}; {array.dtype} was given. If that is meant: x.astype({port.dtype.name!r})."
            )
        array = array.astype(port.dtype)
    if port.shape is not None:
        fits = array.ndim == len(port.shape) and all(
            want == have or not isinstance(want, int) or (axis == 0 and free)
            for axis, (want, have) in enumerate(zip(port.shape, array.shape, strict=True))
        )
        if not fits:
            raise BadValue(f"The model's input is {port}; an array of shape {array.shape} was given.")
    return array


def _said(shape: tuple[int | str | None, ...]) -> str:
    return f"({', '.join('any' if n is None else str(n) for n in shape)}{',' if len(shape) == 1 else ''})"


def pieces(given: dict[str, Any], size: int) -> Iterator[tuple[dict[str, Any], int]]:
    """The examples `size` at a time, the last piece filled up with its last example; and how many of each are real."""
    count = len(next(iter(given.values())))
    for start in range(0, count, size):
        rows = np.minimum(np.arange(start, start + size), count - 1)
        yield {name: value[rows] for name, value in given.items()}, min(size, count - start)
