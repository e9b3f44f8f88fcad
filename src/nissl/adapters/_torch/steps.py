"""What the optimiser's steps see: the parameters' gradients, folded unit by unit just before each step uses them.

At that moment accumulated gradients are complete, and a GradScaler has taken its scale away again.
"""

from typing import Any
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn

from nissl.adapters._torch import parameters
from nissl.adapters._torch.values import to_numpy
from nissl.core.capabilities import ParameterGradients


class _Folded:
    """Running mean and spread of one layer's gradients (Welford), in the parameters' own layout until it is read."""

    def __init__(self, module: nn.Module):
        self.arrays = [(form, tensors) for form, tensors in parameters.tensors(module)]
        self.owned = {id(t) for _, tensors in self.arrays for t in tensors}
        self.clear()

    def clear(self) -> None:
        self.steps = 0
        self.means: list[Tensor] = []
        self.spread: Tensor | None = None
        self.magnitude: Tensor | None = None
        self.size = 0

    def fold(self, scale: Any) -> None:
        gradients = [self._unit_first(form, tensors) for form, tensors in self.arrays]
        if any(g is None for g in gradients):
            return
        self.steps += 1
        first = self.spread is None
        for i, gradient in enumerate(gradients):
            gradient = gradient.flatten(1) if gradient.dim() > 1 else gradient.unsqueeze(1)  # type: ignore[union-attr]
            gradient = gradient.to(torch.float64) if gradient.dtype == torch.float64 else gradient.float()
            gradient = gradient if scale is None else gradient / scale
            if first:
                self.means.append(torch.zeros_like(gradient))
                self.size += gradient.shape[1]
            away = gradient - self.means[i]  # Welford's rule; the one buffer is used for all that is summed
            self.means[i].add_(away, alpha=1 / self.steps)
            spread = away.square_().sum(1) * (1 - 1 / self.steps)
            self._add(torch.abs(gradient, out=away).sum(1), spread)

    def _add(self, magnitude: Tensor, spread: Tensor) -> None:
        wide = torch.float32 if magnitude.device.type == "mps" else torch.float64
        self.magnitude = magnitude.to(wide) if self.magnitude is None else self.magnitude + magnitude
        self.spread = spread.to(wide) if self.spread is None else self.spread + spread

    def _unit_first(self, form: parameters.Form, tensors: list[Tensor]) -> Tensor | None:
        if any(t.grad is None for t in tensors):
            return None
        parts = [form.unit_first(t.grad.detach().to_dense()) for t in tensors]  # type: ignore[union-attr]
        return parts[0] if len(parts) == 1 else torch.cat(parts)

    def read(self) -> ParameterGradients | None:
        if self.magnitude is None or self.spread is None:
            return None
        signal = sum((m.double() if m.device.type != "mps" else m).square().sum(1) for m in self.means)
        found = ParameterGradients(
            to_numpy(self.magnitude / (self.size * self.steps)).copy(),
            to_numpy(torch.as_tensor(signal).sqrt()).copy(),
            to_numpy((self.spread / self.steps).clamp(min=0).sqrt()).copy(),
            self.steps,
        )
        self.clear()
        return found


class Steps:
    """The hook on every optimiser; each counts its own steps, and only some of them are looked at."""

    def __init__(self, modules: dict[str, nn.Module], every: int):
        self._folded = {name: _Folded(module) for name, module in modules.items()}
        self._every = every
        self._taken: WeakKeyDictionary[Any, int] = WeakKeyDictionary()

    def __call__(self, optimizer: Any, args: Any, kwargs: Any) -> None:
        taken = self._taken.get(optimizer, 0)
        self._taken[optimizer] = taken + 1
        if taken % self._every == 0:
            self._fold(optimizer)

    @torch.no_grad()
    def _fold(self, optimizer: Any) -> None:
        given = {id(p) for group in optimizer.param_groups for p in group["params"]}
        scale = getattr(optimizer, "grad_scale", None)  # fused optimisers unscale inside their step
        for folded in self._folded.values():
            if folded.owned and folded.owned <= given:
                folded.fold(scale)

    def read(self) -> dict[str, ParameterGradients]:
        """What was folded since the last reading; layers without a step are left out."""
        self._taken.clear()  # each reading begins with a step that is looked at: short epochs have one too
        found = {name: folded.read() for name, folded in self._folded.items()}
        return {name: gradients for name, gradients in found.items() if gradients is not None}
