"""Convolutions that add what a constant channel would have added, zeros of the padding included."""

from collections.abc import Callable
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class Bordered(nn.Module):
    """A kernel over a channel of ones: a bias that is weaker where the window hangs over the border.

    It stands for all the constant input channels that were folded, and suits any size of picture.
    """

    plain: ClassVar[Callable[..., Tensor]]
    border: nn.Parameter
    kernel_size: tuple[int, ...]

    def forward(self, x: Tensor) -> Tensor:
        ones = torch.ones(1, *x.shape[-len(self.kernel_size) :], dtype=self.border.dtype, device=x.device)
        over = self.plain(ones, self.border, None, self.stride, self.padding, self.dilation)
        return super().forward(x) + over


class BorderedConv1d(Bordered, nn.Conv1d):
    """Over sequences."""

    plain = staticmethod(F.conv1d)


class BorderedConv2d(Bordered, nn.Conv2d):
    """Over pictures."""

    plain = staticmethod(F.conv2d)


class BorderedConv3d(Bordered, nn.Conv3d):
    """Over volumes."""

    plain = staticmethod(F.conv3d)


_BORDERED: dict[type, type] = {nn.Conv1d: BorderedConv1d, nn.Conv2d: BorderedConv2d, nn.Conv3d: BorderedConv3d}


def can_border(module: nn.Module) -> bool:
    return isinstance(module, Bordered) or type(module) in _BORDERED


def border(module: nn.Module, kernel: Tensor) -> None:
    """Add this kernel, (out, *kernel size), over ones to what the convolution puts out."""
    if not isinstance(module, Bordered):
        weight: nn.Parameter = module.weight  # type: ignore[assignment]
        module.__class__ = _BORDERED[type(module)]
        zeros = torch.zeros_like(weight[:, :1]).contiguous()
        module.border = nn.Parameter(zeros, weight.requires_grad)
    module.border += kernel.unsqueeze(1).to(module.border)  # type: ignore[operator,arg-type]
