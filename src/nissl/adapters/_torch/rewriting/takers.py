"""Modules that take a layer's values: on which axis, what their columns can be rewritten to, and how they lose some."""

import torch
from torch import Tensor, nn

from nissl.adapters._torch import kinds
from nissl.adapters._torch.bordered import border, can_border

CONV = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
BY_CHANNEL = (nn.modules.batchnorm._BatchNorm, nn.modules.instancenorm._InstanceNorm, nn.PReLU)
"""They treat each channel by itself, with parameters of its own."""


def column_axis(module: nn.Module, value: Tensor) -> int:
    """The axis of what it takes on which its columns, or its channels, lie."""
    if isinstance(module, kinds.CONV):
        return value.dim() - 1 - len(module.kernel_size)
    channels = isinstance(module, nn.PReLU) or kinds.role(module) == kinds.NORMALISES
    return 1 if channels and value.dim() > 1 else value.dim() - 1


def unable(module: nn.Module) -> str | None:
    """Why what it takes can't be made part of its weights, or None."""
    if isinstance(module, CONV) and module.groups > 1:
        return "its groups tie what it takes to what it puts out"
    return (
        None
        if isinstance(module, (nn.Linear, *CONV)) or kinds.is_conv1d(module)
        else "no rule is known for its weights"
    )


def borders(module: nn.Module) -> bool:
    """Does it see zeros around a constant channel?"""
    if not isinstance(module, CONV) or module.padding_mode != "zeros":
        return False
    if isinstance(module.padding, str):
        return module.padding == "same" and any(size > 1 for size in module.kernel_size)
    return any(side > 0 for side in module.padding)


def weighs(module: nn.Module) -> Tensor:
    """Which columns have any weight."""
    weight: Tensor = module.weight  # type: ignore[assignment]
    return (weight != 0).movedim(0 if kinds.is_conv1d(module) else 1, 0).flatten(1).any(1).cpu()


def absorb(module: nn.Module, columns: Tensor, factor: Tensor, addend: Tensor) -> None:
    """Do by weights what happens to these columns, which become factor * value + addend."""
    weight: Tensor = module.weight  # type: ignore[assignment]
    axis = 0 if kinds.is_conv1d(module) else 1
    columns = columns.to(weight.device)
    old = weight.index_select(axis, columns).movedim(axis, 0).cpu().double()  # (column, out, *kernel)
    added = torch.tensordot(addend.double(), old, 1)
    turned = old * factor.double().reshape(-1, *[1] * (old.dim() - 1))
    weight.index_copy_(axis, columns, turned.to(weight).movedim(0, axis))
    if not added.any():
        return
    if borders(module):
        border(module, added)
        return
    give_bias(module)
    bias: Tensor = module.bias  # type: ignore[assignment]
    bias += added.reshape(len(added), -1).sum(1).to(bias)


def give_bias(module: nn.Module) -> None:
    """A bias of zeros, unless it has one."""
    owner = module.out_proj if isinstance(module, nn.MultiheadAttention) else module
    if owner.bias is None:
        weight = owner.weight
        owner.bias = nn.Parameter(weight.new_zeros(kinds.kind(module).units or 0), weight.requires_grad)


def lose_columns(module: nn.Module, columns: list[int]) -> None:
    axis = 0 if kinds.is_conv1d(module) else 1
    _lose(module, "weight", axis, columns)
    _count(module, ("in_features", "in_channels", "nx"), -len(columns))


def lose_rows(module: nn.Module, rows: list[int]) -> None:
    dense_last = kinds.is_conv1d(module) or isinstance(module, (nn.Embedding, *kinds.TRANSPOSED))
    _lose(module, "weight", 1 if dense_last else 0, rows)
    for name in ("bias", "border"):
        _lose(module, name, 0, rows)
    _count(module, ("out_features", "out_channels", "nf", "embedding_dim"), -len(rows))


def lose_channels(module: nn.Module, channels: list[int]) -> None:
    """Of a module that treats each channel by itself."""
    if isinstance(module, nn.PReLU) and module.num_parameters == 1:
        return
    for name in ("weight", "bias", "running_mean", "running_var"):
        _lose(module, name, 0, channels)
    _count(module, ("num_features", "num_parameters"), -len(channels))


def _lose(module: nn.Module, name: str, axis: int, gone: list[int]) -> None:
    tensor = getattr(module, name, None)
    if tensor is None:
        return
    keep = torch.ones(tensor.shape[axis], dtype=torch.bool, device=tensor.device)
    keep[gone] = False
    left = tensor.detach().index_select(axis, keep.nonzero().flatten()).clone()
    setattr(module, name, nn.Parameter(left, tensor.requires_grad) if isinstance(tensor, nn.Parameter) else left)


def _count(module: nn.Module, names: tuple[str, ...], by: int) -> None:
    for name in names:
        if isinstance(getattr(module, name, None), int):
            setattr(module, name, getattr(module, name) + by)


def can_take(module: nn.Module) -> bool:
    """Can a constant be folded into it?"""
    return unable(module) is None and (not borders(module) or can_border(module))
