"""A perceptron's own arithmetic, operation by operation as scikit-learn does it, so that results are bit-identical."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.neural_network._base import ACTIVATIONS, DERIVATIVES
from sklearn.utils.extmath import safe_sparse_dot

from nissl.core.network import Array
from nissl.errors import Unsupported

MIXES = ("softmax",)
"""Output activations that mix the units: the layer is heard before them."""
Replace = Callable[[int, Array], Array]
"""A layer's number and value to the value that goes on."""


@dataclass(frozen=True)
class Pass:
    """What one pass computed, layer by layer."""

    before: list[Array]
    """Before the nonlinearity."""
    heard: list[Array]
    """Where the layers are heard."""
    output: Array


def forward(mlp: Any, x: Any, replace: Replace) -> Pass:
    before, heard, value = [], [], x
    last = len(mlp.coefs_) - 1
    for number in range(last + 1):
        drive = linear(mlp, number, value)
        before.append(drive)
        name = mlp.out_activation_ if number == last else mlp.activation
        value = replace(number, drive if name in MIXES else activated(name, drive))
        heard.append(value)
        value = activated(name, value) if name in MIXES else value
    return Pass(before, heard, value)


def linear(mlp: Any, number: int, value: Any) -> Array:
    drive = safe_sparse_dot(value, mlp.coefs_[number])
    drive += mlp.intercepts_[number]
    return drive


def activated(name: str, drive: Array) -> Array:
    value = drive.copy()
    ACTIVATIONS[name](value)
    return value


def backward(
    mlp: Any, done: Pass, seed: Array, replaced: Callable[[int], Sequence[int]], of: int | None = None
) -> list[Array]:
    """Gradients at the input and at every layer, of a score whose gradient at the output, or at the layer `of`, is `seed`.

    `replaced`: the units of a layer through which nothing flows back, since their values were set.
    """
    last, output = len(mlp.coefs_) - 1, done.output
    mixed = of is None and mlp.out_activation_ in MIXES
    at = output * (seed - (seed * output).sum(1, keepdims=True)) if mixed else seed
    first = last if of is None else of
    found = [*(np.zeros_like(later) for later in done.heard[:first:-1]), at]
    for number in range(first, -1, -1):
        flow = at.copy()
        flow[:, list(replaced(number))] = 0
        name = mlp.out_activation_ if number == last else mlp.activation
        if name not in MIXES:
            value = activated(name, done.before[number])
            _derived(name, value, flow)
        at = flow @ mlp.coefs_[number].T
        found.append(at)
    return found[::-1]


def _derived(name: str, value: Array, flow: Array) -> None:
    """The gradient before a nonlinearity from that behind it, in place."""
    if name == "exp":
        flow *= value
    elif name in DERIVATIVES:
        DERIVATIVES[name](value, flow)
    else:
        raise Unsupported(f"The derivative of scikit-learn's {name} is not known here.")
