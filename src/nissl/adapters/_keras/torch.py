"""Keras on torch: steps run as they are written, so values come as they are made; gradients by autograd."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any

import torch

from nissl.adapters._torch import values

Tell = Callable[..., None]
Rule = Callable[[Any, list[Any]], None] | None


def homes() -> tuple[Any, ...]:
    return torch.nn.functional, torch


def traced(_: Any) -> bool:
    return False


def emit(tell: Tell, values: Sequence[Any]) -> None:
    tell(*values)


def apart(_: Any) -> bool:
    return False


def again(_: Any, __: Any) -> Any:
    return None


def outward(_: Tell, __: Sequence[Any], ___: Any) -> Callable[[], None] | None:
    return None


def settle() -> None:
    """Everything is told as it happens."""


def hear_gradient(value: Any, tell: Tell, _: Any) -> Any:
    if value.requires_grad:
        value.register_hook(tell)
    return value


def gradients(
    score: Callable[[list[Any], Callable[[str, Any], Any]], Any],
    inputs: list[Any],
    names: Sequence[str],
    rule: Rule = None,
) -> tuple[list[Any], dict[str, Any]]:
    caught: dict[str, Any] = {}

    def catch(name: str, value: Any) -> Any:
        if name in names:
            value = value if value.requires_grad else value.detach().requires_grad_()
            caught[name] = value
        return value

    with torch.enable_grad():
        leaves = [one.detach().clone().requires_grad_() for one in inputs]
        total = score(leaves, catch)
    asked = [*leaves, *caught.values()]
    if rule is not None:
        rule(total, asked)
    found = torch.autograd.grad(total, asked, allow_unused=True, materialize_grads=True)
    return list(found[: len(inputs)]), dict(zip(caught, found[len(inputs) :], strict=True))


def learning() -> bool | None:
    return torch.is_grad_enabled()


def still() -> AbstractContextManager[Any]:
    return torch.no_grad()


def to_numpy(value: Any) -> Any:
    return values.to_numpy(value)


def copied(value: Any) -> Any:
    return value.detach().clone()
