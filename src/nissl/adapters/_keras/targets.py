"""What a gradient is asked of: a class, one an example, all outputs, weights of them, or a function."""

from collections.abc import Callable
from typing import Any

import numpy as np
from keras import ops

from nissl.adapters._host import choice
from nissl.adapters._keras import values
from nissl.core.layer import Layer
from nissl.errors import BadValue, NotHeard


def score(output: Any, target: Any, layer: Layer | None = None) -> Any:
    """One number in all: examples do not reach each other, so its gradient is each one's own.

    `layer`: whose value it is, if it is not the network's.
    """
    if callable(target):
        made = target(output)
        if not values.is_tensor(made):
            raise BadValue(
                f"The target function returned {type(made).__name__}; it must return a tensor made of the output."
            )
        return ops.sum(made)
    value = values.first(output)
    if value is None:
        raise BadValue(f"The network returned {type(output).__name__} without a tensor; give a function as target.")
    if isinstance(target, str):
        if target == "sum":
            return ops.sum(value)
        raise BadValue(f'target is a class, one class an example, "sum", weights or a function, not {target!r}.')
    weights = values.to_numpy(target) if values.is_tensor(target) else np.asarray(target)
    if weights.dtype.kind == "f":
        if weights.shape != tuple(value.shape):
            raise BadValue(
                f"Weights have the shape of what they weigh, {tuple(value.shape)}; these have {weights.shape}."
            )
        return ops.sum(value * ops.cast(ops.convert_to_tensor(weights), value.dtype))
    table = ops.expand_dims(value, -1) if len(value.shape) == 1 else value
    if layer is not None and len(value.shape) > 1:
        table = ops.moveaxis(value, (layer.batch_axis, layer.unit_axis), (0, -1))
    return ops.sum(_chosen(table, target, layer))


class Kept:
    """Hands each layer's value on to `catch`, and keeps that of the layer `of`."""

    def __init__(self, catch: Callable[[str, Any], Any], of: str | None):
        self._catch, self._of = catch, of
        self._value: Any = None

    def __call__(self, name: str, value: Any) -> Any:
        value = self._catch(name, value)
        if name == self._of:
            self._value = value
        return value

    @property
    def value(self) -> Any:
        if self._value is None:
            raise NotHeard(f"{self._of} did not run on this input, so that there is nothing to make a target of.")
        return self._value


def _chosen(table: Any, target: Any, layer: Layer | None) -> Any:
    classes = values.to_numpy(target) if values.is_tensor(target) else np.asarray(target)
    have, examples = int(table.shape[-1]), int(table.shape[0])
    if classes.dtype.kind not in "iu" or classes.ndim > 1:
        raise BadValue(f"Classes are whole numbers, one for all or one an example; {target!r} was given.")
    if classes.size and (int(classes.min()) < 0 or int(classes.max()) >= have):
        raise BadValue(choice.none_such(layer, have, target))
    if classes.ndim == 0:
        return table[..., int(classes)]
    if len(classes) != examples:
        raise BadValue(f"{len(classes)} classes were given for {examples} examples.")
    shape = (*table.shape[:-1], 1)
    at = np.broadcast_to(classes.reshape(-1, *[1] * (len(shape) - 1)), shape)
    return ops.take_along_axis(table, ops.convert_to_tensor(np.ascontiguousarray(at)), axis=-1)
