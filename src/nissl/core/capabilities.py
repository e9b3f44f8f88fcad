"""What a network may be able to do besides being heard: each a protocol, told by having the methods and never by a flag."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from numpy.typing import NDArray

Array = NDArray[Any]


@dataclass(frozen=True)
class ParameterGradients:
    """What the training steps' gradients of a layer's parameters looked like, unit by unit."""

    magnitude: Array  # (unit,) mean |gradient| over the unit's parameters and the steps
    signal: Array  # (unit,) norm of the mean gradient
    noise: Array  # (unit,) root of the mean squared distance from it
    steps: int


@runtime_checkable
class Editable(Protocol):
    """A network whose values and parameters can be changed."""

    def change(self, layer: str, units: Sequence[int] | None = None, to: Any = 0.0) -> AbstractContextManager[None]:
        """Replace the values of these units (all: None) on every pass while the `with` is open.

        `to` is a number, an array with one value a unit, or a function of the framework's own values with the unit
        axis last, differentiable where the framework is; a framework that can't call a function refuses it by name.
        """
        ...

    def edit(self, layer: str, parameters: Mapping[str, Array]) -> None:
        """Set a layer's parameters for good, unit first as `weights` gives them."""
        ...


@runtime_checkable
class Differentiable(Protocol):
    """A network whose framework gives gradients."""

    def gradient(self, x: Any, target: Any, at: str | Sequence[str] = "input") -> Any:
        """Gradient, for every example, of its target with respect to the input or a layer's activation (several: a dict).

        `target`: a class for all, one a example, "sum" of all outputs, or a function of the framework's output that
        returns one number an example (or one in all).
        """
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
