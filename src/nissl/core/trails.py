"""Each unit as a path through training: all units of all epochs in one plane, and how good their places are."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nissl.core.ordering import SHUFFLES, Measure, Quality, order
from nissl.errors import BadValue, UnknownName, listing, near, plural

Array = NDArray[Any]


@dataclass(frozen=True, eq=False)
class Trails:
    """Made by `nissl.trails`."""

    layers: Mapping[str, int]
    """Layers and how many units each has; their units follow one another."""
    epochs: tuple[int, ...]
    positions: Array
    """(epoch, unit, x and y), around 0, with a root mean square distance of 1 from there."""
    groups: tuple[str, ...]
    values: Array
    """(epoch, group, unit): what each unit is to each group, such as a class; no groups where that is not known."""
    features: Array = field(repr=False)
    """(epoch, unit, feature): what units are placed by; their Euclidean distances are those that count."""
    recipe: Mapping[str, Any]
    """How they were made."""

    @property
    def units(self) -> int:
        return self.positions.shape[1]

    def __len__(self) -> int:
        return self.units

    def of(self, layer: str) -> slice:
        """Which of the units are a layer's."""
        if layer not in self.layers:
            raise UnknownName(
                f"No layer {layer!r} is in these trails.{near(layer, self.layers)} There are: {listing(self.layers)}."
            )
        first = 0
        for name, count in self.layers.items():
            if name == layer:
                return slice(first, first + count)
            first += count
        raise AssertionError(layer)

    def path(self, unit: int, layer: str | None = None) -> Array:
        """(epoch, x and y) of one unit of a layer; None: of the only one."""
        if layer is None and len(self.layers) > 1:
            raise BadValue(f"unit {unit} of which layer? There are: {listing(self.layers)}.")
        where = self.of(layer if layer is not None else next(iter(self.layers)))
        count = where.stop - where.start
        if not -count <= unit < count:
            raise UnknownName(f"There is no unit {unit}: there are {count:,}, from 0 on.")
        found: Array = self.positions[:, where][:, unit]
        return found

    @property
    def owners(self) -> Array | None:
        """The group that each unit answers most in the end; -1 where it answers none more than another."""
        last = self.values[-1]
        if not len(last):
            return None
        known = np.where(np.isfinite(last), last, -np.inf)
        some = np.ptp(np.where(np.isfinite(last), last, 0), axis=0) > 0
        return np.where(some, known.argmax(0), -1)

    @cached_property
    def quality(self) -> Quality:
        """Order within epochs (trustworthiness, kept, moran), and of time: step, follows; each beside chance.

        step: how far from one epoch to the next, on average; chance: with epochs in any order.
        follows: the correlation of these steps with how much the unit's features changed; chance: with steps of any epoch and unit.
        """
        return Quality(self._order() | self._time())

    def _order(self) -> dict[str, Measure]:
        """Over the epochs' means."""
        seen = [one[np.isfinite(one).all(1)] for one in self.values]
        seed = int(self.recipe.get("seed", 0))
        each = [order(*told, seed + k) for k, told in enumerate(zip(self.positions, self.features, seen, strict=True))]
        return {
            name: _mean([one[name] for one in each if name in one])
            for name in dict.fromkeys(n for e in each for n in e)
        }

    def _time(self) -> dict[str, Measure]:
        if len(self.epochs) < 2:
            return {}
        rng = np.random.default_rng(int(self.recipe.get("seed", 0)))
        moved, changed = _steps(self.positions), _steps(self.features)
        anyhow = [_steps(_mixed(self.positions, rng)).mean() for _ in range(SHUFFLES)]
        found = {"step": _beside(float(moved.mean()), anyhow, "lower")}
        if np.ptp(moved) > 0 and np.ptp(changed) > 0:
            chance = [_alike(rng.permutation(moved.ravel()), changed.ravel()) for _ in range(SHUFFLES)]
            found["follows"] = _beside(_alike(moved.ravel(), changed.ravel()), chance, "higher")
        return found

    def to_dataframe(self) -> Any:
        """A row an epoch and unit: layer, x, y (and z), and how far it came since the epoch before."""
        import pandas as pd

        names = np.repeat(list(self.layers), list(self.layers.values()))
        own = np.concatenate([np.arange(count) for count in self.layers.values()])
        epochs, units, dimensions = self.positions.shape
        index = [np.repeat(self.epochs, units), np.tile(names, epochs), np.tile(own, epochs)]
        flat = self.positions.reshape(-1, dimensions)
        held = dict(zip("xyz", flat.T, strict=False))
        held["step"] = np.concatenate([np.full((1, units), np.nan), _steps(self.positions)]).ravel()
        return pd.DataFrame(held, pd.MultiIndex.from_arrays(index, names=["epoch", "layer", "unit"]))

    def __repr__(self) -> str:
        return (
            f"<Trails of {plural(self.units, 'unit')} of {listing(self.layers)} through {plural(len(self.epochs), 'epoch')}, "
            f"by {self.recipe.get('by')}>"
        )


def _steps(places: Array) -> Array:
    """(epoch after the first, unit): how far from the epoch before."""
    found: Array = np.sqrt((np.diff(places, axis=0) ** 2).sum(-1))
    return found


def _mixed(places: Array, rng: np.random.Generator) -> Array:
    """Each unit's epochs in an order of its own."""
    epochs, units = places.shape[:2]
    found: Array = places[rng.random((epochs, units)).argsort(0), np.arange(units)]
    return found


def _alike(one: Array, other: Array) -> float:
    return float(np.corrcoef(one, other)[0, 1])


def _beside(value: float, chance: list[Any], better: str) -> Measure:
    return Measure(value, float(np.mean(chance)), float(np.std(chance)), better)


def _mean(each: list[Measure]) -> Measure:
    """Of independent epochs; the mean's spread is smaller than theirs."""
    spread = float(np.sqrt(np.sum([one.spread**2 for one in each]))) / len(each)
    return Measure(
        float(np.mean([one.value for one in each])),
        float(np.mean([one.chance for one in each])),
        spread,
        each[0].better,
    )
