"""Changes made part of the layer's own parameters: its incoming rows and bias, or those of the norm behind it."""

import numpy as np
from numpy.typing import NDArray
from torch import nn

from nissl.adapters._torch import kinds, parameters
from nissl.adapters._torch.rewriting.draft import Draft
from nissl.adapters._torch.rewriting.order import Order
from nissl.adapters._torch.rewriting.preimage import before
from nissl.adapters._torch.rewriting.takers import give_bias

Calls = list[tuple[nn.Module, bool]]
"""The module of every layer, and whether it is what this takes that is the layer: once for every call."""
_WRITTEN = (*kinds.DENSE, *kinds.CONV, *kinds.EMBEDDING, nn.MultiheadAttention)
_APART = (nn.modules.batchnorm._BatchNorm, nn.modules.instancenorm._InstanceNorm)
"""Norms that look at one channel at a time, so that what is in front of a dead one does not matter."""


def often(order: Order, calls: Calls) -> str | None:
    """Why a layer's weights are not this layer's alone, or None."""
    many = calls.count((order.place.module, order.place.enters)) > 1
    return "its module is called more than once in a pass" if many else None


def written(order: Order, draft: Draft) -> NDArray[np.bool_]:
    """Write what can be written; which units that was. Heads have no rows of their own."""
    module = draft.of(order.place.module)
    norm = None if order.place.norm is None else draft.of(order.place.norm)
    nothing = np.zeros(len(order.units), bool)
    if order.place.enters:
        return nothing
    if not (isinstance(module, _WRITTEN) or kinds.is_conv1d(module)) or module in draft.bound or norm in draft.bound:
        return nothing
    if norm is not None and "bias" not in parameters.weights(norm):
        return nothing
    factor, addend, possible = before(order)
    if not possible.any():
        return nothing
    units, factor, addend = order.units[possible], factor[possible], addend[possible]
    if norm is None:
        _write(module, units, factor, addend)
    else:
        _write(norm, units, factor, addend)
        dead = units[factor == 0]
        if isinstance(norm, _APART):
            _write(module, dead, np.zeros(len(dead)), np.zeros(len(dead)), bias=False)
    return possible


def _write(
    module: nn.Module, units: NDArray[np.int64], factor: NDArray[np.float64], addend: NDArray[np.float64], *, bias: bool = True
) -> None:  # fmt: skip
    looked_up = isinstance(module, kinds.EMBEDDING)
    if bias and not looked_up and addend.any() and "bias" not in parameters.weights(module):
        give_bias(module)
    new = parameters.weights(module)
    for key, value in new.items():
        value[units] *= factor.reshape(-1, *[1] * (value.ndim - 1))
        if key == "bias" or looked_up:
            value[units] += addend.reshape(-1, *[1] * (value.ndim - 1))
    parameters.edit(module, type(module).__name__, new)
