"""What a module has to put out so that its nonlinearity makes the value that is wanted."""

import copy
from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from nissl.adapters._torch.atlas import Place
from nissl.adapters._torch.rewriting.order import Order

Bend = Callable[[Tensor], Tensor]
_HOMOGENEOUS = {"ReLU", "LeakyReLU", "PReLU", "RReLU", "relu", "leaky_relu"}
"""A positive factor may stand before or behind them."""
_WIDE = torch.logspace(3, 20, 120, base=2.0, dtype=torch.float64)
_GRID = torch.cat([-_WIDE.flip(0), torch.linspace(-8, 8, 513, dtype=torch.float64)[1:-1], _WIDE])


def before(order: Order) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]]:
    """(factor, addend, possible?) in front of the nonlinearity that do what is asked behind it, unit by unit."""
    bend = bending(order.place)
    addend = order.addend.reshape(len(order.units), -1)[:, 0]
    nothing = np.zeros(len(order.units), bool)
    if bend is None:
        return order.factor, addend, nothing
    if order.place.layer.nonlinearity is None:
        return order.factor, addend, order.flat
    constants, reached = preimages(bend, addend, order.units, order.place.layer.units or 0)
    same = nothing | (order.place.layer.nonlinearity in _HOMOGENEOUS)
    same &= (order.factor > 0) & (addend == 0)
    held = order.factor == 0
    return order.factor, np.where(held, constants, addend), np.where(held, reached, same) & order.flat


def bending(place: Place) -> Bend | None:
    """The layer's nonlinearity as a function of (values, unit); None where it isn't known."""
    name = place.layer.nonlinearity
    if name is None:
        return lambda value: value
    module = place.follower or (None if place.waits else place.at)
    if module is not None:
        inner = copy.deepcopy(module).double().eval()
        return lambda value: inner(value.clone())
    function: Bend | None = getattr(F, name, None) or getattr(torch, name, None)
    return None if name in ("clamp_min", "threshold", "prelu", "rrelu") else function


def preimages(
    bend: Bend, wanted: NDArray[np.float64], units: NDArray[np.int64], count: int
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Values that the nonlinearity takes to those wanted, by bisection where it is not the identity there; and where there are any."""
    goal, at = torch.as_tensor(wanted.copy()), torch.as_tensor(units)

    def made(values: Tensor) -> Tensor:
        whole = torch.zeros(len(values), max(count, int(at.max()) + 1), dtype=torch.float64)
        whole[:, at] = values
        return bend(whole)[:, at]

    with torch.no_grad():
        grid = _GRID[:, None].expand(-1, len(goal))
        bent = made(grid)
        above = bent >= goal
        crossed = above[1:] != above[:-1]
        last = len(crossed) - 1 - crossed.flip(0).int().argmax(0)  # the last crossing: there its slope is largest
        low, high = _GRID[last], _GRID[last + 1]
        side = above.gather(0, last[None] + 1)[0]
        for _ in range(100):
            middle = (low + high) / 2
            up = (made(middle[None])[0] >= goal) == side
            low, high = torch.where(up, low, middle), torch.where(up, middle, high)
        nearest = _GRID[(bent - goal).abs().argmin(0)]
        candidates = torch.stack([goal, low, high, nearest])
        miss = (made(candidates) - goal).abs()
        best = miss.argmin(0)[None]
    found, error = candidates.gather(0, best)[0], miss.gather(0, best)[0]
    return found.numpy(), (error <= 1e-14 * goal.abs().clamp(min=1.0)).numpy()
