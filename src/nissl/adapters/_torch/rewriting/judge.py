"""Whether a new model does what hooks do on the old one."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from nissl.adapters._torch.rewriting.order import Order, hooked
from nissl.adapters._torch.values import each
from nissl.core.network import batches

FAILURES = (RuntimeError, ValueError, TypeError, IndexError, AttributeError, AssertionError)
"""What a model may raise that no longer fits together, or that is given NaN."""


def limit(dtype: torch.dtype) -> float:
    """How far two ways of computing the same may lie apart, for values about one."""
    return {torch.float64: 1e-12, torch.float32: 1e-5}.get(dtype, 2e-2)


def said(error: Exception) -> str:
    """An error in one line."""
    return f"{type(error).__name__}: {(str(error).strip().splitlines() or [''])[0]}"


class Judge:
    """Runs the old model with its hooks once, and each new one against it."""

    def __init__(self, network: Any, asked: Sequence[Order], opened: Callable[[nn.Module], Any], x: Any):
        self._opened, self._x, self._wanted = opened, x, list[list[Tensor]]()
        with network.evaluating(), hooked(network, asked):
            for part in batches(x, 256):
                self._wanted.append([t.detach().clone() for t in each(network.run(part))])

    def fault(self, model: nn.Module) -> str | None:
        """How the new model differs, or None where it does the same."""
        network = self._opened(model)
        with network.evaluating():
            for part, wanted in zip(batches(self._x, 256), self._wanted, strict=True):
                for new, old in zip(each(network.run(part)), wanted, strict=True):
                    fault = _fault(new, old)
                    if fault is not None:
                        return fault
        return None

    def tried(self, build: Callable[[], nn.Module]) -> tuple[nn.Module | None, str | None]:
        """A model that may not fit together any more, if it does the same; else how it differs."""
        try:
            model = build()
            fault = self.fault(model)
        except FAILURES as error:
            return None, f"the model no longer runs ({said(error)})"
        return (model, None) if fault is None else (None, fault)


def _fault(new: Tensor, old: Tensor) -> str | None:
    if new.shape != old.shape:
        return f"what it returns has the shape {tuple(new.shape)} instead of {tuple(old.shape)}"
    if not old.numel():
        return None
    was = old.cpu().double()
    away = (new.cpu().double() - was).abs().max().item()
    allowed = limit(old.dtype) * max(1.0, was.abs().max().item())
    return None if away <= allowed else f"what it returns is off by {away:.2g}, more than {allowed:.2g}"
