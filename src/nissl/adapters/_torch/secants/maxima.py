"""Maxima: the one that wins on this input and the one that wins on the other share the slope, so that it is exact."""

from typing import Any

import torch
from torch import Tensor

from nissl.adapters._torch.secants.pairs import Pair, Slopes
from nissl.adapters._torch.secants.products import larger

POOLS = {"max_pool2d_with_indices": 2, "max_pool3d_with_indices": 3, "adaptive_max_pool2d": 2, "adaptive_max_pool3d": 3}
MAXIMA = {*POOLS, "amax", "amin", "max", "min"}


def maximum(pair: Pair, inward: Slopes, outward: Slopes) -> Slopes:
    slope, name = outward[0], pair.here.name
    if slope is None:
        return inward
    if name in {"max", "min"} and len(pair.slots) == 2:
        return larger(pair, inward, outward)
    a, b = pair.both()
    if name in POOLS:
        flat = [t.flatten(-POOLS[name]) for t in (a, b)]
        chosen = [pair.here.again(t, *pair.here.args[1:])[1].flatten(-POOLS[name]) for t in (a, b)]
        return [_shared(slope.flatten(-POOLS[name]), *flat, *chosen).reshape(a.shape)]
    axes = _axes(pair.here.args[1] if len(pair.here.args) > 1 else (), a.dim())
    rest = [axis for axis in range(a.dim()) if axis not in axes]
    flat = [t.permute(*rest, *axes).reshape(*(t.shape[i] for i in rest), -1) for t in (a, b)]
    least = name in {"min", "amin"}
    chosen = [(t.argmin(-1, keepdim=True) if least else t.argmax(-1, keepdim=True)) for t in flat]
    found = _shared(slope.reshape(chosen[0].shape), *flat, *chosen)
    order = [*rest, *axes]
    return [found.reshape([a.shape[i] for i in order]).permute([order.index(i) for i in range(a.dim())])]


def _axes(given: Any, axes: int) -> list[int]:
    given = [given] if isinstance(given, int) else given
    return sorted(axis % axes for axis in given) or list(range(axes))


def _shared(slope: Tensor, a: Tensor, b: Tensor, i: Tensor, j: Tensor) -> Tensor:
    """a[i] - b[j] = part * (a - b)[i] + (1 - part) * (a - b)[j], with a part between 0 and 1."""
    lead = a.gather(-1, i) - a.gather(-1, j)
    moved = lead - b.gather(-1, i) + b.gather(-1, j)
    part = torch.where(moved == 0, 0.5, lead / moved)
    return torch.zeros_like(a).scatter_add(-1, i, slope * part).scatter_add(-1, j, slope * (1 - part))
