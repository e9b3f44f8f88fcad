"""Nonlinearities that are plain function calls, such as `keras.ops.relu`: known in every pass, by replacing the names that hold them."""

import functools
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import keras

from nissl.adapters._keras import kinds

Through = Callable[[str, Callable[..., Any], tuple[Any, ...], dict[str, Any]], Any]
Names = dict[str, Any]
"""A namespace: a module's, or an object's own attributes."""


class Functions:
    """Where the functions are, for one model: Keras' and the back end's own modules, and wherever a user's imports hold them."""

    def __init__(self, homes: Iterable[Any], through: Through):
        self._through = through
        self._homes = [vars(home) for home in (keras.ops, keras.ops.nn, keras.ops.numpy, keras.activations, *homes)]
        found = [(name, home[name]) for home in self._homes for name in kinds.NAMES if callable(home.get(name))]
        self._known = {id(function): (name, function) for name, function in found}
        self._ears: dict[int, Any] = {}
        self._held: list[tuple[Names, str]] = []

    def look(self, modules: Iterable[Any]) -> None:
        """Find the names again: in the modules whose classes the model is made of, and in its layers' attributes."""
        places = {id(home): home for home in self._homes}
        for module in modules:
            for kind in type(module).__mro__:
                of = kind.__module__
                if not of.startswith(("keras.src", "torch.", "tensorflow.", "builtins")) and of in sys.modules:
                    places[id(vars(sys.modules[of]))] = vars(sys.modules[of])
            if not type(module).__module__.startswith("keras.src"):
                places[id(vars(module))] = vars(module)
        self._held = [
            (place, key) for place in places.values() for key, value in place.items() if id(value) in self._known
        ]

    @contextmanager
    def heard(self) -> Iterator[None]:
        """While this is open, a call by one of these names is `through(name, function, args, kwargs)`."""
        before = [(place, key, place[key]) for place, key in self._held if key in place]
        try:
            for place, key, function in before:
                place[key] = self._ear(function)
            yield
        finally:
            for place, key, function in before:
                place[key] = function

    def _ear(self, function: Any) -> Any:
        if id(function) in self._ears:
            return self._ears[id(function)][1]
        name, _ = self._known.get(id(function)) or (getattr(function, "__name__", ""), None)

        @functools.wraps(function)
        def ear(*args: Any, **kwargs: Any) -> Any:
            return self._through(name, function, args, kwargs)

        if id(function) in self._known:  # another's ear, which ends with its pass, is not kept
            self._ears[id(function)] = function, ear
        return ear
