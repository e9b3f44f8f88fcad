"""What a gradient is of, as the gradient at the network's output."""

from typing import Any

import numpy as np

from nissl.core.network import Array
from nissl.errors import BadValue, Unsupported


def seed(output: Array, target: Any) -> Array:
    """Of a class for all, one an example, "sum" of all outputs, weights of them, or a function of the output."""
    if callable(target):
        return _of_function(output, target)
    if isinstance(target, str):
        if target != "sum":
            raise BadValue(f'target is a class, one class an example, "sum", weights or a function, not {target!r}.')
        return np.ones_like(output)
    chosen = np.asarray(target)
    if chosen.dtype.kind == "f":
        if chosen.shape != output.shape:
            raise BadValue(f"Weights have the outputs' shape {output.shape}; these have {chosen.shape}.")
        return chosen.astype(output.dtype)
    if chosen.dtype.kind not in "iu" or chosen.ndim > 1:
        raise BadValue(f"Classes are whole numbers, one for all or one an example; {target!r} was given.")
    if chosen.size and (chosen.min() < 0 or chosen.max() >= output.shape[1]):
        raise BadValue(f"The network has {output.shape[1]} outputs, 0 to {output.shape[1] - 1}; target is {target!r}.")
    if chosen.ndim and len(chosen) != len(output):
        raise BadValue(f"{len(chosen)} classes were given for {len(output)} examples.")
    found = np.zeros_like(output)
    found[np.arange(len(output)), chosen] = 1
    return found


def _of_function(output: Array, target: Any) -> Array:
    """By complex steps, which are exact for whatever is analytic: one an output, or one a value where examples are mixed."""
    shifted, step = output.astype(np.complex128), 1e-30
    found = np.zeros_like(output)
    places: Any = np.ndindex(output.shape)
    if np.ndim(target(output)):
        places = [(slice(None), number) for number in range(output.shape[1])]
    for place in places:
        kept = np.copy(shifted[place])
        shifted[place] = kept + 1j * step
        score = target(shifted)
        if not np.iscomplexobj(score):
            raise Unsupported(
                "The gradient of a target function is taken by complex steps: it must keep to operations of numpy that complex "
                "numbers have too (sums, products, exp, log). This one returned plain numbers."
            )
        found[place] = np.imag(score) / step
        shifted[place] = kept
    return found
