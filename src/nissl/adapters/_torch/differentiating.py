"""Gradients of a target with respect to the input or to layers' activations, with no parameter's `.grad` touched."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from nissl.adapters._host import choice
from nissl.adapters._torch import values
from nissl.adapters._torch.atlas import Place
from nissl.adapters._torch.hearing import Hearing
from nissl.core.layer import Layer
from nissl.errors import BadValue, NotHeard, Unsupported, listing


@dataclass
class Through:
    """One pass: its input as leaves, what it caught at each place (None standing for the input), and what it returned."""

    leaf: Any
    places: Sequence[Place | None]
    caught: list["Caught"]
    output: Any
    rule: Callable[[Tensor, list[Tensor]], None] | None = None

    def slopes(self, score: Tensor, cotangent: Tensor | None = None) -> list[Any]:
        """Of the score, weighed by the cotangent, at each place."""
        if torch.is_inference_mode_enabled():
            raise BadValue(
                "Under torch.inference_mode() nothing has a gradient: ask outside of it; no_grad() does no harm."
            )
        if not score.requires_grad:
            raise BadValue("The target does not depend on anything that has a gradient: is it a number, or detached?")
        wanted: list[Tensor] = []
        for place, catch in zip(self.places, self.caught, strict=True):
            wanted += values.floating(self.leaf) if place is None else [catch.value]  # type: ignore[list-item]
        if self.rule is not None:
            self.rule(score, wanted)
        found = iter(_asked(score, wanted, cotangent))
        return [_like_input(self.leaf, found) if p is None else p.shown(next(found)) for p in self.places]

    def values(self) -> list[Any]:
        """What each place said, as listeners hear it."""
        return [
            values.detached(self.leaf) if place is None else place.shown(catch.value.detach())  # type: ignore[union-attr]
            for place, catch in zip(self.places, self.caught, strict=True)
        ]

    def result(self) -> Tensor:
        """The outputs, as one tensor."""
        found = values.first(self.output)
        if found is None:
            raise BadValue(f"The network returned {type(self.output).__name__} without a tensor, which has no slopes.")
        return found


def through(hearing: Hearing, run: Callable[[Any], Any], x: Any, places: Sequence[Place | None]) -> Through:
    """`run` is one pass; gradients are on."""
    with ExitStack() as stack:
        leaf = values.differentiable(x)
        caught = [Caught() for _ in places]
        for place, catch in zip(places, caught, strict=True):
            if place is not None:
                stack.callback(hearing.add(place, catch))
        output = run(leaf)
    silent = [p.name for p, c in zip(places, caught, strict=True) if p is not None and c.value is None]
    if silent:
        raise NotHeard(f"These layers did not run on this input, so that they have no gradient: {listing(silent)}.")
    return Through(leaf, places, caught, output, hearing.rule)


def gradients(
    hearing: Hearing, run: Callable[[Any], Any], x: Any, target: Any, places: Sequence[Place | None], of: Place | None
) -> list[Any]:
    """The gradient at each place of what the outputs say, or the layer `of`."""
    with torch.enable_grad():
        if of is None:
            done = through(hearing, run, x, places)
            return done.slopes(scores(done.output, target).sum())
        done = through(hearing, run, x, [*places, of])
        value = of.shown(done.caught[-1].value)  # type: ignore[arg-type]
        return done.slopes(scores(value, target, of.layer).sum())[:-1]


def _asked(score: Tensor, wanted: list[Tensor], cotangent: Tensor | None) -> Sequence[Tensor]:
    try:
        return torch.autograd.grad(score, wanted, cotangent, allow_unused=True, materialize_grads=True)
    except RuntimeError as error:
        if "use_reentrant" not in str(error):
            raise
        raise Unsupported(
            "Reentrant checkpointing gives gradients to parameters only. Use checkpoint(..., use_reentrant=False), which "
            "torch recommends, or switch checkpointing off to ask for gradients of activations."
        ) from error


class Caught:
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


def _table(value: Tensor, layer: Layer | None) -> Tensor:
    """The example first, what has a number last."""
    if layer is not None and value.dim() > 1:
        return value.movedim((layer.batch_axis, layer.unit_axis), (0, -1))
    return value.unsqueeze(-1) if value.dim() == 1 else value


def scores(output: Any, target: Any, layer: Layer | None = None) -> Tensor:
    """One number an example (or one in all), to be differentiated; `layer`: whose value it is, if not the network's."""
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
        raise BadValue(f'target is a class, one class an example, "sum", weights or a function, not {target!r}.')
    table = _table(value, layer)
    chosen = torch.as_tensor(np.asarray(target.cpu() if isinstance(target, Tensor) else target), device=value.device)
    if chosen.dtype.is_floating_point:
        if chosen.shape != value.shape:
            raise BadValue(
                f"Weights have the shape of what they weigh, {tuple(value.shape)}; these have {tuple(chosen.shape)}."
            )
        return value * chosen.to(value.dtype)
    if chosen.dtype == torch.bool or chosen.dim() > 1:
        raise BadValue(f"Classes are whole numbers, one for all or one an example; {target!r} was given.")
    if chosen.numel() and (int(chosen.min()) < 0 or int(chosen.max()) >= table.shape[-1]):
        raise BadValue(choice.none_such(layer, table.shape[-1], target))
    if chosen.dim() == 0:
        return table[..., int(chosen)]
    if len(chosen) != len(table):
        raise BadValue(f"{len(chosen)} classes were given for {len(table)} examples.")
    return table[torch.arange(len(table), device=value.device), ..., chosen]
