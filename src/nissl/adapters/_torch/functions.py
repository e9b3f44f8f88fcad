"""Nonlinearities that are plain function calls, seen by torch's own override protocol while a pass is on its way."""

from typing import Any

from torch.overrides import TorchFunctionMode

BENDING = {
    "relu", "relu_", "relu6", "leaky_relu", "leaky_relu_", "prelu", "rrelu", "elu", "elu_", "celu", "selu", "selu_",
    "gelu", "silu", "mish", "sigmoid", "sigmoid_", "tanh", "tanh_", "hardtanh", "hardtanh_", "hardsigmoid", "hardswish",
    "logsigmoid", "softplus", "softsign", "hardshrink", "softshrink", "tanhshrink", "threshold", "clamp_min",
}  # fmt: skip


class Functions(TorchFunctionMode):
    """Looks, after every torch function, whether it bent a value that somebody waits for."""

    def __init__(self, waiting: dict[int, Any]):
        super().__init__()
        self._waiting = waiting

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        wanted = None
        if args and self._waiting and getattr(func, "__name__", None) in BENDING:
            wanted = self._waiting.pop(id(args[0]), None)
        bent = func(*args, **(kwargs or {}))
        for hear in wanted[1] if wanted is not None else ():
            changed = hear(bent, func.__name__.rstrip("_"))
            bent = bent if changed is None else changed
        return bent
