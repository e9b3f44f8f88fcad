"""Changes made part of what takes a layer's values: the columns of the next weights, and the next biases."""

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from nissl.adapters._torch import kinds
from nissl.adapters._torch.rewriting import stains, takers
from nissl.adapters._torch.rewriting.draft import Draft
from nissl.adapters._torch.rewriting.judge import FAILURES, limit, said
from nissl.adapters._torch.rewriting.order import Order, hooked
from nissl.errors import Unsupported


def carried(order: Order, network: Any, orders: list[Order], draft: Draft, x: Any) -> None:
    """Let those that take this layer's values do it. `network` is untouched but for hooks; `x` a few examples."""
    factors = _reached(order, network, x, draft)
    columns = {module: (~factor.isnan()).nonzero().flatten() for module, factor in factors.items()}
    with network.evaluating(), hooked(network, orders), stains.taken(columns) as wanted:
        network.run(x)
    twins = {draft.of(module): chosen for module, chosen in columns.items()}
    with draft.network.evaluating(), stains.taken(twins) as have:
        draft.network.run(x)
    for module, chosen in columns.items():
        taker, factor = draft.of(module), factors[module][chosen]
        addend = _constant(order, draft.called(taker), factor, wanted[module], have[taker])
        with torch.no_grad():
            takers.absorb(taker, chosen, factor, addend)


def _constant(order: Order, taker: str, factor: Tensor, wanted: Tensor, have: Tensor) -> Tensor:
    """What has to be added to each column, the same everywhere."""
    rest = wanted.double() - factor * have.double()
    spread = (rest.amax(0) - rest.amin(0)).max().item()
    if not spread <= limit(wanted.dtype) * max(1.0, wanted.abs().max().item()):
        raise Unsupported(
            f"{order.name}: what {taker} is given is not a factor times what it was given and a constant (off by "
            f"{spread:.2g}): the values meet others on their way there. {_instead(order)}"
        )
    return rest.mean(0)


def _reached(order: Order, network: Any, x: Any, draft: Draft) -> dict[nn.Module, Tensor]:
    """By module that takes them: the factor of each column, NaN for those that nothing happens to."""
    found: dict[nn.Module, Tensor] = {}
    for factor in np.unique(order.factor):
        units = order.units[order.factor == factor]
        stained = stains.stained(network._atlas.root)
        with network.evaluating(), stained as columns, network.change(order.name, units, float("nan")):
            try:
                output = network.run(stains.pair(x))
            except FAILURES as error:
                why = f"where the values go can't be seen, since the model stops at NaN ({said(error)})"
                raise Unsupported(f"{order.name}: {why}. {_instead(order)}") from error
        if stains.spoilt(output):
            raise Unsupported(
                f"{order.name}: the values are, or reach, what the model returns with no layer between. {_instead(order)}"
            )
        for module, mask in columns.items():
            if kinds.role(module) != kinds.COMPUTES:
                continue
            _check(order, module, draft)
            known = found.setdefault(module, torch.full(mask.shape, float("nan"), dtype=torch.float64))
            if (~known[mask].isnan()).any():
                raise Unsupported(
                    f"{order.name}: units with different factors reach {draft.called(draft.of(module))} as one. {_instead(order)}"
                )
            known[mask] = float(factor)
    return found


def _check(order: Order, module: nn.Module, draft: Draft) -> None:
    twin = draft.of(module)
    why = draft.bound.get(twin) or takers.unable(twin)
    if why is None and not takers.can_take(twin):
        why = "it is a convolution of its own kind that sees zeros around"
    if why is not None:
        raise Unsupported(f"{order.name}: {draft.called(twin)} takes the values, and {why}. {_instead(order)}")


def _instead(order: Order) -> str:
    what = "held at this constant" if order.fixed else "changed so"
    return f"Its own weights can't be written so that it is {what} either; use the change as a hook."
