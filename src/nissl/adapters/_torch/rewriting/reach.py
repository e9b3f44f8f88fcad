"""Which columns and channels each unit of a layer turns up in, found by a few passes of stained units."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from nissl.adapters._torch import kinds
from nissl.adapters._torch.rewriting import stains
from nissl.adapters._torch.rewriting.draft import Draft
from nissl.adapters._torch.rewriting.order import Order
from nissl.adapters._torch.rewriting.takers import BY_CHANNEL
from nissl.adapters._torch.values import each, replaced

Spot = tuple[nn.Module, int]
"""A column, or a channel, of what a module takes."""


@dataclass
class Reach:
    """Where a layer's units turn up, and which of them can't leave."""

    order: Order
    module: nn.Module
    spots: dict[int, list[Spot]] = field(default_factory=dict)
    stays: dict[int, str] = field(default_factory=dict)
    """Why."""

    @property
    def leaves(self) -> list[int]:
        return [unit for unit in self.spots if unit not in self.stays]

    def stay(self, units: Sequence[int], why: str) -> None:
        for unit in units:
            self.stays.setdefault(unit, why)


def reach(order: Order, draft: Draft, x: Any) -> Reach:
    """Units are told apart by the bits of their number: a column's stains spell out whose it is."""
    found = Reach(order, draft.of(order.place.module))
    units = order.units.tolist()
    found.spots = {unit: [] for unit in units}
    bits = max(1, (len(units) - 1).bit_length())
    signs: dict[nn.Module, list[Tensor]] = {}
    for sign in range(2 * bits):
        chosen = [unit for i, unit in enumerate(units) if (i >> sign // 2) & 1 == sign % 2]
        columns, spoilt = stained(draft, {found.module: chosen}, x) if chosen else ({}, False)
        if spoilt:
            found.stay(units, "the model returns their values")
        for module, mask in columns.items():
            signs.setdefault(module, [torch.zeros_like(mask) for _ in range(2 * bits)])[sign] = mask
    for module in signs:
        if kinds.role(module) != kinds.COMPUTES and not isinstance(module, BY_CHANNEL):
            found.stay(units, f"{draft.called(module)} norms them together with units that stay")
    for module, masks in signs.items():
        spelt = torch.stack(masks).numpy().reshape(bits, 2, -1)
        touched, clear = spelt.any((0, 1)), spelt.sum(1).max(0) == 1
        if (touched & ~clear).any():
            found.stay(units, f"{draft.called(module)} is given them mixed with each other")
        numbers = (spelt[:, 1] << np.arange(bits)[:, None]).sum(0)
        for column in np.flatnonzero(touched & clear & (numbers < len(units))):
            found.spots[units[numbers[column]]].append((module, int(column)))
    return found


def stained(draft: Draft, rows: Mapping[nn.Module, Sequence[int]], x: Any) -> tuple[stains.Columns, bool]:
    """What is stained by these units, and whether what the model returns is."""
    with draft.network.evaluating(), stains.stained(draft.root) as columns, stains.stain(rows):
        return columns, stains.spoilt(draft.network.run(stains.pair(x)))


def flooded(draft: Draft, clean: Mapping[nn.Module, Sequence[int]], x: Any) -> set[Spot]:
    """What is stained by the input and by all units but these."""
    given = draft.network._native(stains.pair(x))
    for value in each(given):
        if value.dtype.is_floating_point:
            given = replaced(given, value, torch.full_like(value, float("nan")))
    makers = [module for module in draft.network._atlas.roles if kinds.role(module) == kinds.COMPUTES]
    with draft.network.evaluating(), stains.stained(draft.root) as columns, stains.flood(makers, clean):
        draft.network.run(given)
    return {(module, column) for module, mask in columns.items() for column in mask.nonzero().flatten().tolist()}
