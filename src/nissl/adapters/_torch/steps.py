"""What the optimiser's steps see: the parameters' gradients, folded unit by unit just before each step uses them.

At that moment accumulated gradients are complete, and a GradScaler has taken its scale away again.
"""

import math
from typing import Any
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn

from nissl.adapters._torch import parameters
from nissl.adapters._torch.processes import by_rows, is_sharded, local, rows_held, summed
from nissl.adapters._torch.values import to_numpy
from nissl.core.capabilities import ParameterGradients


class _Folded:
    """Running mean and spread of one layer's gradients (Welford), in the parameters' own layout until it is read.

    Of parameters that are divided over processes this one folds its own rows; the sums meet when they are read.
    """

    def __init__(self, module: nn.Module):
        self.arrays = [(form, tensors) for form, tensors in parameters.tensors(module)]
        self.owned = {id(t) for _, tensors in self.arrays for t in tensors}
        self.shard = next((t for _, tensors in self.arrays for t in tensors if is_sharded(t)), None)
        shapes = parameters.shapes(module).values()
        self.units = max((shape[0] for shape in shapes if shape), default=1)
        self.clear()

    @property
    def foldable(self) -> bool:
        """Can some rows be folded without the others?"""
        return all(
            not is_sharded(t) or (by_rows(t) and not form.whole) for form, tensors in self.arrays for t in tensors
        )

    def clear(self) -> None:
        self.steps = 0
        self.means: list[Tensor] = []
        self.sums: Tensor | None = None  # (magnitude or spread, unit)

    def fold(self, scale: Any) -> None:
        gradients = [self._unit_first(form, tensors) for form, tensors in self.arrays]
        if any(g is None for g in gradients):
            return
        self.steps += 1
        first = self.sums is None
        for i, gradient in enumerate(gradients):
            gradient = gradient.flatten(1) if gradient.dim() > 1 else gradient.reshape(-1, 1)  # type: ignore[union-attr]
            gradient = gradient.to(torch.float64) if gradient.dtype == torch.float64 else gradient.float()
            gradient = gradient if scale is None else gradient / scale
            if first:
                self.means.append(torch.zeros_like(gradient))
            away = gradient - self.means[i]  # Welford's rule; the one buffer is used for all that is summed
            self.means[i].add_(away, alpha=1 / self.steps)
            spread = away.square_().sum(1) * (1 - 1 / self.steps)
            self._add(i, torch.abs(gradient, out=away).sum(1), spread)

    def _add(self, index: int, magnitude: Tensor, spread: Tensor) -> None:
        if self.sums is None:
            self.sums = torch.zeros(2, self.units, dtype=_wide(magnitude), device=magnitude.device)
        self.sums[:, self._place(index)] += torch.stack((magnitude, spread))

    def _place(self, index: int) -> slice:
        """Which units an array's rows are: all of them, or those of the rows that this process holds."""
        tensor, rows = self.arrays[index][1][0], len(self.means[index])
        return slice(0, rows) if rows == self.units else rows_held(tensor)

    def _unit_first(self, form: parameters.Form, tensors: list[Tensor]) -> Tensor | None:
        if any(t.grad is None for t in tensors):
            return None
        parts = [form.unit_first(local(t.grad.detach()).to_dense()) for t in tensors]  # type: ignore[union-attr]
        return parts[0] if len(parts) == 1 else torch.cat(parts)

    def read(self) -> Tensor:
        """(magnitude, spread or signal, unit), summed; none of it where there was no step."""
        if self.sums is None:
            device = local(self.arrays[0][1][0]).device if self.arrays else torch.device("cpu")
            return torch.zeros(3, self.units, dtype=_wide(torch.empty(0, device=device)), device=device)
        signal = torch.zeros_like(self.sums[:1])
        for i, mean in enumerate(self.means):
            signal[0, self._place(i)] += mean.to(_wide(mean)).square().sum(1)
        return torch.cat((self.sums, signal))

    def result(self, sums: Tensor) -> ParameterGradients:
        size = sum(math.prod(t.shape) for _, tensors in self.arrays for t in tensors) / self.units
        magnitude, spread, signal = sums
        return ParameterGradients(
            to_numpy(magnitude / (size * self.steps)).copy(),
            to_numpy(signal.sqrt()).copy(),
            to_numpy((spread / self.steps).clamp(min=0).sqrt()).copy(),
            self.steps,
        )


def _wide(tensor: Tensor) -> torch.dtype:
    return torch.float32 if tensor.device.type == "mps" else torch.float64


class Steps:
    """The hook on every optimiser; each counts its own steps, and only some of them are looked at."""

    def __init__(self, modules: dict[str, nn.Module], every: int):
        folded = {name: _Folded(module) for name, module in modules.items()}
        self._folded = {name: one for name, one in folded.items() if one.foldable}
        self.left = [name for name in folded if name not in self._folded]
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
        """What was folded since the last reading; layers without a step are left out.

        Where parameters are divided over processes, all of these read together.
        """
        self._taken.clear()  # each reading begins with a step that is looked at: short epochs have one too
        sums = {name: folded.read() for name, folded in self._folded.items()}
        divided = [(name, folded.shard) for name, folded in self._folded.items() if folded.shard is not None]
        if divided:
            whole = summed([sums[name] for name, _ in divided], divided[0][1])
            sums |= {name: part for (name, _), part in zip(divided, whole, strict=True)}
        found = {name: f.result(sums[name]) for name, f in self._folded.items() if f.steps}
        for folded in self._folded.values():
            folded.clear()
        return found
