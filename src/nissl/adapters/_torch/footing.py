"""How images lie in memory while a network looks at them: with a place's channels side by side, a processor convolves faster."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn


class Footing:
    """Calls the module inside any wrapper; what it says is the same, however its input lies."""

    def __init__(self, root: nn.Module):
        self._root = root
        self._fixed = False
        """The module wants its input as it is."""

    def __call__(self, x: Any) -> Any:
        turned = self._turned(x)
        if turned is not x:
            try:
                return self._root(turned)
            except RuntimeError as error:  # of Tensor.view, which can't see values in another order than they lie in
                if "view size is not compatible" not in str(error):
                    raise
                self._fixed = True
        if isinstance(x, Mapping):
            return self._root(**x)
        return self._root(*x) if type(x) is tuple else self._root(x)

    def _turned(self, x: Any) -> Any:
        if self._fixed or not (isinstance(x, Tensor) and _gains(x)) or self._root.training:
            return x
        if not any(isinstance(module, nn.Conv2d) for module in self._root.modules()):
            return x
        if x.shape[1] == 1:  # which lies for either order, so that only its step tells torch
            return x.view(len(x), *x.shape[2:], 1).permute(0, 3, 1, 2)
        return x.contiguous(memory_format=torch.channels_last)


def _gains(x: Tensor) -> bool:
    """Several images, as oneDNN convolves them; a single one gains nothing."""
    plain = x.dim() == 4 and x.dtype is torch.float32 and x.device.type == "cpu" and x.is_contiguous()
    return plain and len(x) > 1 and torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]
