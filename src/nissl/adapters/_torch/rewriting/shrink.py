"""Units that are constant taken out: of their layer, of the norms behind it, and of what takes their values."""

from collections.abc import Mapping, Sequence
from functools import partial, reduce
from typing import Any

import torch
from torch import Tensor, nn

from nissl.adapters._torch import kinds
from nissl.adapters._torch.rewriting import stains, takers
from nissl.adapters._torch.rewriting.cut import Cut, together
from nissl.adapters._torch.rewriting.draft import Draft
from nissl.adapters._torch.rewriting.heads import without_heads
from nissl.adapters._torch.rewriting.judge import Judge, limit
from nissl.adapters._torch.rewriting.order import Order
from nissl.adapters._torch.rewriting.reach import Reach, Spot, flooded, reach
from nissl.adapters._torch.rewriting.rows import Calls, often

_MAKERS = (nn.Linear, *kinds.CONV, nn.Embedding)
Why = dict[str, list[str]]
"""By layer: why units of it stay."""


def shrunk(draft: Draft, orders: Sequence[Order], calls: Calls, judge: Judge, x: Any) -> tuple[nn.Module, Cut, Why]:
    """The model without the units of these orders, as far as that can be; the draft holds them constant."""
    why: Why = {}
    cuts, reaches = [], []
    for order in orders:
        rooted = often(order, calls) or (None if order.place.enters else _rooted(order, draft))
        if rooted is not None:
            why[order.name] = [rooted]
        elif order.place.enters:
            cut = without_heads(order, draft, x, why.setdefault(order.name, []))
            cuts += [cut] if cut is not None else []
        else:
            reaches.append(reach(order, draft, x))
    constants = _settled(reaches, draft, x)
    for found in reaches:
        why[found.order.name] = list(dict.fromkeys(found.stays.values()))
    cuts = together([*cuts, *(_cut(found) for found in reaches if found.leaves)])
    for cut in cuts:
        for module in cut.columns:
            constants.setdefault(module, torch.zeros(_columns(module), dtype=torch.float64))
    model, cut = _added((draft.root, Cut()), cuts, draft, constants, judge, why)
    return model, cut, why


def _rooted(order: Order, draft: Draft) -> str | None:
    """Why no unit of this layer can leave it, by what its module is."""
    module = draft.of(order.place.module)
    if draft.bound.get(module):
        return draft.bound[module]
    if not (isinstance(module, _MAKERS) or kinds.is_conv1d(module)):
        return f"no unit can be taken out of {draft.called(module)}"
    grouped = isinstance(module, kinds.CONV) and module.groups > 1
    return "its groups tie what it takes to what it puts out" if grouped else None


def _settled(reaches: list[Reach], draft: Draft, x: Any) -> dict[nn.Module, Tensor]:
    """Decide which units leave, until no unit that leaves meets one that stays; what columns are given, where it is constant."""
    constants, unsteady = _constants(reaches, draft, x)
    for found in reaches:
        for unit, spots in found.spots.items():
            for module, _ in spots:
                reason = _stuck(module, draft)
                if reason is not None:
                    found.stay([unit], reason)
        if len(found.leaves) == (kinds.kind(found.module).units or 0):
            found.stay(found.leaves[:1], "a layer keeps one unit at least")
    met = flooded(draft, {found.module: found.leaves for found in reaches}, x)
    while _stayed(reaches, met, unsteady, draft):
        pass  # each that stays may keep others
    return constants


def _stayed(reaches: list[Reach], met: set[Spot], unsteady: set[Spot], draft: Draft) -> bool:
    """Keep the units that turn up where some that stay do (`met`), which then are met as well; was there one?"""
    more = False
    for found in reaches:
        for unit in found.leaves:
            spots = found.spots[unit]
            meets = [draft.called(spot[0]) for spot in spots if spot in met]
            varies = [draft.called(spot[0]) for spot in spots if spot in unsteady]
            if meets or varies:
                joined = f"{meets[0]} takes their values joined with those of units that stay" if meets else ""
                found.stay([unit], joined or f"{varies[0]} is given of them what differs from place to place")
                met.update(spots)
                more = True
    return more


def _constants(reached: list[Reach], draft: Draft, x: Any) -> tuple[dict[nn.Module, Tensor], set[Spot]]:
    """What each column is given, and which weigh something without being constant."""
    spots = {spot for one in reached for many in one.spots.values() for spot in many}
    able = {module for module, _ in spots if takers.unable(module) is None}
    with draft.network.evaluating(), stains.ranges(able) as found:
        draft.network.run(x)
    constants: dict[nn.Module, Tensor] = {}
    unsteady: set[Spot] = set()
    for module, (low, high) in found.items():
        constants[module] = (low.double() + high.double()) / 2
        apart = (high - low) > limit(low.dtype) * torch.maximum(high, -low).clamp(min=1.0)
        unsteady |= {(module, int(column)) for column in (apart & takers.weighs(module)).nonzero().flatten()}
    return constants, unsteady


def _stuck(module: nn.Module, draft: Draft) -> str | None:
    """Why units that reach this module can't leave."""
    called = draft.called(module)
    if module in draft.bound:
        return f"{called} takes their values, and {draft.bound[module]}"
    if kinds.role(module) != kinds.COMPUTES:  # a norm that takes each channel by itself
        return None
    reason = takers.unable(module) or (None if takers.can_take(module) else "it is a convolution of its own kind")
    return None if reason is None else f"{called} takes their values, and {reason}"


def _cut(found: Reach) -> Cut:
    cut = Cut({found.order.name: set(found.leaves)}, {found.module: set(found.leaves)})
    for unit in found.leaves:
        for module, column in found.spots[unit]:
            gone = cut.columns if kinds.role(module) == kinds.COMPUTES else cut.channels
            gone.setdefault(module, set()).add(column)
    return cut


def _columns(module: nn.Module) -> int:
    weight: Tensor = module.weight  # type: ignore[assignment]
    return weight.shape[0 if kinds.is_conv1d(module) else 1]


def _added(
    done: tuple[nn.Module, Cut],
    cuts: list[Cut],
    draft: Draft,
    constants: Mapping[nn.Module, Tensor],
    judge: Judge,
    why: Why,
) -> tuple[nn.Module, Cut]:
    """These cuts too: all at once or, where the model then does something else, half of them after the other."""
    if not cuts:
        return done
    more = reduce(Cut.joined, cuts, done[1])
    model, fault = judge.tried(partial(more.done, draft, constants))
    if model is not None:
        return model, more
    if len(cuts) == 1:
        for name in cuts[0].layers:
            why.setdefault(name, []).append(f"without them {fault}")
        return done
    half = len(cuts) // 2
    done = _added(done, cuts[:half], draft, constants, judge, why)
    return _added(done, cuts[half:], draft, constants, judge, why)
