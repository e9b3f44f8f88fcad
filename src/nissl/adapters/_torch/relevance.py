"""Layer-wise relevance propagation by gradients: while it is open, gradient times value is relevance at every place.

A layer that computes z goes on as z', worked out with weights that the rule has changed, times z / z', which counts as a
constant. What a gradient times a value then passes back is the rule's share; the values themselves stay as they are.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nissl.adapters._torch.hearing import Hearing
from nissl.adapters._torch.kinds import BENDING
from nissl.adapters._torch.ruling import between, kind_of, ruled
from nissl.adapters._torch.secants.frozen import frozen_norms
from nissl.core.capabilities import Ruling
from nissl.errors import BadValue

RULES = ("epsilon", "gamma", "z_plus", "epsilon_plus")
Linear = Callable[[Tensor, Tensor, Tensor | None], Tensor]
_CONVS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)


def by_rule(hearing: Hearing, rule: str, **how: Any) -> AbstractContextManager[Ruling]:
    """While this is open, all that is differentiated goes by the rule."""
    return relevant(hearing, rule, **how) if rule in RULES else ruled(hearing, rule, **how)


@contextmanager
def relevant(hearing: Hearing, rule: str, *, epsilon: float = 1e-6, gamma: float = 0.25) -> Iterator[Ruling]:
    """`epsilon_plus` is z_plus in convolutions and epsilon elsewhere."""
    if epsilon <= 0 or gamma < 0:
        raise BadValue(f"epsilon={epsilon}, gamma={gamma}: epsilon is above 0, gamma not below.")
    ruling, root, put = Ruling(), hearing.atlas.root, []
    before, hearing.rule = hearing.rule, _Looking(ruling)
    try:
        for module in root.modules():
            made = _forward(module, rule, epsilon, gamma, ruling)
            if made is not None and "forward" not in vars(module):
                object.__setattr__(module, "forward", made)
                put.append(module)
        with frozen_norms(root):
            yield ruling
    finally:
        hearing.rule = before
        for module in put:
            vars(module).pop("forward", None)


def _forward(module: nn.Module, rule: str, epsilon: float, gamma: float, ruling: Ruling) -> Any:
    """What a module shall compute in place of what it does; None: that."""
    plain = module.forward
    if isinstance(module, BENDING) and not isinstance(module, nn.ReLU):
        return lambda value: value * _ratio(plain(value), value, epsilon)
    if not isinstance(module, (nn.Linear, *_CONVS, *_NORMS)) or getattr(module, "running_mean", 0) is None:
        return None
    kind = "conv" if isinstance(module, _CONVS) else "norm" if isinstance(module, _NORMS) else "dense"
    own = rule if rule != "epsilon_plus" else "z_plus" if isinstance(module, _CONVS) else "epsilon"

    def forward(value: Tensor) -> Tensor:
        ruling.by_rule[kind] = ruling.by_rule.get(kind, 0) + 1
        linear, weight, bias = _parts(module)
        with torch.no_grad():
            z = plain(value)
        bent = linear(value, weight, bias) if own == "epsilon" else _bent(linear, value, weight, bias, own, gamma)
        share = bent * _ratio(z, bent, epsilon)
        return z + (share - share.detach())  # the value is the layer's own to the last digit

    return forward


def _ratio(z: Tensor, bent: Tensor, epsilon: float) -> Tensor:
    """z / z' as a constant, kept from the zero of z'."""
    with torch.no_grad():
        return z / (bent + torch.where(bent < 0, -epsilon, epsilon).to(bent.dtype))


def _bent(linear: Linear, value: Tensor, weight: Tensor, bias: Tensor | None, rule: str, gamma: float) -> Tensor:
    """With what speaks for the output favoured (gamma), or with nothing else (z_plus), whatever the sign of the value."""
    ups, downs = weight.clamp(min=0), weight.clamp(max=0)
    if rule == "gamma":
        ups, downs = weight + gamma * ups, weight + gamma * downs
        bias = None if bias is None else bias + gamma * bias.clamp(min=0)
    else:
        bias = None
    found = linear(F.relu(value), ups, bias)
    return found + linear(-F.relu(-value), downs, None) if bool((value < 0).any()) else found


def _parts(module: Any) -> tuple[Linear, Tensor, Tensor | None]:
    """A module that is linear in what it is given: how it computes with other weights, and its own."""
    if isinstance(module, nn.Linear):
        return F.linear, module.weight, module.bias
    if isinstance(module, _CONVS):
        return module._conv_forward, module.weight, module.bias
    scale = torch.rsqrt(module.running_var + module.eps)
    scale = scale if module.weight is None else scale * module.weight
    shift = -module.running_mean * scale
    return _scaled, scale, shift if module.bias is None else shift + module.bias


def _scaled(value: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    shape = (1, -1, *[1] * (value.dim() - 2))
    found = value * weight.reshape(shape)
    return found if bias is None else found + bias.reshape(shape)


class _Looking:
    """Tells which nonlinearities lie on the way that no rule is known of."""

    def __init__(self, ruling: Ruling):
        self._found = ruling.as_they_are

    def __call__(self, score: Tensor, wanted: Iterable[Tensor]) -> None:
        for node in between(score, wanted):
            name = node.name().rstrip("0123456789")
            kind = "softmax" if "Softmax" in name else kind_of(node)
            if kind not in (None, "relu"):
                self._found[str(kind)] = self._found.get(str(kind), 0) + 1
