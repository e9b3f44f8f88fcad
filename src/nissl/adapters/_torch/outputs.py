"""Hears what the whole network returns."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.compiler import is_compiling

from nissl.adapters._torch import operators
from nissl.adapters._torch.ears import Guarded, Tell
from nissl.adapters._torch.passes import Hook, Passes, in_backward
from nissl.adapters._torch.values import first


class Outputs(Hook):
    """The hook on the model itself."""

    __slots__ = ("handle", "passes", "tell", "token", "training")

    def __init__(self, passes: Passes, on_value: Tell, training: bool):
        self.passes = passes
        self.tell: Tell = Guarded(on_value) if training else on_value
        self.training = training
        self.handle, self.token = operators.add(self.told), torch.zeros(1)

    def close(self) -> None:
        operators.remove(self.handle)

    def told(self, value: Tensor) -> None:
        self.tell("", value)

    def __call__(self, module: nn.Module, args: Any, output: Any) -> None:
        value = first(output)
        if value is None or (self.training and not (module.training and torch.is_grad_enabled())):
            return
        if is_compiling():
            operators.hear(value.detach(), self.handle, self.token)
        elif in_backward() == -1 and not self.passes.silent:
            self.told(value.detach())
