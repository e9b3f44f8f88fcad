"""What an attribution explains: a class, all outputs, a function of them, a unit, or a layer as a whole."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nissl.core.aim import looks_squashed
from nissl.core.layer import Layer
from nissl.errors import BadValue

Array = NDArray[Any]
WORDS = {"predicted": "predicted class", "sum": "sum of the outputs"}


@dataclass(frozen=True, eq=False)
class Target:
    """By example a number, or else something alike for all."""

    words: str
    numbers: Array | None = None
    """Of a class or a unit; None for what has none, and for predictions until they are known."""
    given: Any = None
    """"predicted", "sum", or a function."""
    of: Layer | None = None
    """The layer whose values are explained in place of the outputs."""

    @property
    def asks(self) -> bool:
        """Must the outputs be known before it is clear what is asked?"""
        return self.numbers is None and self.given == "predicted"

    @property
    def weighs(self) -> bool:
        """Can it be said by a weight for each output?"""
        return self.of is None and not callable(self.given)

    def of_rows(self, which: Any) -> "Target":
        """The same for these examples, in this order, each as often as it is named."""
        return self if self.numbers is None else replace(self, numbers=self.numbers[which])

    def settled(self, outputs: Array) -> "Target":
        """With predictions taken from the outputs."""
        return replace(self, numbers=predicted(outputs)) if self.asks else self

    def weights(self, outputs: Array) -> Array:
        """What each output counts, of the outputs' shape; one output alone speaks for class 1 and against class 0."""
        if self.numbers is None:
            return np.ones_like(outputs)
        found = np.zeros_like(outputs)
        if single(outputs):
            found[:] = np.reshape(np.where(self.numbers > 0, 1, -1), (-1, *[1] * (outputs.ndim - 1)))
        else:
            np.moveaxis(found, -1, 1)[np.arange(len(found)), self.numbers] = 1
        return found

    def asked(self, outputs: Array) -> Any:
        """As a network's `gradient` takes it; `outputs` shows the shape of one example's."""
        if self.numbers is None:
            return self.given
        if self.of is None and single(outputs):
            return np.repeat(self.weights(np.zeros((len(self.numbers), *outputs.shape[1:]))), 1, 0)
        return self.numbers

    def scores(self, values: Array) -> Array:
        """One number an example, of the outputs, or of what the layer said."""
        if self.of is None:
            return np.asarray((values * self.weights(values)).reshape(len(values), -1).sum(1))
        turned = (
            np.moveaxis(values, (self.of.batch_axis, self.of.unit_axis), (0, -1))
            if values.ndim > 1
            else values[:, None]
        )
        if self.numbers is None:
            return np.asarray(np.abs(turned).reshape(len(turned), -1).sum(1))
        rows = np.moveaxis(turned, -1, 1)[np.arange(len(turned)), self.numbers]
        return np.asarray(rows.reshape(len(rows), -1).sum(1))


def single(outputs: Array) -> bool:
    """Is there one output, for two classes?"""
    return bool(np.prod(outputs.shape[1:], dtype=np.int64) == 1)


def predicted(outputs: Array) -> Array:
    """The class of each example; of outputs at several positions the one that is largest over all of them."""
    flat = np.moveaxis(outputs, -1, 1).reshape(len(outputs), outputs.shape[-1] if outputs.ndim > 1 else 1, -1).mean(2)
    if flat.shape[1] == 1:
        return np.asarray(flat[:, 0] > (0.5 if looks_squashed(outputs) else 0)).astype(np.int64)
    return np.asarray(flat.argmax(1))


def target_of(given: Any, count: int, outputs: Array) -> Target:
    """What the user means by `target`, for `count` examples."""
    if callable(given):
        return Target(getattr(given, "__name__", "a function"), given=given)
    if isinstance(given, str):
        if given not in WORDS:
            raise BadValue(f'target is labels, a class, "predicted", "sum" or a function, not {given!r}.')
        return Target(WORDS[given], given=given)
    numbers = np.asarray(given)
    if numbers.dtype.kind not in "iu" or numbers.ndim > 1:
        raise BadValue(
            f"target is whole numbers, one class for all or one an example, not {numbers.dtype} of the shape {numbers.shape}."
        )
    if numbers.ndim and len(numbers) != count:
        raise BadValue(
            f"target has {len(numbers)} labels for {count} examples: give one for each, or one class for all."
        )
    have = 2 if single(outputs) else outputs.shape[-1]
    if numbers.size and (numbers.min() < 0 or numbers.max() >= have):
        raise BadValue(
            f"The classes are 0 to {have - 1}; target asks for {int(numbers.min())} to {int(numbers.max())}."
        )
    words = "true class" if numbers.ndim else f"class {int(numbers)}"
    return Target(words, np.broadcast_to(numbers, count).astype(np.int64))


def magnitude(values: Any) -> Any:
    """How much a layer says in all: as a function that every framework can differentiate."""
    if isinstance(values, np.ndarray):  # whose gradient is taken by complex steps
        return (values * np.sign(values.real)).reshape(len(values), -1).sum(1)
    return abs(values)


def target_of_unit(layer: Layer, unit: Any, count: int, have: int) -> Target:
    """A unit by its number, or "whole": the magnitudes of all that a layer says."""
    if isinstance(unit, str) and unit == "whole":
        return Target(f"{layer.name} as a whole", given=magnitude, of=layer)
    if isinstance(unit, bool) or not isinstance(unit, int | np.integer) or not 0 <= unit < have:
        raise BadValue(f'unit is a number from 0 to {have - 1}, "every" or "whole" of {layer.name}, not {unit!r}.')
    return Target(f"{layer.unit} {unit} of {layer.name}", np.full(count, int(unit)), of=layer)
