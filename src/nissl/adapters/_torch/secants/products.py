"""Operations of degree two, whose mean slope is that half way; and what is made of them and one curve."""

from typing import Any

import torch
from torch import Tensor

from nissl.adapters._torch.secants.calls import Call
from nissl.adapters._torch.secants.pairs import Pair, Slopes, apart, first

BILINEAR = {
    "_trilinear", "addbmm", "addcmul", "addmm", "addmv", "addr", "baddbmm", "bmm", "convolution", "dot", "linalg_cross",
    "linear", "mm", "mul", "mv", "vdot",
}  # fmt: skip
"""Linear in each argument by itself: nothing is to be done where only one of them differs."""
QUADRATIC = {*BILINEAR, "lerp", "var", "var_mean"}


def halfway(pair: Pair, inward: Slopes, outward: Slopes) -> Slopes:
    """Exact: each factor times the mean of the other."""
    return slopes_at(pair.here, pair.at(0.5), pair.slots, inward, outward)


def slopes_at(call: Call, args: list[Any], slots: list[int], inward: Slopes, outward: Slopes) -> Slopes:
    """Autograd's slopes of the operation with these arguments."""
    wanted = [i for i, old in zip(slots, inward, strict=True) if old is not None]
    with torch.enable_grad():
        for i in wanted:
            args[i] = args[i].detach().requires_grad_()
        made = call.again(*args)
        made = [made] if isinstance(made, Tensor) else made
        known = [(m, o) for m, o in zip(made, outward, strict=False) if o is not None and m.requires_grad]
        found = torch.autograd.grad(
            [m for m, _ in known], [args[i] for i in wanted], [o.to(m.dtype) for m, o in known],
            allow_unused=True, materialize_grads=True,
        )  # fmt: skip
    by_slot = dict(zip(wanted, found, strict=True))
    return [by_slot.get(i) for i in slots]


def quotient(pair: Pair, inward: Slopes, outward: Slopes) -> Slopes:
    """A product with the reciprocal, whose chord is -1 / (a b)."""
    slope = outward[0]
    if slope is None or pair.here.kwargs.get("rounding_mode"):
        return inward
    (ua, ub), (va, vb) = pair.both(0), pair.both(1)
    found = [slope * (1 / va + 1 / vb) / 2, -slope * (ua + ub) / 2 / (va * vb)]
    return [None if old is None else new.sum_to_size(old.shape) for new, old in zip(found, inward, strict=True)]


def larger(pair: Pair, inward: Slopes, outward: Slopes) -> Slopes:
    """The larger (or smaller) of two: half their sum and half their distance, of which the chord is taken."""
    slope = outward[0]
    if slope is None:
        return inward
    (ua, ub), (va, vb) = pair.both(0), pair.both(1)
    here, there = ua - va, ub - vb
    moved = here - there
    part = torch.where(moved == 0, here.sign(), (here.abs() - there.abs()) / moved)
    part = part if pair.here.name in {"maximum", "fmax", "max"} else -part
    found = [slope * (1 + part) / 2, slope * (1 - part) / 2]
    return [None if old is None else new.sum_to_size(old.shape) for new, old in zip(found, inward, strict=True)]


def length(pair: Pair, inward: Slopes, outward: Slopes) -> Slopes:
    """Roots of quadratic forms (a vector's length, a deviation): half way, over the mean of the two roots."""
    slope = outward[0]
    if slope is None or (pair.here.name == "linalg_vector_norm" and pair.here.args[1:2] not in ([], [2])):
        return unknown(pair, inward, outward)
    args = pair.at(0.5)
    middle = first(pair.here.again(*args))
    total = first(pair.here.again(*_with(pair.here.args, pair, 0))) + first(
        pair.here.again(*_with(pair.there.args, pair, 1))
    )
    ratio = torch.where(total == 0, 0, 2 * middle / total)
    return slopes_at(pair.here, args, pair.slots, inward, [slope * ratio])


def _with(args: list[Any], pair: Pair, which: int) -> list[Any]:
    found = list(args)
    found[pair.slots[0]] = pair.both()[which]
    return found


_POINTS = (
    (0.0198550717512319, 0.0506142681451882), (0.1016667612931866, 0.1111905172266872),
    (0.2372337950418355, 0.1568533229389437), (0.4082826787521751, 0.1813418916891810),
    (0.5917173212478249, 0.1813418916891810), (0.7627662049581645, 0.1568533229389437),
    (0.8983332387068134, 0.1111905172266872), (0.9801449282487681, 0.0506142681451882),
)  # fmt: skip
"""Gauss-Legendre: exact for polynomials up to the fifteenth degree."""


class Incomplete(Exception):
    """No mean slopes of this operation are known."""


def unknown(pair: Pair, inward: Slopes, outward: Slopes) -> Slopes:
    """The tangent where it tells the whole difference, as that of a linear operation does; else slopes along the line."""
    made = [call.again(*call.args) for call in (pair.here, pair.there)]
    here, there = ([m] if isinstance(m, Tensor) else m for m in made)
    wanted = [(apart(a, b) * o).sum() for a, b, o in zip(here, there, outward, strict=False) if o is not None]
    total, size = sum(wanted), sum(w.abs() for w in wanted)
    if _told(pair, inward, total, size):
        return inward
    found: Slopes = [None] * len(inward)
    for part, weight in _POINTS:
        for i, new in enumerate(slopes_at(pair.here, pair.at(part), pair.slots, inward, outward)):
            if new is not None:
                found[i] = weight * new if found[i] is None else found[i] + weight * new  # type: ignore[operator]
    if not _told(pair, found, total, size):
        raise Incomplete
    return found


def _told(pair: Pair, slopes: Slopes, total: Any, size: Any) -> bool:
    parts = [(apart(*pair.both(i)) * s).sum() for i, s in enumerate(slopes) if s is not None]
    rough = max(torch.finfo(p.dtype).eps for p in parts) ** 0.5
    return bool((sum(parts) - total).abs() <= 10 * rough * (size + sum(p.abs() for p in parts)))
