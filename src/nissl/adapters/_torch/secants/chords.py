"""Nonlinearities that treat each element by itself: the slope of the chord."""

import torch
from torch import Tensor

from nissl.adapters._torch.secants.pairs import Pair, Slopes, first

ELEMENTWISE = {
    "_prelu_kernel", "abs", "acos", "asin", "atan", "atanh", "celu", "clamp", "clamp_max", "clamp_min", "cos", "cosh",
    "elu", "erf", "erfc", "exp", "exp2", "expm1", "gelu", "hardshrink", "hardsigmoid", "hardswish", "hardtanh",
    "leaky_relu", "log", "log10", "log1p", "log2", "log_sigmoid_forward", "mish", "pow", "reciprocal", "relu", "rsqrt",
    "sigmoid", "silu", "sin", "sinh", "softplus", "softshrink", "sqrt", "square", "tan", "tanh", "threshold",
}  # fmt: skip


def chord(pair: Pair, inward: Slopes, outward: Slopes) -> Slopes:
    """Where the two are too near for a difference, the tangent that autograd has found."""
    slope, tangent = outward[0], inward[0]
    if slope is None or tangent is None:
        return inward
    a, b = pair.both()
    args, slot = list(pair.here.args), pair.slots[0]
    made = [first(pair.here.again(*args[:slot], x, *args[slot + 1 :])) for x in (a, b)]
    return [torch.where(near(a, b, *made), tangent, slope * (made[0] - made[1]) / (a - b)), *inward[1:]]


def near(a: Tensor, b: Tensor, fa: Tensor, fb: Tensor) -> Tensor:
    """Would rounding spoil the chord? Or is something infinite?"""
    step, distance = torch.finfo(a.dtype).eps ** 0.5, (a - b).abs()
    cancels = (fa - fb).abs() <= step * (fa.abs() + fb.abs())
    close = distance <= step * torch.maximum(a.abs(), b.abs())
    return close | (cancels & (distance <= step)) | ~torch.isfinite(distance) | ~torch.isfinite(fa - fb)


def gate(pair: Pair, inward: Slopes, outward: Slopes) -> Slopes:
    """GLU: half of the units times the sigmoid of the other half."""
    slope = outward[0]
    if slope is None:
        return inward
    axis = pair.here.args[1] if len(pair.here.args) > 1 else -1
    (va, ga), (vb, gb) = (x.chunk(2, axis) for x in pair.both())
    sa, sb = ga.sigmoid(), gb.sigmoid()
    middle = (sa + sb) / 2
    risen = torch.where(near(ga, gb, sa, sb), middle * (1 - middle), (sa - sb) / (ga - gb))
    return [torch.cat((slope * middle, slope * risen * (va + vb) / 2), axis)]
