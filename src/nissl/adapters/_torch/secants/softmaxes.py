"""Softmax and its kin, exactly and without overflow.

With y the log-softmax, p = exp(y) has the chord c = (p - p') / (y - y'), the logarithmic mean of p and p'. All p sum to
one on both inputs, so 0 = sum c (dz - dL) with z = y + L: the log of the sum moves by sum c dz / sum c. Hence the slopes
are softmax's own with c for p; shifts of all z have no effect, and a saturated p keeps its whole way to the other.
"""

import torch
from torch import Tensor

from nissl.adapters._torch.secants.pairs import Pair, Slopes

SOFTMAXES = {"_softmax", "_safe_softmax", "_log_softmax", "logsumexp"}


def softmax(pair: Pair, inward: Slopes, outward: Slopes) -> Slopes:
    slope = outward[0]
    if slope is None:
        return inward
    name, axes = pair.here.name, pair.here.args[1]
    axes = list(axes) if isinstance(axes, list | tuple) else [axes]
    c, share = pair.once(lambda: _means(*pair.both(), axes))
    if name == "logsumexp":
        keep = len(pair.here.args) > 2 and pair.here.args[2]
        for axis in () if keep else sorted(a % c.dim() for a in axes):
            slope = slope.unsqueeze(axis)
        return [share * slope]
    if name == "_log_softmax":
        return [slope - share * slope.sum(axes, keepdim=True)]
    return [c * (slope - (share * slope).sum(axes, keepdim=True))]


def _means(za: Tensor, zb: Tensor, axes: list[int]) -> tuple[Tensor, Tensor]:
    ya, yb = (z - torch.logsumexp(z, axes, keepdim=True) for z in (za, zb))
    far, pa, pb = ya - yb, ya.exp(), yb.exp()
    close = pb * torch.where(far == 0, 1, torch.expm1(far) / far)
    c = torch.where(far.abs() < 1, close, (pa - pb) / far).nan_to_num(0)  # nan: masked on both
    return c, c / c.sum(axes, keepdim=True).clamp_min(torch.finfo(c.dtype).tiny)
