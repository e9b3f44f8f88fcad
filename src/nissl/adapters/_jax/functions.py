"""Nonlinearities, which are plain functions here: known in every pass, by replacing the names that hold them."""

import functools
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import jax
from jax import numpy as jnp

NAMES = {
    "relu": "ReLU", "relu6": "ReLU6", "leaky_relu": "LeakyReLU", "elu": "ELU", "celu": "CELU", "selu": "SELU",
    "gelu": "GELU", "silu": "SiLU", "swish": "SiLU", "mish": "Mish", "tanh": "Tanh", "sigmoid": "Sigmoid",
    "softplus": "Softplus", "log_sigmoid": "LogSigmoid", "soft_sign": "Softsign", "squareplus": "Squareplus",
    "hard_sigmoid": "Hardsigmoid", "hard_silu": "Hardswish", "hard_swish": "Hardswish", "hard_tanh": "Hardtanh",
}  # fmt: skip
"""Nonlinearities by the names that every adapter gives them."""
MIXING = ("softmax", "log_softmax", "glu")
"""These mix the units, so that a layer is heard before them."""
LIBRARIES = ("flax.nnx", "flax.linen", "flax.linen.activation")
"""Where they can be found again, if somebody has imported these."""

Through = Callable[[str, Callable[..., Any], tuple[Any, ...], dict[str, Any]], Any]


class Functions:
    """Where the functions are, for one model's classes."""

    def __init__(self, through: Through, appliers: Iterable[Any] = ()):
        """`appliers` are functions that call the function that they are given first."""
        known = {id(getattr(jax.nn, name)): name for name in (*NAMES, *MIXING) if hasattr(jax.nn, name)}
        known[id(jnp.tanh)], known[id(jax.lax.tanh)] = "tanh", "tanh"
        self._ears = {number: Ear(name, through) for number, name in known.items()}
        self._ears |= {id(applier): Applier("", through) for applier in appliers}

    @contextmanager
    def heard(self, classes: Iterable[type]) -> Iterator[None]:
        """While this is open, a call by one of these names goes `through`."""
        libraries = [sys.modules[name] for name in LIBRARIES if name in sys.modules]
        with self.replaced([vars(home) for home in (jax.nn, jnp, jax.lax, *libraries, *_homes(classes))]):
            yield

    @contextmanager
    def replaced(self, spaces: Iterable[dict[str, Any]]) -> Iterator[None]:
        """The same for the values of these namespaces, or of objects' fields."""
        every = {id(space): space for space in spaces}.values()
        held = [(space, key, value) for space in every for key, value in space.items() if id(value) in self._ears]
        for space, key, value in held:
            space[key] = self._ears[id(value)].of(value)
        try:
            yield
        finally:
            for space, key, value in held:
                if isinstance(space.get(key), Ear):
                    space[key] = value


class Ear:
    """A function that lets its calls be seen; all else of it is as ever."""

    def __init__(self, name: str, through: Through):
        self._name, self._through = name, through
        self._function: Any = None

    def of(self, function: Any) -> "Ear":
        self._function = function
        return self

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._through(self._name, self._function, args, kwargs)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") and name not in ("__name__", "__qualname__", "__wrapped__", "__doc__"):
            raise AttributeError(name)
        return getattr(self._function, name)


class Applier(Ear):
    """One that calls the function that it is given first: on each number for itself, as it may be."""

    def __call__(self, given: Any, *args: Any) -> Any:
        if isinstance(given, Ear):
            return self._through(given._name, functools.partial(self._function, given._function), args, {})
        return self._function(given, *args)


def _homes(classes: Iterable[type]) -> Iterator[Any]:
    """The modules that define a model's classes."""
    for cls in classes:
        for kind in cls.__mro__:
            if kind.__module__ in sys.modules and kind.__module__.partition(".")[0] not in ("builtins", "jax", "flax"):
                yield sys.modules[kind.__module__]
