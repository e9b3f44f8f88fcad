"""Whatever has units can be told what shall become of them: `x.delete()`, `x.scale(2)`; one verb a file of `interventions`."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np

from nissl import plugins
from nissl.core.edit import Change, Edit
from nissl.core.intervention import Array, Intervention, Units
from nissl.core.network import Network, network
from nissl.core.pool import Pool
from nissl.core.units import by_unit
from nissl.errors import BadValue, UnknownName, listing, near


class Verbs:
    """Knows its units; what can be done to them is looked up by name."""

    instead: Mapping[str, Array] = MappingProxyType({})
    """What deleting puts in the place of all units of a layer, (unit, part), where that is not their means."""

    def chosen(self) -> Mapping[str, tuple[int, ...]]:
        """The units that are meant, by layer."""
        raise NotImplementedError

    def every(self) -> Mapping[str, int]:
        """How many units there are in each layer that counts, for verbs that are about all others."""
        raise NotImplementedError

    def subject(self) -> tuple[Network, Mapping[str, Array], Any]:
        """The network, the units' means by layer as far as they are known, and inputs to check a commit on."""
        raise NotImplementedError

    def __getattr__(self, name: str) -> Callable[..., Edit]:
        if name.startswith("_"):
            raise AttributeError(name)
        try:
            kind = plugins.load("interventions", name)
        except UnknownName:
            known = plugins.names("interventions")
            what = f"{type(self).__name__} has no {name!r}.{near(name, known)} Verbs: {listing(known)}."
            raise AttributeError(what) from None

        def do(*args: Any, **options: Any) -> Edit:
            return edited(self, kind(*args, **options))

        do.__name__, do.__doc__ = name, kind.__doc__
        return do

    def __dir__(self) -> Iterable[str]:
        return [*super().__dir__(), *plugins.names("interventions")]


def edited(verbs: Verbs, how: Intervention) -> Edit:
    """The edit that does this to these units, or to all others."""
    net, means, sample = verbs.subject()
    chosen, every = verbs.chosen(), verbs.every()
    changes = []
    for name, count in every.items():
        mine = chosen.get(name, ())
        which = tuple(unit for unit in range(count) if unit not in set(mine)) if how.others else tuple(mine)
        if which:
            known, instead = (table[name][list(which)] if name in table else None for table in (means, verbs.instead))
            changes.append(Change(Units(net, net.layer(name), which, known, instead), how))
    if not changes:
        raise BadValue(f"{how!r}: there are no {'other ' if how.others else ''}units to do it to.")
    return Edit(net, changes, sample)


class Selection(Verbs):
    """Units of one layer: `nissl.edit(model)["hidden_1"][20]`."""

    def __init__(self, editing: "Editing", name: str, which: tuple[int, ...]):
        self._editing, self._name, self._which = editing, name, which

    def __getitem__(self, units: int | slice | Sequence[int]) -> "Selection":
        """One unit, several, or a slice of them."""
        asked = np.atleast_1d(np.arange(len(self._which))[units] if isinstance(units, slice) else np.asarray(units))
        if asked.dtype.kind not in "iu" or asked.ndim > 1 or not len(asked):
            raise BadValue(f"Units of {self._name} are chosen by whole numbers, not by {units!r}.")
        wrong = [int(unit) for unit in asked if unit not in self._which]
        if wrong:
            raise BadValue(f"{self._name} has the units 0 to {len(self._which) - 1}; there is no {wrong[0]}.")
        return Selection(self._editing, self._name, tuple(int(unit) for unit in asked))

    def chosen(self) -> Mapping[str, tuple[int, ...]]:
        return {self._name: self._which}

    def every(self) -> Mapping[str, int]:
        return {self._name: self._editing.count(self._name)}

    def subject(self) -> tuple[Network, Mapping[str, Array], Any]:
        return self._editing.network, self._editing.means([self._name]), self._editing.sample

    def __repr__(self) -> str:
        return f"<{len(self._which)} units of {self._name}>"


class Editing:
    """A model whose units can be chosen by layer and number."""

    def __init__(self, net: Network, data: Any = None, batch: int = 256):
        self.network = net
        self._pool = Pool(net, data, batch) if data is not None else None
        self.sample = self._pool.take(np.arange(min(64, self._pool.count))) if self._pool is not None else None
        self._means: dict[str, Array] = {}

    def __getitem__(self, layer: str) -> Selection:
        if not isinstance(layer, str):
            raise UnknownName(f"A layer is chosen by its name, not by {layer!r}.")
        return Selection(self, layer, tuple(range(self.count(layer))))

    def count(self, name: str) -> int:
        """How many units a layer has."""
        units = self.network.layer(name).units
        if units is None:
            raise BadValue(f"How many units {name} has, only a pass tells: it can't be edited before.")
        return units

    def means(self, names: list[str]) -> dict[str, Array]:
        """Each unit's mean over the data, (unit, part); nothing without data."""
        if self._pool is None:
            return {}
        for name in names:
            if name not in self._means:
                parts = [
                    by_unit(self.network.layer(name), self.network.probe(self._pool.take(part), [name])[name])
                    .mean(1, dtype=np.float64)
                    for part in self._pool.batches(np.arange(self._pool.count))
                ]  # fmt: skip
                self._means[name] = np.concatenate(parts).mean(0)
        return self._means


def edit(model: Any, data: Any = None) -> Editing:
    """Single units of a model at hand: `with nissl.edit(model)["hidden_1"][20].clamp(0): ...`.

    `data`: examples to take means from, for `delete()`.
    """
    return Editing(network(model), data)
