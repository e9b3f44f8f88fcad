"""The `__call__` of a model's classes, replaced while somebody listens."""

import functools
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

Called = functools.partial[Any]
"""A module's call, with the module as the first of its arguments."""


class Calls:
    """Hands each call over before it is made."""

    def __init__(self, through: Callable[[Called], Any]):
        self._through = through
        self._open = False
        self._patched: dict[type, tuple[Any, Any]] = {}

    @contextmanager
    def heard(self, classes: Iterable[type]) -> Iterator[None]:
        """While this is open, a call of an object of these classes goes `through`."""
        self._open = True
        for cls in classes:
            found = next((c.__dict__["__call__"] for c in cls.__mro__ if "__call__" in c.__dict__), None)
            if found is not None:
                wrapper = self._wrapper(found.__get__(None, cls))
                self._patched[cls] = (cls.__dict__.get("__call__"), wrapper)
                type.__setattr__(cls, "__call__", wrapper)
        try:
            yield
        finally:
            self._open = False
            self._restore()

    def _restore(self) -> None:
        for cls, (before, wrapper) in self._patched.items():
            if cls.__dict__.get("__call__") is not wrapper:
                continue  # somebody has wrapped it since, around ours, which does nothing from now on
            if before is None:
                type.__delattr__(cls, "__call__")
            else:
                type.__setattr__(cls, "__call__", before)
        self._patched.clear()

    def _wrapper(self, original: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(original)
        def called(module: Any, *args: Any, **kwargs: Any) -> Any:
            call = functools.partial(original, module, *args, **kwargs)
            return self._through(call) if self._open else call()

        return called
