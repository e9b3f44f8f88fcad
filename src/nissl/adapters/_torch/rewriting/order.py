"""What is asked of a rewriting: some units of a layer become factor * value + addend."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nissl.adapters._host import choice
from nissl.adapters._torch.atlas import Place
from nissl.core.network import Array
from nissl.errors import BadValue, Unsupported

Fixed = Mapping[str, tuple[Sequence[int], Array]]
Turned = Mapping[str, tuple[Sequence[int], Array, Array]]


@dataclass(frozen=True, eq=False)
class Order:
    """Units of one layer, with the unit first in all its arrays."""

    place: Place
    units: NDArray[np.int64]
    factor: NDArray[np.float64]
    """(unit,): 0 for units that are held constant."""
    addend: NDArray[np.float64]
    """(unit,), or with further axes that broadcast to a unit's values."""
    fixed: bool

    @property
    def name(self) -> str:
        return self.place.name

    @property
    def flat(self) -> NDArray[np.bool_]:
        """Which units' addends are one number each."""
        rest = self.addend.reshape(len(self.units), -1)
        return (rest == rest[:, :1]).all(1)

    def part(self, chosen: NDArray[np.bool_]) -> "Order":
        return replace(self, units=self.units[chosen], factor=self.factor[chosen], addend=self.addend[chosen])

    def hooked(self, network: Any) -> AbstractContextManager[None]:
        """The same by a hook."""
        addend = torch.as_tensor(np.moveaxis(self.addend, 0, -1).copy())
        if self.fixed:
            return network.change(self.name, self.units, addend)
        factor = torch.as_tensor(self.factor.copy())

        def turned(value: Tensor) -> Tensor:
            return value * factor.to(value) + addend.to(value)

        return network.change(self.name, self.units, turned)


@contextmanager
def hooked(network: Any, orders: Sequence[Order]) -> Iterator[None]:
    """All that is asked, by hooks."""
    with ExitStack() as stack:
        for order in orders:
            stack.enter_context(order.hooked(network))
        yield


def orders(places: Mapping[str, Place], fixed: Fixed, turned: Turned) -> list[Order]:
    """What is asked, checked; in the order in which a pass meets the layers."""
    found = [_order(places[name], units, 0.0, to, fixed=True) for name, (units, to) in fixed.items()]
    found += [_order(places[name], units, factor, to, fixed=False) for name, (units, factor, to) in turned.items()]
    for name in fixed.keys() & turned.keys():
        twice = set(np.ravel(fixed[name][0]).tolist()) & set(np.ravel(turned[name][0]).tolist())
        if twice:
            raise BadValue(f"Units of {name} can be fixed or turned, not both: {sorted(twice)}.")
    ranks = {name: rank for rank, name in enumerate(places)}
    return sorted((order for order in found if len(order.units)), key=lambda order: ranks[order.name])


def _order(place: Place, units: Sequence[int], factor: Any, addend: Any, *, fixed: bool) -> Order:
    chosen = choice.whole(place.layer, units)
    if place.layer.units is not None:
        choice.fit(place.layer, chosen, (), place.layer.units)
    factors, addends = (_unit_first(place, len(chosen), array) for array in (factor, addend))
    rows = factors.reshape(len(chosen), -1)
    if rows.size and (rows != rows[:, :1]).any():
        raise Unsupported(f"{place.name}: a unit's factor is one number, the same for all of its values.")
    return Order(place, chosen, rows[:, 0] if rows.size else rows.reshape(-1), addends, fixed)


def _unit_first(place: Place, count: int, array: Any) -> NDArray[np.float64]:
    found = np.asarray(array, np.float64)
    if found.ndim == 0:
        found = np.full(count, found)
    if len(found) != count:
        raise BadValue(f"{place.name}: {count} units want as many rows, unit first; {found.shape} was given.")
    if not np.isfinite(found).all():
        raise BadValue(f"{place.name}: factors and constants that become weights must be finite.")
    return found
