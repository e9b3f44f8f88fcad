"""What a module of a JAX library is: whether it computes, where its units are, and how its parameters turn unit first."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Turn = Callable[[Array], Array]
Inside = Callable[[Callable[[], Any], Any], Any]
"""Takes what a compiled function does and what it was given."""
Within = Callable[[Callable[[], Any]], Any]
"""Makes a call of the model; what it returns takes the place of what the model says."""


@dataclass(frozen=True)
class Form:
    """One named array of a layer: where in the module it is, and how it is turned unit first and back."""

    path: tuple[str, ...]
    unit_first: Turn = lambda a: a
    back: Turn = lambda a: a


class Compiler(NamedTuple):
    """A library's own `jit`, which looks at what a step returns."""

    wrapped: type
    """What it makes of a step."""
    traced: type
    """What it gives to `jax.jit`; returns a tuple."""
    place: int
    """Where in that tuple the step's own output is."""


@dataclass(frozen=True)
class Kind:
    """What a computing module's kind says of its units, never the number of axes of a value."""

    name: str
    units: int | None
    unit_axis: int = -1
    unit: str = "neuron"
    forms: Mapping[str, Form] = field(default_factory=dict)
    axes: int = 1
    """How many axes the value of a single example has at the least: what comes without more has no batch."""
    last: bool = False
    """The value is the last of what the module returns, not the first."""


def at_once(run: Callable[[], Any]) -> Any:
    return run()


class Dialect(ABC):
    """What differs from one JAX library to the next."""

    batched: bool
    """Do modules take batches, or single examples under `jax.vmap`?"""
    values: bool
    """Are models values, of which every step makes new ones?"""

    appliers: tuple[Any, ...] = ()
    """Functions of the library's own that apply a nonlinearity that they are given."""
    compilers: tuple[Compiler, ...] = ()
    """What makes steps that can return more than the user asks for."""

    @abstractmethod
    def children(self, module: Any) -> Iterator[tuple[str, Any]]:
        """The modules directly inside, by path."""

    @abstractmethod
    def kind(self, module: Any) -> Kind | None:
        """None for what only holds other modules, or changes nothing that has weights of its own."""

    @abstractmethod
    def normalises(self, module: Any) -> bool:
        """Is it a norm that keeps the units apart?"""

    def spaces(self, module: Any) -> Iterator[dict[str, Any]]:
        """Namespaces in which a module keeps functions that it calls."""
        yield vars(module)

    @abstractmethod
    def copy(self, model: Any) -> Any:
        """The same model, whose state a pass may change without changing the user's."""

    @abstractmethod
    def arrays(self, module: Any) -> dict[str, Any]:
        """All parameters inside a module, by path."""

    @abstractmethod
    def evaluates(self, module: Any) -> bool:
        """Is it in evaluation mode, as far as it has modes?"""

    @abstractmethod
    def still(self, model: Any) -> Any:
        """The same model in evaluation mode, apart from the user's own: nothing done to it is done to that."""

    @abstractmethod
    def apply(self, model: Any, x: Any, within: Within = at_once) -> Any:
        """What the model makes of a batch; each of its calls is made, and may be answered, by `within`."""

    @abstractmethod
    def split(self, model: Any) -> tuple[Any, Callable[[Any], Any]]:
        """The model's differentiable arrays, and how to make a model of them again."""

    @abstractmethod
    def compiled(self, model: Any, x: Any, inside: Inside) -> Any:
        """What a copy in evaluation mode makes of a batch; compiled once for all models that differ in their arrays only."""

    @abstractmethod
    def get(self, module: Any, path: tuple[str, ...]) -> Any:
        """A parameter's array."""

    @abstractmethod
    def put(self, model: Any, parts: tuple[str, ...], values: Mapping[tuple[str, ...], Any]) -> Any:
        """The model with these parameters of the module at `parts`: itself, or a new one where models are values."""

    def walk(self, model: Any) -> Iterator[tuple[str, Any]]:
        """Every module by path, outside first; not into those that compute as one."""
        yield from self._walk("", model, set())

    def _walk(self, path: str, module: Any, seen: set[int]) -> Iterator[tuple[str, Any]]:
        if id(module) in seen:
            return
        seen.add(id(module))
        yield path, module
        if self.kind(module) is None:
            for part, child in self.children(module):
                yield from self._walk(f"{path}.{part}" if path else part, child, seen)

    def signature(self, module: Any) -> tuple[Any, ...]:
        """What tells a module from others when it is copied into a traced program."""
        return (type(module), frozenset((path, np.shape(array)) for path, array in self.arrays(module).items()))


def nested(value: Any, known: type | tuple[type, ...]) -> Iterator[tuple[str, Any]]:
    """Things of a known type inside lists, tuples and dicts, by path."""
    if isinstance(value, known):
        yield "", value
        return
    parts = value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list | tuple) else ()
    for key, part in parts:
        for path, found in nested(part, known):
            yield f"{key}.{path}" if path else str(key), found


def last_first() -> tuple[Turn, Turn]:
    """(..., in, out) as (out, in, ...), and back: kernels of dense layers, convolutions and tables."""
    return (
        lambda a: np.moveaxis(a, (-1, -2), (0, 1)) if a.ndim > 1 else a,
        lambda a: np.moveaxis(a, (0, 1), (-1, -2)) if a.ndim > 1 else a,
    )


def gates(units: int, shape: tuple[int, ...], axis: int) -> tuple[Turn, Turn]:
    """Each unit's gates side by side: (in, gates x units) or (gates x units, in) as (units, gates x in), and back."""
    inner = tuple(np.delete(shape, axis)) if shape else ()

    def unit_first(a: Array) -> Array:
        a = np.moveaxis(a, axis, 0).reshape(-1, units, *inner)
        return np.moveaxis(a, 1, 0).reshape(units, -1)

    def back(a: Array) -> Array:
        a = np.moveaxis(a.reshape(units, -1, *inner), 1, 0)
        return np.moveaxis(a.reshape(-1, *inner), 0, axis)

    return unit_first, back
