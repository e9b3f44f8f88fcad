"""A layer's values themselves, thinned: every stride-th row, the stride doubling whenever there are too many."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


class Sketch:
    """Rows are counted example by example and position by position, whatever the order in memory."""

    def __init__(self, most: int, units: int, device: torch.device, dtype: torch.dtype):
        self._rows = torch.empty(most, units, device=device, dtype=dtype)
        self._most, self._seen, self._kept, self.stride = most, 0, 0, 1

    def next(self, rows: int) -> tuple[int, int]:
        """The first of the next `rows` to keep and how many to keep with it; makes room for them."""
        until, stride = self._seen + rows, self.stride
        while -(-until // stride) > self._most:
            stride *= 2
        if stride != self.stride:
            kept = self._rows[: self._kept : stride // self.stride].clone()
            self._kept, self.stride = len(kept), stride
            self._rows[: self._kept] = kept
        first = -self._seen % stride
        self._seen = until
        return first, max(0, -(-(rows - first) // stride))

    def add(self, x: Tensor, positions_last: bool, first: int, count: int) -> None:
        """Keep `count` rows of `x`, as state.arranged gave it, from `first` on."""
        if not count:
            return
        if positions_last:
            x = x.transpose(1, 2)
        positions = x.shape[1]
        row = torch.arange(first, first + count * self.stride, self.stride, device=x.device)[:count]
        self._rows[self._kept : self._kept + count] = x[row // positions, row % positions]
        self._kept += count

    def room(self, count: int) -> int:
        """The address for `count` rows, which the kernel will write."""
        address = self._rows.data_ptr() + self._kept * self._rows.shape[1] * 8
        self._kept += count
        return address

    def read(self) -> NDArray[np.float64]:
        return self._rows[: self._kept].to("cpu", torch.float64).numpy().copy()
