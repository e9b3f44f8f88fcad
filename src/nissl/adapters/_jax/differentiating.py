"""Gradients of a target with respect to the input or to layers' activations."""

from typing import Any

import numpy as np
from jax import numpy as jnp

from nissl.adapters._host import choice
from nissl.adapters._jax.values import value_of
from nissl.core.layer import Layer
from nissl.errors import BadValue


def score(output: Any, target: Any, layer: Layer | None = None) -> Any:
    """The sum over the examples of what is to be differentiated; `layer`: whose value it is, if not the network's."""
    if callable(target):
        made = target(output)
        if not hasattr(made, "dtype"):
            raise BadValue(
                f"The target function returned {type(made).__name__}; it must return an array made of the output."
            )
        return made.sum()
    value = value_of(output, last=False)
    if value is None:
        raise BadValue(f"The network returned {type(output).__name__} without an array; give a function as target.")
    if isinstance(target, str):
        if target == "sum":
            return value.sum()
        raise BadValue(f'target is a class, one class an example, "sum", weights or a function, not {target!r}.')
    table = value[:, None] if value.ndim == 1 else value
    if layer is not None and value.ndim > 1:
        table = jnp.moveaxis(value, (layer.batch_axis, layer.unit_axis), (0, -1))
    picked = np.asarray(target)
    if picked.dtype.kind == "f":
        if picked.shape != value.shape:
            raise BadValue(f"Weights have the shape of what they weigh, {value.shape}; these have {picked.shape}.")
        return (value * picked.astype(value.dtype)).sum()
    if picked.dtype.kind not in "iu" or picked.ndim > 1:
        raise BadValue(f"Classes are whole numbers, one for all or one an example; {target!r} was given.")
    if picked.size and (picked.min() < 0 or picked.max() >= table.shape[-1]):
        raise BadValue(choice.none_such(layer, table.shape[-1], target))
    if picked.ndim and len(picked) != len(table):
        raise BadValue(f"{len(picked)} classes were given for {len(table)} examples.")
    return jnp.moveaxis(table, -1, 1)[np.arange(len(table)), np.broadcast_to(picked, len(table))].sum()
