"""What the back ends that Keras runs on do each in their own way."""

from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any, Protocol

import keras

from nissl.errors import Unsupported

Tell = Callable[..., None]
"""Takes the values as numpy."""


class Backend(Protocol):
    """One file each beside this one, named as Keras calls the back end."""

    def homes(self) -> tuple[Any, ...]:
        """Modules in which the framework itself keeps nonlinearities as functions."""

    def traced(self, value: Any) -> bool:
        """Is this a value of a step that is being compiled, so that there is nothing in it yet?"""

    def emit(self, tell: Tell, values: Sequence[Any]) -> None:
        """Have `tell` called with these traced values whenever the compiled step runs."""

    def apart(self, value: Any) -> bool:
        """Does hearing this traced value keep the framework from computing it together with what follows?"""

    def again(self, value: Any, compute: Callable[[], Any] | None) -> Any:
        """The same value computed once more and apart, by `compute` if there is one; None where that can't be."""

    def outward(self, tell: Tell, values: Sequence[Any], step: Any) -> Callable[[], None] | None:
        """`tell` of these traced values, which the step that has the argument `step` may return; None if they can't get there."""

    def settle(self) -> None:
        """Wait until everything emitted so far has been told."""

    def hear_gradient(self, value: Any, tell: Tell, emit: Callable[[Tell, Sequence[Any]], None]) -> Any:
        """The same value, of whose gradient `tell` is told once it is known; by `emit`, if the gradient is traced."""

    def gradients(
        self, score: Callable[[list[Any], Callable[[str, Any], Any]], Any], inputs: list[Any], names: Sequence[str],
        rule: Callable[[Any, list[Any]], None] | None = None,
    ) -> tuple[list[Any], dict[str, Any]]:  # fmt: skip
        """Of a scalar, which `score(inputs, catch)` makes; it hands each named value through `catch`.

        `rule`, on torch, is told what is differentiated by what before it is.
        """

    def learning(self) -> bool | None:
        """Does the framework keep a graph for gradients just now? None where one cannot know."""

    def still(self) -> Any:
        """A `with` in which no graph for gradients is kept."""

    def to_numpy(self, value: Any) -> Any:
        """Without a copy where that is possible."""

    def copied(self, value: Any) -> Any:
        """The value, apart from its graph and from whatever overwrites it."""


def backend() -> Backend:
    """The one that Keras runs on in this process."""
    name = keras.backend.backend()
    if name not in ("tensorflow", "torch", "jax"):
        raise Unsupported(f"Keras runs on {name} here; nissl hears it on tensorflow, torch and jax: set KERAS_BACKEND.")
    found: Backend = import_module(f"nissl.adapters._keras.{name}")
    return found
