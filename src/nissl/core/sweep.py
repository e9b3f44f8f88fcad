"""One pass over the data, a batch at a time: what each layer says is summed for every group, and nothing is kept."""

import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nissl.core.alignment import centred
from nissl.core.capabilities import Differentiable, Sensitive
from nissl.core.groups import Grouping
from nissl.core.layer import Layer
from nissl.core.layer_sums import Sums, step
from nissl.core.network import Network, examples
from nissl.core.pool import settled, unsettled
from nissl.core.screen import amount
from nissl.core.tally import Tally
from nissl.errors import BadValue, NisslWarning, NotHeard, OverBudget, listing, plural

Array = NDArray[Any]
ALIGNED = ("prediction", "label")
"""Whose gradient says what matters in an example: that of the class it is taken for, or of its own."""


@dataclass
class Sweep:
    """Give it batches, and then read `sums`."""

    network: Network
    grouping: Grouping
    layers: Any
    """Names or patterns; None: every layer."""
    align: str | None
    positions: bool
    """Sum every position, or only each unit's mean over them?"""
    memory: int
    sums: dict[str, Sums] = field(default_factory=dict)
    sizes: list[int] = field(default_factory=list)
    """How many examples each group has."""
    _names: list[str] | None = None
    _left: set[str] = field(default_factory=set)
    _count: int = 0
    _of: Any = None
    _outputs: Any = None
    _still: bool = False
    _room: dict[str, Array] = field(default_factory=dict)

    def look(self, x: Any) -> int:
        """One pass over a few examples shows which layers there are; returns how many values they say of one example."""
        spoken: dict[str, int] = {}
        if self._names is None:
            self.network.look(x)  # which shows also what bends a layer's value behind our back
        with self.network.evaluating(), self.network.watch(lambda n, v: spoken.update({n: _size(v)}), "*"):
            self._outputs = self.network.run(x)
            self.network.settle()
        self._names = self.network.select("*" if self.layers is None else self.layers)
        return sum(spoken.get(name, 0) for name in self._names) // max(examples(x), 1)

    def start(self, labels: Any) -> None:
        """The first labels, and the outputs that were seen, say what the classes are."""
        answers = self.align == "prediction" or self.grouping.asks("prediction", "correct")
        if self._outputs is None and answers:
            raise NotHeard("This network returns no outputs, so that it predicts nothing: group by labels or a column.")
        answered = None if self._outputs is None else self.network.to_numpy(self._outputs)
        self.grouping.start(labels, answered, needed=self.align == "label")
        if self.align == "label" and self.grouping.task is None:
            raise BadValue("align='label' needs labels, and the data have none: give (x, y), or align='prediction'.")

    def add(self, x: Any, labels: Any, count: int) -> None:
        """Sum what the layers say of one batch."""
        assert self._names is not None
        told = not self.grouping.asks("prediction", "correct")
        self._count = count
        if self.align is not None:
            outputs, values, slopes = self._sensed(x, labels)
            self._number(labels, outputs)
            for name, value in values.items():
                self._fold(name, value, slopes.get(name))
            return
        if told:
            self._number(labels, None)
        kept: list[tuple[str, Any]] = []
        listen: Callable[[str, Any], None] = self._fold if told else lambda n, v: kept.append((n, self.network.keep(v)))
        with self._evaluating(), self.network.watch(listen, self._names):
            outputs = self.network.run(x)
            self.network.settle()
        if not told:
            self._number(labels, np.asarray(self.network.to_numpy(outputs)))
        for name, value in kept:
            self._fold(name, value)

    @contextmanager
    def still(self) -> Iterator[None]:
        """Evaluation mode for all batches at once: where none of the user's own code runs between them."""
        with self.network.evaluating():
            self._still = True
            yield
            self._still = False

    def _evaluating(self) -> AbstractContextManager[None]:
        return nullcontext() if self._still else self.network.evaluating()

    def _number(self, labels: Any, outputs: Array | None) -> None:
        numbers = self.grouping.number(self._count, labels, outputs)
        self.sizes += [0] * (len(self.grouping) - len(self.sizes))
        for row, more in zip(*np.unique(numbers[numbers >= 0], return_counts=True), strict=True):
            self.sizes[row] += int(more)
        self._of = self.network.groups(numbers)
        self._afford()

    def heard(self) -> list[str]:
        """The layers that there are sums of, in the network's order."""
        return [name for name in self._names or [] if name in self.sums]

    def silent(self) -> list[str]:
        """Those that were asked for and never ran."""
        return [name for name in self._names or [] if name not in self.sums and name not in self._left]

    # passes with gradients

    def _sensed(self, x: Any, labels: Any) -> tuple[Array, Mapping[str, Any], Mapping[str, Any]]:
        """Outputs, values, and the slope of each example's class at them."""
        names = self._names or []
        if isinstance(self.network, Sensitive):
            passed = self.network.passage(x, lambda outputs: self._weights(outputs, labels), names)
            return passed.outputs, passed.values, passed.slopes
        values: dict[str, Any] = {}
        slopes: dict[str, Any] = {}
        net = self.network
        with self._evaluating(), net.watch(lambda n, v: values.__setitem__(n, net.keep(v)), names):
            if isinstance(net, Differentiable):
                outputs = np.array(net.to_numpy(net.run(x)))
                net.settle()
            else:
                with net.watch(lambda n, v: slopes.__setitem__(n, net.keep(v)), names, place="gradient"):
                    outputs = np.array(net.to_numpy(net.run(x)))
        if isinstance(net, Differentiable):
            slopes = dict(net.gradient(x, self._weights(outputs, labels), names))
        return outputs, values, slopes

    def _weights(self, outputs: Array, labels: Any) -> Array:
        """One for the class of each example, zero for all others; nothing for one that has no class."""
        table = settled(outputs)
        which = self.grouping.predicted(outputs) if self.align == "prediction" else self.grouping.truth(labels)
        which = np.minimum(which, 0) if table.shape[1] == 1 else which
        if which.max(initial=-1) >= table.shape[1]:
            raise BadValue(f"align='label': label {which.max()} is none of the network's {table.shape[1]} outputs.")
        weights = np.zeros(table.shape, np.float32)
        some = np.flatnonzero(which >= 0)
        weights[some, which[some]] = 1
        return unsettled(weights, outputs.shape)

    # sums

    def _fold(self, name: str, value: Any, slopes: Any = None) -> None:
        layer = self.network.layer(name)
        first = self._first(layer, value)
        if first is None:
            return
        sums = self.sums.get(name) or self._open(layer, first)
        if self.align is not None and sums.spatial:
            first = self._aligned(sums, first, slopes)
        if sums.places is not None:
            if tuple(first.shape[1:]) != sums.shape:
                raise BadValue(
                    f"{name} is of the shape {sums.shape} for some examples and {tuple(first.shape[1:])} for others, so that its "
                    "positions have no mean: positions=False takes each unit's mean over them, or leave it out with layers=."
                )
            sums.places.fold(sums.flat(first), self._of, len(self.grouping))
        if sums.units is not None:
            means = _wide(first).mean(sums.others) if sums.others else first
            sums.units.fold(means, self._of, len(self.grouping))

    def _first(self, layer: Layer, value: Any) -> Any:
        """The value, examples first; None of a layer whose values are not those of examples, which is then left out."""
        value = value if hasattr(value, "reshape") else self.network.to_numpy(value)
        shape, axis = tuple(value.shape), layer.batch_axis
        fits = len(shape) > 1 and shape[axis] == self._count and axis % len(shape) != layer.unit_axis % len(shape)
        if fits:
            return value if axis == 0 else value.swapaxes(0, axis)
        if self.layers is not None:
            raise BadValue(
                f"{layer.name} says {shape} for {self._count} examples: its values are not those of examples, so that there is "
                "nothing to group. Leave it out of layers=."
            )
        if layer.name not in self._left:
            self._left.add(layer.name)
            warnings.warn(
                f"nissl: {layer.name} is left out: it says {shape} for {self._count} examples",
                NisslWarning,
                stacklevel=5,
            )
        return None

    def _open(self, layer: Layer, value: Any) -> Sums:
        shape = tuple(value.shape[1:])
        heard = layer.unit_axis % (len(shape) + 1)
        unit = (heard or layer.batch_axis) - 1  # the first axis and that of the examples have changed places
        one = len(shape) == 1
        places = Tally(self.network, layer, int(np.prod(shape))) if one or self.positions else None
        units = None if one else Tally(self.network, layer, shape[unit])
        found = self.sums[layer.name] = Sums(
            layer, shape, unit, places, units, step(value, unit + 1) == 1 < shape[unit]
        )
        self._afford()
        return found

    def _afford(self) -> None:
        needed = {
            name: sum(tally.size(len(self.grouping)) for tally in (one.places, one.units) if tally is not None)
            for name, one in self.sums.items()
        }
        if sum(needed.values()) > self.memory:
            most = max(needed, key=lambda name: needed[name])
            units = "for units alone with positions=False, " if self.positions else ""
            raise OverBudget(
                f"The sums of {plural(len(needed), 'layer')} for {plural(len(self.grouping), 'group')} take {amount(sum(needed.values()))}, "
                f"more than memory allows, {amount(self.memory)}; most of it is for {most}. Ask for fewer layers=, {units}for fewer "
                "groups, or allow more memory=."
            )

    def _aligned(self, sums: Sums, first: Any, slopes: Any) -> Any:
        layer = sums.layer
        if slopes is None:
            raise NotHeard(
                f"{layer.name} has no gradients, so that it can't be aligned: give them, such as Arrays(..., gradients=), or "
                f"leave it out; layers with several positions: {listing(n for n, s in self.sums.items() if s.spatial)}."
            )
        given = self.network.to_numpy(slopes)
        given = given if layer.batch_axis == 0 else given.swapaxes(0, layer.batch_axis)
        value = self.network.to_numpy(first)
        room = self._room.get(layer.name)
        if room is None or room.shape != value.shape:  # fresh memory for every batch costs more than what is done there
            room = self._room[layer.name] = np.empty_like(value)
        moved = centred(value, given, sums.unit + 1, room)
        return moved if isinstance(first, np.ndarray) else self.network.like(moved, first)


def _size(value: Any) -> int:
    """How many numbers a framework's value holds, where that shows."""
    return int(np.prod([int(n) for n in value.shape])) if hasattr(value, "shape") else 0


def _wide(value: Any) -> Any:
    """In single precision at least: a mean of halves would be rounded to theirs."""
    return value.float() if hasattr(value, "float") and "float64" not in str(value.dtype) else value
