"""Gradients of a target with respect to the input or to layers' activations, with no parameter's `.grad` touched."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import Any

import numpy as np
import torch
from torch import Tensor

from nissl.adapters._torch import values
from nissl.adapters._torch.atlas import Place
from nissl.adapters._torch.hearing import Hearing
from nissl.errors import BadValue, NotHeard, Unsupported, listing


def gradients(
    hearing: Hearing, run: Callable[[Any], Any], x: Any, target: Any, places: Sequence[Place | None]
) -> list[Any]:
    """The gradient at each place, None standing for the input; `run` is one pass."""
    with torch.enable_grad(), ExitStack() as stack:
        leaf = values.differentiable(x)
        caught = [_Caught() for _ in places]
        for place, catch in zip(places, caught, strict=True):
            if place is not None:
                stack.callback(hearing.add(place, catch))
        output = run(leaf)
        score = scores(output, target).sum()
    silent = [p.name for p, c in zip(places, caught, strict=True) if p is not None and c.value is None]
    if silent:
        raise NotHeard(f"These layers did not run on this input, so that they have no gradient: {listing(silent)}.")
    if not score.requires_grad:
        raise BadValue("The target does not depend on anything that has a gradient: is it a number, or detached?")
    wanted: list[Tensor] = []
    for place, catch in zip(places, caught, strict=True):
        wanted += values.floating(leaf) if place is None else [catch.value]  # type: ignore[list-item]
    found = iter(_asked(score, wanted))
    return [_like_input(leaf, found) if p is None else p.shown(next(found)) for p in places]


def _asked(score: Tensor, wanted: list[Tensor]) -> Sequence[Tensor]:
    try:
        return torch.autograd.grad(score, wanted, allow_unused=True, materialize_grads=True)
    except RuntimeError as error:
        if "use_reentrant" not in str(error):
            raise
        raise Unsupported(
            "Reentrant checkpointing gives gradients to parameters only. Use checkpoint(..., use_reentrant=False), which "
            "torch recommends, or switch checkpointing off to ask for gradients of activations."
        ) from error


class _Caught:
    """Holds a layer's value of the pass and hands a copy on, which in-place operations may overwrite."""

    def __init__(self) -> None:
        self.value: Tensor | None = None

    def __call__(self, place: Place, value: Tensor) -> Tensor:
        self.value = value if value.requires_grad else value.detach().requires_grad_()
        return self.value.clone()


def _like_input(leaf: Any, found: Any) -> Any:
    """Gradients in the form of the input; members of integers have none and are left out of a dict, None in a tuple."""
    if isinstance(leaf, Tensor):
        return next(found)
    if isinstance(leaf, dict):
        return {k: next(found) for k, v in leaf.items() if v.dtype.is_floating_point}
    return tuple(next(found) if v.dtype.is_floating_point else None for v in leaf)


def scores(output: Any, target: Any) -> Tensor:
    """One number an example (or one in all), to be differentiated."""
    if callable(target):
        made = target(output)
        if not isinstance(made, Tensor):
            raise BadValue(
                f"The target function returned {type(made).__name__}; it must return a tensor made of the output."
            )
        return made
    value = values.first(output)
    if value is None:
        raise BadValue(f"The network returned {type(output).__name__} without a tensor; give a function as target.")
    if isinstance(target, str):
        if target == "sum":
            return value
        raise BadValue(f'target is a class, one class an example, "sum" or a function, not {target!r}.')
    table = value.unsqueeze(-1) if value.dim() == 1 else value
    chosen = torch.as_tensor(np.asarray(target.cpu() if isinstance(target, Tensor) else target), device=value.device)
    if chosen.dtype.is_floating_point or chosen.dtype == torch.bool or chosen.dim() > 1:
        raise BadValue(f"Classes are whole numbers, one for all or one an example; {target!r} was given.")
    if chosen.numel() and (int(chosen.min()) < 0 or int(chosen.max()) >= table.shape[-1]):
        raise BadValue(f"The network has {table.shape[-1]} outputs, 0 to {table.shape[-1] - 1}; target is {target!r}.")
    if chosen.dim() == 0:
        return table[..., int(chosen)]
    if len(chosen) != len(table):
        raise BadValue(f"{len(chosen)} classes were given for {len(table)} examples.")
    return table[torch.arange(len(table), device=value.device), ..., chosen]
