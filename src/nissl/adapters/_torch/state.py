"""What has been summed so far: one block of numbers on the value's device, the same for the kernel and for torch's operations."""

import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nissl.core.sums import Sums
from nissl.errors import BadValue

_BY_UNIT = ("shift", "low", "high", "positive", "magnitude", "nans", "infs")
_UNIT_ROWS = len(_BY_UNIT)  # the kernel counts on this order


class State:
    """Sums of deviations from `shift`. Tables have a row for each class, and one more for whatever has none."""

    def __init__(self, units: int, classes: int, device: torch.device):
        self.units, self.classes, self.rows = units, classes, classes + 1
        self.dtype = torch.float32 if device.type == "mps" else torch.float64  # that device has no other
        size = (_UNIT_ROWS + 3 * self.rows) * units + self.rows
        self.all = torch.zeros(size, dtype=self.dtype, device=device)
        by_unit = self.all[: -self.rows].view(-1, units) if units else self.all[:0].view(_UNIT_ROWS + 3 * self.rows, 0)
        self.shift, self.low, self.high, self.positive, self.magnitude, self.nans, self.infs = by_unit[:_UNIT_ROWS]
        self.sum, self.square, self.bad = by_unit[_UNIT_ROWS:].view(3, self.rows, units)
        self.heard = self.all[-self.rows :]  # rows heard of each class
        self.low.fill_(math.inf), self.high.fill_(-math.inf)
        self.centred = False

    def check(self, units: int) -> None:
        if units != self.units:
            raise BadValue(f"This layer had {self.units} units, and now a value with {units} came.")

    def centre(self, x: Tensor, axes: tuple[int, ...]) -> None:
        """Deviations from a value near the mean keep their digits; any such value will do, and it stays until the end."""
        self.centred = True
        mean = x.mean(axes)
        if x.device.type != "cpu" or not bool(torch.isfinite(mean).all()):
            fine = torch.isfinite(x)
            mean = torch.where(fine, x, 0).to(self.dtype).sum(axes) / fine.sum(axes).clamp(min=1)
        self.shift.copy_(mean.to(x.dtype).nan_to_num(0.0, 0.0, 0.0))  # as exact in x's precision as in ours

    def add_members(self, table: Tensor, sums: Tensor, squares: Tensor, bad: Tensor | None, positions: int) -> None:
        """Add to all classes of every example; what is in several is taken off the last row, so that columns still add up."""
        parts = [(self.sum, sums), (self.square, squares)] + ([] if bad is None else [(self.bad, bad)])
        with torch.autocast(table.device.type, enabled=False):
            for into, by_example in parts:
                by_class = table @ by_example.to(self.dtype)
                into[:-1] += by_class
                into[-1] -= by_class.sum(0)
        heard = table.sum(1) * positions
        self.heard[:-1] += heard
        self.heard[-1] -= heard.sum()

    def sums(self, sketch: NDArray[np.float64], stride: int) -> Sums:
        number = {
            name: getattr(self, name).to("cpu", torch.float64).numpy().copy()
            for name in (*_BY_UNIT, "sum", "square", "bad", "heard")
        }
        count = number["heard"].sum() - number["nans"] - number["infs"]
        total = _moments(count, number["sum"].sum(0), number["square"].sum(0), number["shift"])
        of_class = number["heard"][:-1, None] - number["bad"][:-1]
        classes = _moments(of_class, number["sum"][:-1], number["square"][:-1], number["shift"])
        return Sums(
            count, *total,
            *(number["low"], number["high"], number["positive"], number["magnitude"], number["nans"], number["infs"]),
            of_class, *classes, sketch, stride,
        )  # fmt: skip


def _moments(
    count: NDArray[np.float64], sums: NDArray[np.float64], squares: NDArray[np.float64], shift: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean and sum of squared deviations from it, of numbers summed as deviations from `shift`."""
    gap = np.divide(sums, count, out=np.zeros_like(sums), where=count > 0)
    return np.where(count > 0, shift + gap, 0.0), np.maximum(squares - sums * gap, 0.0)


def arranged(value: Tensor, unit_axis: int, batch_axis: int) -> tuple[Tensor, bool]:
    """As (example, position, unit); or as (example, unit, position), and True, where a unit's positions lie side by side."""
    if value.dim() == 0:
        raise BadValue("A layer's value is a single number, so it has no axis of units; leave this layer out.")
    unit, batch = unit_axis % value.dim(), batch_axis % value.dim()
    if unit == batch:
        return value.reshape(1, 1, -1), False
    examples, units = value.shape[batch], value.shape[unit]
    positions = math.prod(value.shape) // (examples * units) if value.numel() else 0
    last = value.movedim((batch, unit), (0, -1))
    if last.stride(-1) != 1 and positions > 1:
        first = value.movedim((batch, unit), (0, 1))
        if first.stride(-1) == 1:
            return first.reshape(examples, units, positions), True
    return last.reshape(examples, positions, units), False
