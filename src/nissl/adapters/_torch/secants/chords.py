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


STRAIGHT = {"abs", "clamp", "clamp_max", "clamp_min", "hardtanh", "relu", "threshold"}
"""Made of lines of slope one, minus one and zero: differences are exact however near the two are."""


def chord(pair: Pair, inward: Slopes, outward: Slopes) -> Slopes:
    """Where the two are too near for a difference, the tangent that autograd has found."""
    slope, tangent = outward[0], inward[0]
    if slope is None or tangent is None:
        return inward
    ratio, near = pair.once(lambda: _of(pair))
    return [torch.where(near, tangent, ratio * slope), *inward[1:]]


def _of(pair: Pair) -> tuple[Tensor, Tensor]:
    args, slot = list(pair.here.args), pair.slots[0]
    a, b = pair.both()
    fa, fb = (first(pair.here.again(*args[:slot], x, *args[slot + 1 :])) for x in (a, b))
    return rise(a, b, fa, fb, exact=pair.here.name in STRAIGHT)


def rise(a: Tensor, b: Tensor, fa: Tensor, fb: Tensor, *, exact: bool = False) -> tuple[Tensor, Tensor]:
    """The chord's slope, and where rounding spoils it. By squares, since abs is slow on processors."""
    run, rose = a - b, fa - fb
    ratio = rose / run
    near = ratio.isnan()
    if not exact:
        small = torch.finfo(a.dtype).eps
        run.square_()
        cancels = rose.square_() <= small * (fa.square() + fb.square())
        near |= run <= small * torch.maximum(a.square(), b.square())
        near |= cancels.logical_and_(run <= small)
        near |= ratio.isinf()
    return ratio, near


def gate(pair: Pair, inward: Slopes, outward: Slopes) -> Slopes:
    """GLU: half of the units times the sigmoid of the other half."""
    slope = outward[0]
    if slope is None:
        return inward
    axis = pair.here.args[1] if len(pair.here.args) > 1 else -1
    (va, ga), (vb, gb) = (x.chunk(2, axis) for x in pair.both())
    sa, sb = ga.sigmoid(), gb.sigmoid()
    middle = (sa + sb) / 2
    ratio, near = rise(ga, gb, sa, sb)
    risen = torch.where(near, middle * (1 - middle), ratio)
    return [torch.cat((slope * middle, slope * risen * (va + vb) / 2), axis)]
