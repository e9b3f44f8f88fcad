"""One pass on whose way back the scales of layer and RMS norms are constants, as attribution through a norm wants them."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch
from torch import nn
from torch.overrides import TorchFunctionMode

from nissl.adapters._torch.secants.calls import Call, Calls
from nissl.adapters._torch.secants.lockstep import turned
from nissl.adapters._torch.secants.norms import frozen
from nissl.adapters._torch.secants.pairs import Pair

_NATIVE = {"native_layer_norm", "_fused_rms_norm", "native_group_norm"}
_SCALES = {"linalg_vector_norm", "pow", "reciprocal", "rsqrt", "sqrt", "std"}
"""What a scale is the result of, in norms that are written by hand."""
_WHOLE = {torch.rms_norm, nn.functional.rms_norm}


class _Frozen(Calls):  # type: ignore[no-untyped-call]
    def __init__(self) -> None:
        super().__init__()
        self.depth = 0
        """How many norms we are in."""

    def returned(self, call: Call) -> None:
        node, call.node = call.node, None
        self.calls.clear()
        if node is None:
            return
        if call.name in _NATIVE:
            node.register_hook(partial(_hold, Pair(call, call, call.slots[: len(node.next_functions)])))
        elif self.depth and call.name in _SCALES and not (call.name == "pow" and _whole_power(call)):
            node.register_hook(lambda inward, _: tuple(None if g is None else torch.zeros_like(g) for g in inward))


def _whole_power(call: Call) -> bool:
    power = call.args[1]
    return isinstance(power, int | float) and power >= 1


def _hold(pair: Pair, inward: Any, outward: Any) -> Any:
    return turned(inward, frozen(pair, list(inward), list(outward)))


class _Functions(TorchFunctionMode):
    """Sees the norm that torch takes apart itself on some devices."""

    def __init__(self, mode: _Frozen):
        super().__init__()
        self._mode = mode

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func not in _WHOLE:
            return func(*args, **(kwargs or {}))
        self._mode.depth += 1
        try:
            return func(*args, **(kwargs or {}))
        finally:
            self._mode.settle()
            self._mode.depth -= 1


@contextmanager
def frozen_norms(root: nn.Module) -> Iterator[None]:
    """Also modules that are called norms and compute by hand."""
    mode, handles = _Frozen(), []

    def enter(*_: Any) -> None:
        mode.settle()
        mode.depth += 1

    def leave(*_: Any) -> None:
        mode.settle()
        mode.depth -= 1

    for module in root.modules():
        if "norm" in type(module).__name__.lower():
            handles += [
                module.register_forward_pre_hook(enter),
                module.register_forward_hook(leave, always_call=True),
            ]
    try:
        with mode, _Functions(mode):
            yield
    finally:
        for handle in handles:
            handle.remove()
