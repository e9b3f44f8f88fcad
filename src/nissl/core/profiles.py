"""What each group of inputs makes of every unit: means, spreads and counts, and whatever measures say of them."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nissl.core import keeping
from nissl.core.answers import Answers
from nissl.core.groups import joined
from nissl.core.kinship import By, distances, similarities
from nissl.core.labelled import Labelled, Series
from nissl.core.profile import measured
from nissl.core.tally import Moments
from nissl.errors import BadValue, UnknownName, listing, near, plural

Array = NDArray[Any]
GROUP, OTHER = "group", "other"


class Trait(NamedTuple):
    """A unit that sets a group apart."""

    group: str
    layer: str
    unit: int
    effect: float
    """Hedges' g of its contrast."""
    q: float
    """The probability that this is chance, corrected for all tests of the layer."""


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

    def similarity(self, layer: str, by: By = "correlation", *, full: bool = False) -> Labelled:
        """(group, other): how alike the groups' means are, -1 to 1, or for "euclidean" how far apart; see also `nissl.kinship`."""
        table = self.mean(layer, full=full).values
        values = distances(table, by) if by == "euclidean" else similarities(table, by)
        return Labelled(by, values, (GROUP, OTHER), {GROUP: self.groups, OTHER: self.groups})

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

    def characteristic(self, layer: str, most: int = 3, *, within: str | None = None, **options: Any) -> list[Trait]:
        """For each group the units by which it differs most from the others, by effect size; options as for that measure."""
        effects = self.measure(layer, "effect", within=within, **options)["effect"].values
        chances = self.measure(layer, "significance", within=within, **options)["q"].values
        if effects.ndim > 2:
            raise BadValue("against='each' has no units of one group: compare with 'others' or 'all'.")
        found = []
        for name, row, q in zip(self.groups, effects, chances, strict=True):
            order = np.argsort(-np.abs(np.nan_to_num(row, posinf=np.inf, neginf=-np.inf)), kind="stable")[:most]
            found += [Trait(name, layer, int(u), float(row[u]), float(q[u])) for u in order if not np.isnan(row[u])]
        return found

    def save(self, path: str | Path) -> Path:
        """As one .npz file, which needs no network to be read; nothing is overwritten."""
        return keeping.save(self, path)

    @classmethod
    def load(cls, path: str | Path) -> "Profiles":
        """What `save` wrote."""
        return cls(**keeping.load(path))

    def __repr__(self) -> str:
        by = " x ".join(self.factors)
        return (
            f"<profiles of {plural(len(self), 'layer')} for {plural(len(self.levels), 'group')} by {by}, {int(self.counts.sum()):,} examples: "
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
