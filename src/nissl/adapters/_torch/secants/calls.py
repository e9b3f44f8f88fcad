"""What a pass computes: the arguments of each operation that is not linear, seen where autograd has taken all else apart.

Below autograd every function, method, operator and in-place form of torch is one of some hundred operations, and whatever
is made of them (attention, recurrent cells, einsum) has been taken apart, so that rules are needed for few.
"""

from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

LINEAR = {
    "_adaptive_avg_pool2d", "_adaptive_avg_pool3d", "_reshape_alias", "_to_copy", "_unsafe_view", "add", "alias",
    "as_strided", "avg_pool2d", "avg_pool3d", "cat", "clone", "col2im", "constant_pad_nd", "copy", "cumsum", "detach",
    "diagonal", "expand", "fill", "flip", "im2col", "lift_fresh", "mean", "neg", "permute", "pixel_shuffle",
    "pixel_unshuffle", "repeat", "roll", "rsub", "select", "slice", "split", "split_with_sizes", "squeeze", "stack",
    "sub", "sum", "t", "transpose", "tril", "triu", "unbind", "unfold", "unsafe_split", "unsqueeze",
    "upsample_bicubic2d", "upsample_bilinear2d", "upsample_linear1d", "upsample_nearest1d", "upsample_nearest2d",
    "upsample_nearest3d", "upsample_trilinear3d", "view", "zero",
}  # fmt: skip
"""Operations that are their own secants."""


@dataclass
class Call:
    """One operation as it was called."""

    name: str
    """Without the underscore of in-place forms."""
    func: Any
    args: list[Any]
    kwargs: dict[str, Any]
    node: Any = None
    """Its way back."""
    storages: set[int] = field(default_factory=set)

    def again(self, *args: Any) -> Any:
        """The operation out of place, on other arguments."""
        return getattr(torch.ops.aten, self.name)(*args, **self.kwargs)

    @property
    def slots(self) -> list[int]:
        """Places of the arguments that have gradients, in the order in which the way back gives them."""
        kinds = [str(argument.type) for argument in self.func._schema.arguments]
        return [
            i for i, value in enumerate(self.args)
            if "Tensor" in kinds[i] and not (isinstance(value, Tensor) and not value.dtype.is_floating_point)
            and not isinstance(value, list | tuple)
        ]  # fmt: skip


class Calls(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Keeps the calls of one pass in their order."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.calls: list[Call] = []
        self._made: tuple[Call, Any] | None = None

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        """Else torch would import its whole compiler, which takes seconds, only to keep it away from us."""
        return False

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.settle()
        kwargs, schema = kwargs or {}, func._schema
        if schema.is_mutable and args and isinstance(args[0], Tensor):
            self._protect(args[0])
        call = _seen(func, schema, args, kwargs) if torch.is_grad_enabled() else None
        made = func(*args, **kwargs)
        if call is not None:
            self.calls.append(call)
            self._made = call, made
        return made

    def __exit__(self, *error: object) -> None:
        super().__exit__(*error)  # type: ignore[no-untyped-call]
        self.settle()

    def settle(self) -> None:
        """Autograd writes an operation's way back into its result only after we have handed that on."""
        if self._made is not None:
            call, made = self._made
            self._made = None
            tensor = made if isinstance(made, Tensor) else next((t for t in made if isinstance(t, Tensor)), None)
            call.node = None if tensor is None else tensor.grad_fn
            self.returned(call)

    def returned(self, call: Call) -> None:
        """A call is complete."""
        call.node = None  # which would keep the whole graph

    def _protect(self, written: Tensor) -> None:
        """An in-place operation comes: what calls were given must stay as it was."""
        storage = _storage(written)
        for call in self.calls:
            if storage in call.storages:
                call.args = [a.clone() if _storage(a) == storage else a for a in call.args]
                call.storages = {_storage(a) for a in call.args}


def _storage(value: Any) -> int:
    return value.untyped_storage().data_ptr() if isinstance(value, Tensor) and value.layout == torch.strided else -1


def _seen(func: Any, schema: Any, args: Any, kwargs: Any) -> Call | None:
    name = schema.name.removeprefix("aten::").rstrip("_")
    tensors = [a for a in args if isinstance(a, Tensor)] + [
        a for part in args if isinstance(part, list | tuple) for a in part if isinstance(a, Tensor)
    ]
    if name in LINEAR or not any(t.requires_grad for t in tensors):
        return None
    kept = [a.detach() if isinstance(a, Tensor) else a for a in args]
    if schema.is_mutable and isinstance(args[0], Tensor):
        kept[0] = kept[0].clone()
    return Call(name, func, kept, dict(kwargs), storages={_storage(a) for a in kept} - {-1})
