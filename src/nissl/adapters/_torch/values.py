"""Values as modules hand them over (a tensor, or a tuple, dict or packed sequence with one in it) and as numpy."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence

from nissl.errors import Unsupported


def first(value: Any) -> Tensor | None:
    """The first tensor in a value; a model's `logits` before all else."""
    if isinstance(value, Tensor):
        return value
    if isinstance(value, Mapping):
        value = [value["logits"]] if "logits" in value else value.values()
    elif not isinstance(value, tuple | list):
        return None
    for part in value:
        found = first(part)
        if found is not None:
            return found
    return None


def each(value: Any) -> list[Tensor]:
    """Every tensor in a value."""
    if isinstance(value, Tensor):
        return [value]
    if isinstance(value, Mapping):
        value = list(value.values())
    return [t for part in value for t in each(part)] if isinstance(value, tuple | list) else []


def replaced(value: Any, old: Tensor, new: Tensor) -> Any:
    """The same value with one of its tensors exchanged."""
    if value is old:
        return new
    if isinstance(value, PackedSequence):
        return value._replace(data=new) if value.data is old else value
    if isinstance(value, Mapping):
        changed = {k: replaced(v, old, new) for k, v in value.items()}
        if type(value) is dict:
            return changed
        for k, v in changed.items():  # a ModelOutput keeps its class
            value[k] = v  # type: ignore[index]
        return value
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*(replaced(v, old, new) for v in value))
    if isinstance(value, tuple | list):
        return type(value)(replaced(v, old, new) for v in value)
    return value


def to_numpy(value: Any) -> np.ndarray[Any, Any]:
    """On the processor, as numpy; types that numpy doesn't know as float32."""
    tensor = first(value)
    if tensor is None:
        return np.asarray(value)
    tensor = tensor.detach()
    if tensor.dtype.is_floating_point and tensor.dtype not in (torch.float64, torch.float32, torch.float16):
        tensor = tensor.float()
    return tensor.cpu().resolve_conj().resolve_neg().numpy()


def native(x: Any, device: torch.device, dtype: torch.dtype) -> Any:
    """What the user gave, as the model takes it: numpy becomes tensors of the model's type, tensors move to its device."""
    if isinstance(x, Tensor | PackedSequence):
        return x.to(device)  # type: ignore[arg-type]
    if isinstance(x, np.ndarray | np.generic):
        tensor = torch.as_tensor(np.ascontiguousarray(x))
        return tensor.to(device, dtype) if tensor.dtype.is_floating_point else tensor.to(device)
    if isinstance(x, Mapping):
        return {k: native(v, device, dtype) for k, v in x.items()}
    if type(x) is tuple:
        return tuple(native(v, device, dtype) for v in x)
    if isinstance(x, list):
        return native(np.asarray(x, None if _whole(x) else np.float32), device, dtype)
    return x


def _whole(x: Any) -> bool:
    return np.asarray(x).dtype.kind in "iub"


def differentiable(x: Any) -> Any:
    """A copy whose floating tensors are leaves that gradients reach."""
    if isinstance(x, Tensor):
        return x.detach().clone().requires_grad_(x.dtype.is_floating_point)
    if isinstance(x, Mapping):
        return {k: differentiable(v) for k, v in x.items()}
    return tuple(differentiable(v) for v in x) if isinstance(x, tuple) else x


def detached(x: Any) -> Any:
    """The same without its history."""
    if isinstance(x, Tensor):
        return x.detach()
    if isinstance(x, Mapping):
        return {k: detached(v) for k, v in x.items()}
    return tuple(detached(v) for v in x) if isinstance(x, tuple) else x


def floating(x: Any) -> list[Tensor]:
    """The tensors of an input that have a gradient."""
    found = [t for t in each(x) if t.dtype.is_floating_point]
    if not found:
        raise Unsupported(
            "The input is made of integers, which have no gradient. Ask at a layer instead, such as the embedding: "
            'gradient(x, target, at="embedding").'
        )
    return found
