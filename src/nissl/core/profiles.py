"""What each group of inputs makes of every unit: means, spreads and counts, and whatever measures say of them."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nissl.core.groups import joined
from nissl.core.labelled import Labelled, Series
from nissl.core.layer import Layer
from nissl.core.profile import measured
from nissl.core.tally import Moments
from nissl.errors import BadValue, NotHeard, UnknownName, listing, near

Array = NDArray[Any]
AXES = {1: ("position",), 2: ("y", "x"), 3: ("z", "y", "x")}
GROUP, OTHER = "group", "other"


@dataclass(frozen=True, eq=False)
class Answers:
    """What was summed of one layer."""

    layer: Layer
    shape: tuple[int, ...]
    """Of one example, in the layer's own order of axes."""
    unit: int
    """Which axis of `shape` counts the units."""
    units: Moments
    """Of each unit's mean over its positions, example by example."""
    places: Moments | None
    """Of every position; None where they were not asked for."""
    aligned: bool = False

    def moments(self, full: bool | None) -> tuple[Moments, tuple[str, ...], tuple[int, ...]]:
        """Of every position or of units (None: as much as there is), what their axes are called, and how long they are."""
        if full and self.places is None:
            raise NotHeard(f"Positions of {self.layer.name} were not summed: positions=True keeps them.")
        if self.places is None or full is False:
            return self.units, (self.layer.unit,), (self.shape[self.unit],)
        rest = len(self.shape) - 1
        names = list(AXES.get(rest, [f"axis {i + 1}" for i in range(rest)]))
        names.insert(self.unit, self.layer.unit)
        return self.places, tuple(names), self.shape

    def of(self, rows: Array) -> "Answers":
        """Of these groups."""
        places = None if self.places is None else self.places.of(rows)
        return replace(self, units=self.units.of(rows), places=places)


@dataclass(frozen=True, eq=False)
class Profiles(Mapping[str, Labelled]):
    """Made by `nissl.profile`: for each layer the mean of every group, (group, *shape), by `found["layer"]`."""

    factors: tuple[str, ...]
    """What divides the groups, such as ("label",)."""
    levels: tuple[tuple[str, ...], ...]
    """Each group's level of every factor."""
    counts: Array
    """How many examples are in each group."""
    answers: Mapping[str, Answers]
    recipe: Mapping[str, Any] = field(default_factory=dict)
    """How it was made."""

    @property
    def groups(self) -> tuple[str, ...]:
        """What the groups are called."""
        return tuple(joined(self.factors, key) for key in self.levels)

    @property
    def layers(self) -> tuple[str, ...]:
        return tuple(self.answers)

    def __getitem__(self, layer: str) -> Labelled:
        return self.mean(layer)

    def __iter__(self) -> Iterator[str]:
        return iter(self.answers)

    def __len__(self) -> int:
        return len(self.answers)

    def answer(self, layer: str) -> Answers:
        """All that was summed of a layer."""
        if layer not in self.answers:
            known = self.layers
            raise UnknownName(
                f"There is no profile of {layer!r}.{near(layer, known)} There are those of: {listing(known)}."
            )
        return self.answers[layer]

    def mean(self, layer: str, *, full: bool | None = None) -> Labelled:
        """(group, *shape): every position (full), or each unit's mean over them; left out: as much as there is."""
        return self._labelled("mean", layer, full, Moments.means)

    def variance(self, layer: str, *, full: bool | None = None) -> Labelled:
        """Between the examples of a group, unbiased; NaN for fewer than two."""
        return self._labelled("variance", layer, full, Moments.variances)

    def count(self, layer: str, *, full: bool | None = None) -> Labelled:
        """How many examples each mean rests on: those whose value is a finite number."""
        return self._labelled("count", layer, full, lambda found: found.count)

    def _labelled(self, name: str, layer: str, full: bool | None, of: Callable[[Moments], Array]) -> Labelled:
        moments, dims, shape = self.answer(layer).moments(full)
        values = of(moments).reshape(len(self.levels), *shape)
        return Labelled(name, values, (GROUP, *dims), {GROUP: self.groups})

    def measure(
        self, layer: str, measure: Any = "contrast", *, full: bool = False, within: str | None = None,
        groups: Sequence[Any] | None = None, **options: Any,
    ) -> Series:  # fmt: skip
        """What a measure of `nissl list profiles` says, by name: (group, unit), pairs (group, other, unit), or (unit,).

        `full`: of every position, and not of units. `within`: groups are compared only with those of one level of this factor,
        such as right answers to a label with wrong ones. `groups`: only these are told, compared with all nevertheless.
        """
        made = measured(measure, options)
        moments, dims, shape = self.answer(layer).moments(full)
        held = moments.responses()
        found: dict[str, Array] = {}
        for rows in self._families(within):
            some = {name: held[name][:, rows] for name in made.needs}
            for name, part in zip(made.gives, made.measure(some), strict=True):
                axes = len(made.gives[name])
                if within is not None and not axes:
                    raise BadValue(f"within={within!r}: {name} is one number a unit, and compares no groups.")
                _put(found, name, part, rows, len(self.levels), axes)
        told = Series()
        for name, part in found.items():
            axes = len(made.gives[name])
            values = np.moveaxis(part, tuple(range(-axes, 0)), tuple(range(axes)))
            values = values.reshape(*values.shape[:axes], *shape)
            if groups is not None and axes:
                values = values[self.numbers(groups)]
            names = self.groups if groups is None else [self.groups[i] for i in self.numbers(groups)]
            coords = {GROUP: tuple(names), OTHER: self.groups}
            labels = (GROUP, OTHER)[:axes]
            told[name] = Labelled(name, values, (*labels, *dims), {axis: coords[axis] for axis in labels})
        return told

    def _families(self, within: str | None) -> list[Array]:
        """The groups that are compared with each other, family by family."""
        if within is None:
            return [np.arange(len(self.levels))]
        if within not in self.factors:
            raise UnknownName(
                f"Nothing called {within!r} divides the groups.{near(within, self.factors)} They are divided by: "
                f"{listing(self.factors)}."
            )
        there = np.array([key[self.factors.index(within)] for key in self.levels])
        return [np.flatnonzero(there == level) for level in dict.fromkeys(there)]

    def numbers(self, groups: Sequence[Any]) -> list[int]:
        """Groups by name, by key or by number, as numbers."""
        if isinstance(groups, str) or not len(groups):
            raise BadValue(f"groups={groups!r}: give a list of groups, such as {[*self.groups[:2]]!r}.")
        names, found = self.groups, []
        for given in groups:
            if isinstance(given, tuple) and tuple(map(str, given)) in self.levels:
                found.append(self.levels.index(tuple(map(str, given))))
            elif str(given) in names:
                found.append(names.index(str(given)))
            else:
                raise UnknownName(f"There is no group {given!r}.{near(given, names)} There are: {listing(names)}.")
        return found

    def only(self, groups: Sequence[Any]) -> "Profiles":
        """These groups, in this order, and no others: contrasts are then among these alone."""
        rows = np.array(self.numbers(groups))
        levels = tuple(self.levels[row] for row in rows)
        answers = {name: one.of(rows) for name, one in self.answers.items()}
        return replace(self, levels=levels, counts=self.counts[rows], answers=answers)

    def __repr__(self) -> str:
        by = " x ".join(self.factors)
        return (
            f"<profiles of {len(self)} layers for {len(self.levels)} groups by {by}, {int(self.counts.sum()):,} examples: "
            f"{listing(self.layers)}>"
        )


def _put(found: dict[str, Array], name: str, part: Array, rows: Array, groups: int, axes: int) -> None:
    """What a measure said of some groups, where they are among all; what it names by number, by the number among all."""
    shape = (*part.shape[: part.ndim - axes], *[groups] * axes)
    if name not in found:
        found[name] = np.full(shape, np.nan) if part.dtype.kind == "f" else np.zeros(shape, part.dtype)
    if not axes:
        found[name][...] = part
    elif axes == 1:
        found[name][..., rows] = part
    else:
        found[name][..., rows[:, None], rows] = part
