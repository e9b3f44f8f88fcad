"""A layer's parameters with the unit first, and back to how the graph stores them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from onnx import numpy_helper

from nissl.adapters._onnx.graph import array
from nissl.errors import BadValue, UnknownName, Unsupported, listing, near

Turn = Callable[[Any], Any]


@dataclass(frozen=True)
class Form:
    """One named array of a layer: which constant of the graph it is, and how that is turned unit first and back."""

    tensor: str
    unit_first: Turn = lambda a: a
    back: Turn = lambda a: a


def turned(tensor: str) -> Form:
    return Form(tensor, np.transpose, np.transpose)


def flat(tensor: str, shape: tuple[int, ...]) -> Form:
    """A bias that is stored with axes of length one."""
    return Form(tensor, np.ravel, lambda a: a.reshape(shape))


def transposed(tensor: str, groups: int) -> Form:
    """From (in, out/groups, ...) to (out, in/groups, ...), and the same way back."""

    def turn(a: Any) -> Any:
        parts = a.reshape(groups, a.shape[0] // groups, *a.shape[1:]).swapaxes(1, 2)
        return parts.reshape(groups * parts.shape[1], *parts.shape[2:])

    return Form(tensor, turn, turn)


def gated(tensor: str, shape: tuple[int, ...], hidden: int) -> Form:
    """(direction, gates * hidden, ...): each unit's gates side by side, the directions one after the other."""
    split = (shape[0], shape[1] // hidden, hidden, *shape[2:])

    def unit_first(a: Any) -> Any:
        return a.reshape(split).swapaxes(1, 2).reshape(shape[0] * hidden, -1)

    def back(a: Any) -> Any:
        return a.reshape(split[0], hidden, split[1], *shape[2:]).swapaxes(1, 2).reshape(shape)

    return Form(tensor, unit_first, back)


def read(forms: Mapping[str, Form], tensors: Mapping[str, onnx.TensorProto]) -> dict[str, Any]:
    return {
        name: np.array(form.unit_first(array(tensors[form.tensor])), order="C")
        for name, form in forms.items()
        if form.tensor in tensors
    }


def write(
    layer: str, forms: Mapping[str, Form], tensors: Mapping[str, onnx.TensorProto], changed: Mapping[str, Any]
) -> None:
    """Write parameters into the model's own constants; nothing is written unless all of it fits."""
    have = read(forms, tensors)
    for name, given in changed.items():
        if name not in forms:
            raise UnknownName(f"{layer} has no parameter {name!r}.{near(name, forms)} It has: {listing(forms)}.")
        if name not in have:
            raise Unsupported(f"{layer}'s {name} is stored inside a function of the model, where it cannot be written.")
        if np.shape(given) != have[name].shape:
            raise BadValue(
                f"{layer}'s {name} has the shape {have[name].shape}, unit first; {np.shape(given)} was given."
            )
    for name, given in changed.items():
        old = tensors[forms[name].tensor]
        new = np.ascontiguousarray(forms[name].back(np.asarray(given)), numpy_helper.to_array(old).dtype)
        old.CopyFrom(numpy_helper.from_array(new, old.name))
