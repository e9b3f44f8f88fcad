"""The contract of a method that finds what makes an output: numbers in, a signed score for every unit out."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from nissl.core.aim import Aim
from nissl.core.capabilities import Differentiable, Pairwise, Passage, Sensitive, Wired
from nissl.core.layer import Layer
from nissl.core.named import named
from nissl.core.network import Network
from nissl.core.pool import Pool, settled, taken, unsettled
from nissl.core.progress import silent
from nissl.core.units import by_unit, to_last
from nissl.errors import BadValue, Unsupported, listing

Array = NDArray[Any]
Pair = tuple[str, str]
Slopes = Callable[[Array], Array]
BASELINES = ("counterfactual", "mean", "zero")


@dataclass(frozen=True, eq=False)
class Case:
    """A question asked of a network: what makes these outputs, of these examples, in these layers."""

    network: Network
    layers: tuple[Layer, ...]
    """Where to look; every unit of them is a candidate."""
    pool: Pool
    aim: Aim
    targets: tuple[str, ...]
    """The names of what is asked for, answered all at once."""
    which: Array
    """For each example of the pool the number of the target that it speaks for; -1: for none."""
    opposite: Array
    """For each example the group that its counterfactual is drawn from; -1: from all but its own."""
    baseline: str = "counterfactual"
    seed: int = 0
    tick: Callable[[float], None] = silent
    """Told, as it goes, which share of the work is done."""
    target: Any = None
    """What was asked for, as it was given; None: every class."""
    others: Any = None
    """Inputs that the user gave as counterfactuals, one for each example."""
    classes: Array | None = None
    """What the aim is told of each example, where that is not the number of its target."""
    squashed: bool = False
    """Are the network's outputs probabilities, and no logits?"""
    drawn: dict[int, Array] = field(default_factory=dict)
    """Counterfactuals by turn, as far as they have been drawn."""

    @property
    def names(self) -> list[str]:
        return [layer.name for layer in self.layers]

    @property
    def about(self) -> Array:
        """What the aim is told of each example: which class it shall speak for."""
        return self.which if self.classes is None else self.classes

    @cached_property
    def asked(self) -> Array:
        """The examples that speak for a target."""
        return np.flatnonzero(self.which >= 0)

    @cached_property
    def means(self) -> dict[str, Array]:
        """Each unit's mean over all examples and positions, (unit, part)."""
        return self._mean(np.arange(self.pool.count))

    @cached_property
    def class_means(self) -> dict[int, dict[str, Array]]:
        """The same over the examples of each class that occurs."""
        groups = self.pool.groups
        classes = np.unique(groups[groups >= 0]).tolist() if groups is not None else []
        return {k: self._mean(np.flatnonzero(groups == k)) for k in classes}

    def _mean(self, which: Array) -> dict[str, Array]:
        sums: dict[str, Array] = {}
        for part in self.pool.batches(which):
            values = self.network.probe(self.pool.take(part), self.names, batch=len(part))
            for layer in self.layers:
                rows = by_unit(layer, values[layer.name])
                told = rows.mean(1, dtype=np.float64).sum(0)
                sums[layer.name] = sums[layer.name] + told if layer.name in sums else told
        return {name: total / len(which) for name, total in sums.items()}

    def constants(self, layer: Layer) -> Array:
        """What the baseline puts in the place of each unit, (unit, part); counterfactuals on average put the mean."""
        mean = self.means[layer.name]
        return np.zeros_like(mean) if self.baseline == "zero" else mean

    def replacements(self, part: Array) -> dict[str, Array]:
        """By layer what the baseline puts in the place of these examples' values, as `change` takes it: the unit axis last."""
        if self.baseline != "counterfactual":
            return {layer.name: to_last(layer, self.constants(layer)) for layer in self.layers}
        there = self.network.probe(self.opposites(0, part), self.names, batch=len(part))
        return {layer.name: np.moveaxis(there[layer.name], layer.unit_axis, -1) for layer in self.layers}

    def deviations(self, values: Mapping[str, Array], part: Array) -> dict[str, Array]:
        """How far values are from the baseline, each of its own shape."""
        to = self.replacements(part)
        asked = [layer for layer in self.layers if layer.name in values]
        return {layer.name: away(layer, values[layer.name], to[layer.name]) for layer in asked}

    def opposites(self, turn: int, part: Array) -> Any:
        """What these examples are compared with: the inputs that were given for that, or those of other examples."""
        if self.others is not None:
            return taken(self.others, part)
        return self.pool.take(self.counterfactuals(turn)[part])

    def counterfactuals(self, turn: int) -> Array:
        """For each example the number of another that answers another question; another one each turn."""
        if turn not in self.drawn:
            self.drawn[turn] = self._draw(turn)
        return self.drawn[turn]

    def _draw(self, turn: int) -> Array:
        groups = self.pool.groups
        draw = np.random.default_rng([self.seed, turn])
        every = np.arange(self.pool.count)
        found = draw.permutation(self.pool.count)
        if groups is None:
            return np.where(found == every, np.roll(every, 1), found)
        for group in np.unique(groups):
            for wanted in np.unique(self.opposite[groups == group]):
                mine = np.flatnonzero((groups == group) & (self.opposite == wanted))
                others = np.flatnonzero(groups != group if wanted < 0 else groups == wanted)
                if not len(others):
                    raise BadValue(
                        "Counterfactuals need examples of another class, and the data hold only one: give data of several "
                        'classes, or baseline="mean".'
                    )
                found[mine] = draw.choice(others, len(mine), replace=len(others) < len(mine))
        return found

    def slopes(self, part: Array) -> Slopes:
        """How the aim of these examples changes with the outputs, as networks ask for it."""

        def sloping(outputs: Array) -> Array:
            return unsettled(self.aim.slopes(settled(outputs), self.about[part]), outputs.shape).astype(outputs.dtype)

        return sloping

    def secants(self, part: Array) -> Callable[[Array, Array], Array]:
        """The same between these examples' outputs and others."""

        def sloping(outputs: Array, there: Array) -> Array:
            found = self.aim.secants(settled(outputs), settled(there), self.about[part])
            return unsettled(found, outputs.shape).astype(outputs.dtype)

        return sloping

    def passage(self, part: Array, *, frozen: bool = False, slopes: Slopes | None = None) -> Passage:
        """Values and gradients of the aim for these examples, in one pass where the framework can."""
        return self.sensed(self.pool.take(part), slopes or self.slopes(part), frozen=frozen)

    def sensed(self, x: Any, slopes: Slopes, *, frozen: bool = False, at: Sequence[str] | None = None) -> Passage:
        """Values and slopes for any inputs, as numpy; `at`: of these layers only."""
        network, names = self.network, self.names if at is None else list(at)
        if isinstance(network, Sensitive):
            found = network.passage(x, slopes, names, frozen=frozen)
            outputs, values, told = found.outputs, found.values, found.slopes
        elif isinstance(network, Differentiable):
            outputs = network.forward(x)
            told = network.gradient(x, slopes(outputs), at=names)
            values = network.probe(x, names, batch=len(outputs))
        else:
            raise Unsupported(
                f"{network.framework} gives no gradients. Methods that need none: exact_ablation, shapley."
            )
        return Passage(outputs, self._plain(values), self._plain(told))

    def _plain(self, values: Mapping[str, Any]) -> dict[str, Array]:
        return {name: self.network.to_numpy(value) for name, value in values.items()}

    def values(self, which: Array) -> Array:
        """The aim of each of these examples, with the network as it is now."""
        return self.aim.values(settled(self.pool.outputs(which)), self.about[which])

    def worked(self, part: Array, share: float = 1.0) -> None:
        """Tell that so much of the work on these examples is done, and all of that on those before them."""
        before = int(np.searchsorted(self.asked, part[0]))
        self.tick((before + share * len(part)) / len(self.asked))


@dataclass(frozen=True, eq=False)
class Scores:
    """What a method found, row by row: mostly a row an example, else one for each target."""

    rows: Mapping[str, Array]
    """By layer (row, unit): what each unit adds to the row's aim."""
    which: Array
    """The target that each row speaks for."""


@dataclass(frozen=True)
class Finder:
    """A method; a frozen dataclass of plain options, whose repr is kept with what it finds. It says `each`, or else `find`."""

    baselines: ClassVar[tuple[str, ...]] = BASELINES
    """Those that it knows, its own choice first."""
    causal: ClassVar[bool] = True
    """False for what only describes activity: such units may be decoys, and what is made of them says so."""
    signed: ClassVar[bool] = True
    """False where a score says only how much a unit matters, and not whether it speaks for the aim or against it."""
    complete: ClassVar[bool] = False
    """Do the scores of a layer that everything passes through add up to the aim less the baseline's?"""

    def __call__(self, case: Case) -> Scores:
        if case.baseline not in self.baselines:
            raise BadValue(f"{self!r} knows the baselines {listing(self.baselines)}, not {case.baseline!r}.")
        found = self.find(case)
        for name, rows in found.rows.items():
            if not np.isfinite(rows).all():
                raise BadValue(
                    f"{self!r} found values in {name} that are no finite numbers: does the network give NaN or infinity?"
                )
        return found

    def find(self, case: Case) -> Scores:
        """All rows: here one an example, batch by batch; methods that can't tell examples apart do otherwise."""
        rows: dict[str, list[Array]] = {name: [] for name in case.names}
        for part in case.pool.batches(case.asked):
            for name, told in self.each(case, part).items():
                rows[name].append(told)
            case.worked(part)
        return Scores({name: np.concatenate(parts) for name, parts in rows.items()}, case.which[case.asked])

    def each(self, case: Case, part: Array) -> Mapping[str, Array]:
        """By layer (example, unit): what each unit adds to the aim of each of these examples."""
        raise NotImplementedError("a method says what each example's units add, or finds all rows at once")

    def edges(self, case: Case, part: Array, pairs: Sequence[Pair]) -> Mapping[Pair, Array]:
        """By pair of layers (example, source unit, target unit): what each adds through the other.

        Here by secants where the baseline is a counterfactual, else by gradients; methods that average do otherwise.
        """
        network, x = wired(case.network), case.pool.take(part)
        if case.baseline == "counterfactual":
            other = case.opposites(0, part)
            return network.edges(x, case.secants(part), pairs, other=other)
        baseline = case.replacements(part)
        return network.edges(x, case.slopes(part), pairs, baseline={source: baseline[source] for source, _ in pairs})


def away(layer: Layer, value: Array, replacement: Array) -> Array:
    """How far a value is from what replaces it (unit axis last), of the value's own shape."""
    last = np.moveaxis(value, layer.unit_axis, -1)
    return np.moveaxis(last - replacement.astype(value.dtype), -1, layer.unit_axis)


def wired(network: Network) -> Wired:
    """The network, if it knows edges."""
    if not isinstance(network, Wired):
        raise Unsupported(f"{network.framework} can't tell what reaches a unit through another.")
    return network


def finder(by: Any, options: Mapping[str, Any]) -> Finder:
    """The method that is meant: by name with its options, or one that was made already."""
    found: Finder = named("finders", Finder, by, options)
    return found


def suited(network: Network) -> str:
    """The method where none is named: secants, or what comes closest, or without gradients the cut itself."""
    if isinstance(network, Pairwise):
        return "secant"
    if isinstance(network, Differentiable):
        return "integrated_gradients" if network.together else "attribution_patching"
    return "exact_ablation"
