"""A layer's parameters with the unit first, as every adapter gives them, and back again."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from keras import layers, ops
from numpy.typing import NDArray

from nissl.adapters._keras import kinds, values
from nissl.errors import BadValue, UnknownName, listing, near

Array = NDArray[Any]
Turn = Callable[[Array], Array]


@dataclass(frozen=True)
class Form:
    """One named array of a layer: the variables that it joins along its units, and how each is turned unit first and back."""

    variables: tuple[Any, ...]
    unit_first: Turn = lambda a: a
    back: Turn = lambda a: a


def forms(layer: Any) -> dict[str, Form]:
    """What `weights` gives for this layer; nothing before it is built."""
    if not layer.built:
        return {}
    if isinstance(layer, kinds.ATTENTION):  # its units are what its output projection puts out
        return _einsum(layer.output_dense)
    if isinstance(layer, layers.EinsumDense):
        return _einsum(layer)
    if isinstance(layer, kinds.RECURRENT) and not isinstance(layer, kinds.RECURRENT_CONV):
        return _recurrent(layer) or _raw(layer)
    if isinstance(layer, layers.Embedding):
        return {"weight": Form((layer.embeddings,), np.transpose, np.transpose)}
    if isinstance(layer, (layers.Dense, *kinds.CONV)):
        kernel = layer.pointwise_kernel if isinstance(layer, kinds.SEPARABLE) else layer.kernel
        found = {"weight": Form((kernel,), *_turns(layer, tuple(kernel.shape)))}
        return found | ({"bias": Form((layer.bias,))} if layer.bias is not None else {})
    return _raw(layer)


def _turns(layer: Any, shape: tuple[int, ...]) -> tuple[Turn, Turn]:
    """From (*kernel, in, out) to (out, in, *kernel) and back; dense is a kernel without an extent."""
    n = len(shape)
    if isinstance(layer, kinds.DEPTHWISE):  # each input channel has its own outputs
        return (
            lambda a: np.moveaxis(a.reshape(*shape[:-2], -1, 1), (-2, -1), (0, 1)),
            lambda a: np.moveaxis(a, (0, 1), (-2, -1)).reshape(shape),
        )
    ends = (-2, -1) if isinstance(layer, kinds.TRANSPOSED) else (-1, -2)
    order = [n + ends[0], n + ends[1], *range(n - 2)]
    return lambda a: np.transpose(a, order), lambda a: np.transpose(a, np.argsort(order))


def _einsum(layer: Any) -> dict[str, Form]:
    """(out, everything else): the unit is the last letter of what comes out."""
    at = kinds.einsum(layer)
    if at < 0:
        return _raw(layer)
    shape = tuple(layer.kernel.shape)
    moved = (shape[at], *shape[:at], *shape[at + 1 :])
    found = {
        "weight": Form(
            (layer.kernel,),
            lambda a: np.moveaxis(a, at, 0).reshape(shape[at], -1),
            lambda a: np.moveaxis(a.reshape(moved), 0, at),
        )
    }
    if layer.bias is not None:
        found["bias"] = Form((layer.bias,), lambda a: np.moveaxis(a, -1, 0), lambda a: np.moveaxis(a, 0, -1))
    return found


def _recurrent(layer: Any) -> dict[str, Form]:
    """Each unit's gates side by side; both directions one after the other, as the output has them."""
    both = isinstance(layer, layers.Bidirectional)
    if both and layer.merge_mode != "concat":
        return {}
    cells = [one.cell for one in ((layer.forward_layer, layer.backward_layer) if both else (layer,))]
    size = getattr(cells[0], "units", None)
    if size is None:
        return {}
    found = {}
    for name in ("kernel", "recurrent_kernel", "bias"):
        variables = tuple(v for v in (getattr(cell, name, None) for cell in cells) if v is not None)
        if variables:
            found[name] = Form(variables, *_gates(tuple(variables[0].shape), int(size)))
    return found


def _gates(shape: tuple[int, ...], size: int) -> tuple[Turn, Turn]:
    """From (in, gates x size) to (size, gates x in) and back."""
    rest, gates = int(np.prod(shape[:-1])), shape[-1] // size

    def unit_first(a: Array) -> Array:
        return a.reshape(rest, gates, size).transpose(2, 1, 0).reshape(size, -1)

    def back(a: Array) -> Array:
        return a.reshape(size, gates, rest).transpose(2, 1, 0).reshape(shape)

    return unit_first, back


def _raw(layer: Any) -> dict[str, Form]:
    found: dict[str, Form] = {}
    for variable in layer.trainable_variables:
        found.setdefault(variable.name, Form((variable,)))
    return found


def shapes(layer: Any) -> dict[str, tuple[int, ...]]:
    return {key: tuple(_joined(form, _blank).shape) for key, form in forms(layer).items()}


def _blank(variable: Any) -> Array:
    """Its shape alone, which costs no memory."""
    return np.broadcast_to(np.zeros(1, np.int8), tuple(variable.shape))


def _read(variable: Any) -> Array:
    return values.to_numpy(ops.convert_to_tensor(variable.value))


def weights(layer: Any) -> dict[str, Array]:
    return {key: np.array(_joined(form, _read)) for key, form in forms(layer).items()}


def _joined(form: Form, read: Callable[[Any], Array]) -> Array:
    parts = [form.unit_first(read(variable)) for variable in form.variables]
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def edit(layer: Any, name: str, changed: Mapping[str, Array]) -> None:
    """Assign these parameters to the layer's own variables; nothing is assigned unless all of it fits."""
    known, have = forms(layer), shapes(layer)
    for key, array in changed.items():
        if key not in known:
            raise UnknownName(f"{name} has no parameter {key!r}.{near(key, known)} It has: {listing(known)}.")
        if tuple(np.shape(array)) != have[key]:
            raise BadValue(f"{name}'s {key} has the shape {have[key]}, unit first; {tuple(np.shape(array))} was given.")
    for key, array in changed.items():
        form = known[key]
        for variable, piece in zip(form.variables, np.split(np.asarray(array), len(form.variables)), strict=True):
            variable.assign(np.ascontiguousarray(form.back(piece)))
