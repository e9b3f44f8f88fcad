"""What a network may be able to do besides being heard: each a protocol, told by having the methods and never by a flag."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from numpy.typing import NDArray

if TYPE_CHECKING:
    from nissl.core.graph import Graph

Array = NDArray[Any]


@dataclass(frozen=True)
class ParameterGradients:
    """What the training steps' gradients of a layer's parameters looked like, unit by unit."""

    magnitude: Array  # (unit,) mean |gradient| over the unit's parameters and the steps
    signal: Array  # (unit,) norm of the mean gradient
    noise: Array  # (unit,) root of the mean squared distance from it
    steps: int


@dataclass(frozen=True)
class Passage:
    """One pass and its way back: what layers said, and how the score depends on each of their values."""

    outputs: Array
    values: Mapping[str, Any]
    """The framework's own values, as `watch` hears them."""
    slopes: Mapping[str, Any]
    """The score's slope at each value, of the same shape: its gradient or, between two inputs, its secant."""
    others: Mapping[str, Any] = field(default_factory=dict)
    """What the layers said for the other inputs, where there were any."""


@dataclass(frozen=True)
class Rewritten:
    """A new model with changes made part of its weights."""

    model: Any
    removed: Mapping[str, tuple[int, ...]]
    """Units that are physically gone, by layer."""
    held: Mapping[str, str]
    """Layers of which changed units are still there, as constants, and why they could not be removed."""
    parameters: tuple[int, int]
    """How many parameters there were, and how many there are."""


@runtime_checkable
class Editable(Protocol):
    """A network whose values and parameters can be changed."""

    def change(self, layer: str, units: Sequence[int] | None = None, to: Any = 0.0) -> AbstractContextManager[None]:
        """Replace the values of these units (all: None) on every pass while the `with` is open.

        `to` is a number, an array that broadcasts to the units' values with the unit axis last (one value a unit, say),
        or a function of the framework's own values with the unit axis last, differentiable where the framework is; a
        framework that can't call a function refuses it by name.
        """
        ...

    def edit(self, layer: str, parameters: Mapping[str, Array]) -> None:
        """Set a layer's parameters for good, unit first as `weights` gives them."""
        ...


@runtime_checkable
class Differentiable(Protocol):
    """A network whose framework gives gradients."""

    def gradient(self, x: Any, target: Any, at: str | Sequence[str] = "input", of: str | None = None) -> Any:
        """Gradient, for every example, of its target with respect to the input or a layer's activation (several: a dict).

        `target`: a class for all, one a example, "sum" of all outputs, an array of floats that weighs each output (of
        the outputs' shape), or a function of the framework's output that returns one number an example (or one in all).
        `of`: a layer whose values take the place of the outputs; a class is then the number of a unit, summed over positions.
        """
        ...


@runtime_checkable
class Sensitive(Protocol):
    """A network that gives values and gradients of several layers in one pass forth and back."""

    def passage(self, x: Any, slopes: Callable[[Array], Array], at: Sequence[str], *, frozen: bool = False) -> Passage:
        """`slopes` is told the outputs and returns the score's gradient with respect to them, of the same shape.

        `frozen`: the scales by which normalising layers divide (LayerNorm, RMSNorm) count as constants on the way back.
        """
        ...


@runtime_checkable
class Pairwise(Protocol):
    """A network that can be differentiated between two inputs: every operation by its secant instead of its tangent."""

    def secant(self, x: Any, other: Any, slopes: Callable[[Array, Array], Array], at: Sequence[str]) -> Passage:
        """Mean slopes of the score between two inputs, complete over any layer that all information passes through.

        Complete: the sum of (value - other value) * slope is the difference of the score, example by example.
        `slopes` is told the outputs for `x` and for `other` and returns the score's mean slope between them.
        """
        ...


@dataclass
class Ruling:
    """What became of a pass's nonlinearities under a rule, counted as they were met."""

    by_rule: dict[str, int] = field(default_factory=dict)
    as_they_are: dict[str, int] = field(default_factory=dict)

    def told(self) -> list[str]:
        """In words."""
        pairs = (("by the rule", self.by_rule), ("as they are", self.as_they_are))
        return [f"{how}: {', '.join(f'{n} {name}' for name, n in found.items())}" for how, found in pairs if found]


@runtime_checkable
class Ruled(Protocol):
    """A network whose gradients can go by other rules than calculus's."""

    def ruled(self, rule: str, **how: Any) -> AbstractContextManager[Ruling]:
        """While the `with` is open, `gradient` and `passage` go by this rule.

        "guided": back through each ReLU only what is positive and where it was open; "deconvnet": only what is positive. A
        pass in which no ReLU is met raises. `also`: names of other nonlinearities that are meant too.

        "epsilon", "gamma", "z_plus", "epsilon_plus" (z_plus in convolutions, epsilon elsewhere), with `epsilon` and `gamma`:
        the gradient times the value is relevance, as these rules pass it back through every layer that computes.
        """
        ...


@runtime_checkable
class Wired(Protocol):
    """A network that can tell what reaches a layer directly from another, unit by unit."""

    def edges(
        self, x: Any, slopes: Any, pairs: Sequence[tuple[str, str]], *, other: Any = None,
        baseline: Mapping[str, Array] | None = None,
    ) -> Mapping[tuple[str, str], Array]:  # fmt: skip
        """What a unit of a source layer adds to the score through a unit of a target, on the way that meets no other of these layers.

        By (source, target) pair: (example, source unit, target unit).
        With `other` the source's deviation is that between the two inputs and every operation goes by its secant (`slopes`
        as for `secant`); else it is that from `baseline`, by layer, with the unit axis last, and slopes are gradients.
        """
        ...


@runtime_checkable
class Rewritable(Protocol):
    """A network whose changes can be made part of the weights of a new model."""

    def rewritten(
        self, fixed: Mapping[str, tuple[Sequence[int], Array]],
        turned: Mapping[str, tuple[Sequence[int], Array, Array]], *, shrink: bool, x: Any,
    ) -> Rewritten:  # fmt: skip
        """A new model that does by its weights what these changes do; the network's own model is left alone.

        `fixed`: by layer, units and the constant that each becomes (unit first). `turned`: units that become factor *
        value + addend. `shrink` takes fixed units out of the model. `x`: inputs on which it is checked that the new model
        does what the changes do; what can't be done exactly is refused by name.
        """
        ...


@runtime_checkable
class Holding(Protocol):
    """A network whose units can be kept from learning."""

    def hold(self, units: Mapping[str, Sequence[int]]) -> AbstractContextManager[None]:
        """Optimiser steps leave these units' incoming parameters exactly as they are while the `with` is open."""
        ...


@runtime_checkable
class Trainable(Protocol):
    """A network whose optimiser's steps can be heard."""

    def watch_parameter_gradients(
        self, layers: Sequence[str], every: int = 1
    ) -> AbstractContextManager[Callable[[], dict[str, ParameterGradients]]]:
        """Fold the parameters' gradients at every `every`-th optimiser step; the callable reads and starts again."""
        ...


@runtime_checkable
class Labelling(Protocol):
    """A network whose framework shows it the labels of every training step, as Keras does in `fit`."""

    def watch_labels(self, on_labels: Callable[[Any], None]) -> AbstractContextManager[None]:
        """Call `on_labels` with each training step's labels, before any value of that step is told."""
        ...


@runtime_checkable
class Tying(Protocol):
    """A network of which every number can be read and written by name, and whose weights can be tied while they learn."""

    def state(self, *, trained: bool = False) -> dict[str, Array]:
        """All parameters and buffers (`trained`: the parameters alone) by the framework's names, each once, as copies."""
        ...

    def restore(self, state: Mapping[str, Array]) -> None:
        """Write arrays back by these names; others stay as they are."""
        ...

    def tied(self, ties: Mapping[str, Array]) -> AbstractContextManager[None]:
        """Optimiser steps, of any optimiser, keep to these ties while the `with` is open.

        By parameter, of its shape: bools, where False stays at zero; or whole numbers, where 0 stays at zero and entries of one
        number are one weight, that moves by the mean of their gradients.
        """
        ...


@runtime_checkable
class Biasing(Protocol):
    """A network whose units can be made to pay for their weights while it learns."""

    def weight_cost(self, cost: Callable[[Any], Any], layers: Sequence[str]) -> Any:
        """The sum, over layers and their units, of the cost of all weights that reach a unit; differentiable.

        `cost` is told a layer's weights, (unit, weight), as the framework's own values, and returns such a value.
        """
        ...


@runtime_checkable
class Charted(Protocol):
    """A network that can tell what is called on a pass, and what is given to what; what it can't is refused by name."""

    def chart(self, x: Any, kind: str) -> "Graph":
        """The graph of one pass in evaluation mode; `kind` is one of core.graph.KINDS, refused by name where there is none."""
        ...


@runtime_checkable
class Exportable(Protocol):
    """A network that can be written as an ONNX file, for programs that know those."""

    def export(self, file: Path, x: Any) -> None:
        """Write the model as it is in evaluation mode; `x` is what it is given."""
        ...
