"""A change at a layer of which no pass has yet shown where it is heard: one pass with the user's own input shows it."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from torch import nn

from nissl.adapters._torch.atlas import Place
from nissl.adapters._torch.hearing import Hearing, Watch
from nissl.adapters._torch.passes import Hook, in_backward, remove

Still = Callable[[], AbstractContextManager[None]]


class FirstPass(Hook):
    """Begins a change at once if the place is known, else in front of the user's next pass."""

    __slots__ = ("_drop", "_handles", "_hearing", "_place", "_still", "_then")

    def __init__(self, hearing: Hearing, place: Place, still: Still, then: Callable[[], Callable[[], None]]):
        """`then` begins the change and returns how to end it."""
        self._hearing, self._place, self._still, self._then = hearing, place, still, then
        self._drop = then() if place.known else None
        self._handles: list[Any] = []
        hearing.passes.open(self)
        for module in () if place.known else hearing.atlas.containers:
            self._handles.append(module.register_forward_pre_hook(self, prepend=True, with_kwargs=True))

    def __call__(self, module: nn.Module, args: Any, kwargs: Any = None) -> None:
        """`kwargs`: torch leaves them out where another edit's pass, in front of this one, has begun this change already."""
        if in_backward() != -1 or self._drop is not None or self._hearing.passes.silent:
            return
        remove(self._handles)
        if not self._place.known:
            self._learn(module, args, kwargs)
        self._drop = self._then()

    def _learn(self, module: nn.Module, args: Any, kwargs: Any) -> None:
        watch = Watch(lambda *_: None, "*", "activation", False)
        with self._still():
            self._hearing.passes.silent = True
            try:
                with self._hearing.heard(watch, learn=True):
                    module(*args, **kwargs)
            finally:
                self._hearing.passes.silent = False

    def end(self) -> None:
        remove(self._handles)
        if self._drop is not None:
            self._drop()
        self._hearing.passes.close(self)
