"""Norms over a value's own parts: centring is linear, the variance quadratic, its inverse root has a chord."""

import math

import torch
from torch import Tensor

from nissl.adapters._torch.secants.pairs import Pair, Slopes, wide
from nissl.adapters._torch.secants.products import unknown

NORMS = {"native_layer_norm", "_fused_rms_norm", "native_group_norm", "native_batch_norm"}


def norm(pair: Pair, inward: Slopes, outward: Slopes, *, frozen: bool = False) -> Slopes:
    """`frozen`: the scale is a constant."""
    slope, old = outward[0], inward[0]
    if slope is None or old is None:
        return inward
    if pair.differing not in ([], [0]):  # its weights come from the input too
        return unknown(pair, inward, outward)
    name, args = pair.here.name, pair.here.args
    a, b = pair.both()
    if name in {"native_layer_norm", "_fused_rms_norm"}:
        axes, weight = list(range(-len(args[1]), 0)), args[2]
    elif name == "native_group_norm":
        axes, weight, groups = [-1], args[1], args[6]
        shape = (a.shape[0], groups, -1)
    else:
        axes, weight = [0, *range(2, a.dim())], args[1]
    if weight is not None:
        per_channel = name in {"native_group_norm", "native_batch_norm"}
        slope = slope * (wide(weight).reshape(-1, *[1] * (a.dim() - 2)) if per_channel else wide(weight))
    if name == "native_group_norm":
        a, b, slope = (t.reshape(shape) for t in (a, b, slope))
    eps = args[-1] if args[-1] is not None else torch.finfo(pair.here.args[0].dtype).eps
    found = _slopes(slope, a, b, axes, eps, centred=name != "_fused_rms_norm", frozen=frozen)
    return [found.reshape(old.shape), *inward[1:]]


def _slopes(slope: Tensor, a: Tensor, b: Tensor, axes: list[int], eps: float, *, centred: bool, frozen: bool) -> Tensor:
    if centred:
        a, b = (t - t.mean(axes, keepdim=True) for t in (a, b))
    ra, rb = (torch.rsqrt(t.square().mean(axes, keepdim=True) + eps) for t in (a, b))
    found = slope * (ra + rb) / 2
    if not frozen:
        middle = (a + b) / 2
        curve = -((ra * rb) ** 2) / (ra + rb)  # chord of the inverse root
        size = math.prod(a.shape[axis] for axis in axes)
        found = found + (slope * middle).sum(axes, keepdim=True) * curve * 2 * middle / size
    return found - found.mean(axes, keepdim=True) if centred else found


def frozen(pair: Pair, inward: Slopes, outward: Slopes) -> Slopes:
    return norm(pair, inward, outward, frozen=True)
