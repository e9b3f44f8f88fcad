"""A probe out of the first training step: what the model was given, kept for the end of every epoch."""

from typing import Any

import torch
from torch import Tensor


def kept(args: tuple[Any, ...], kwargs: dict[str, Any], labels: Any, count: int) -> tuple[list[Any] | None, str]:
    """The first examples as `nissl.record` takes a probe, or None; and what was kept, or why nothing, for people."""
    given = list(args) + list(kwargs.values())
    if not count:
        return None, "none: --probe 0"
    if not given or (args and kwargs) or not all(isinstance(x, Tensor) and x.dim() for x in given):
        return None, "none: the model is called with more than tensors"
    examples = {len(x) for x in given}
    if len(examples) > 1:
        return None, "none: the model's inputs have no common first axis of examples"
    number = min(count, examples.pop())
    cut: list[Any] = [_copy(x, number) for x in given]
    x = dict(zip(kwargs, cut, strict=True)) if kwargs else (cut[0] if len(cut) == 1 else tuple(cut))
    fits = isinstance(labels, Tensor) and labels.dim() and len(labels) == len(given[0])
    y = _copy(labels, number) if fits else None
    return [(x, y)], f"the first {number} examples, again at the end of every epoch"


def _copy(value: Tensor, number: int) -> Tensor:
    with torch.no_grad():
        return value[:number].detach().clone()
