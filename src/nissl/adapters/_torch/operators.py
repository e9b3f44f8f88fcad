"""The one operator by which a compiled graph still hands us its real values.

`torch.compile` traces hooks away: what they do must be in the graph to happen again. This operator is opaque, so it stays
there as it is, and writes to a token, so it isn't removed as dead. Graphs can't hold Python objects, hence the table of
listeners; an entry lives only as long as the `with` that made it.
"""

import itertools
from collections.abc import Callable

import torch
from torch import Tensor

Listener = Callable[[Tensor], None]

_listeners: dict[int, Listener] = {}
_handles = itertools.count(1)


def add(listener: Listener) -> int:
    """The handle by which `hear` finds the listener."""
    handle = next(_handles)
    _listeners[handle] = listener
    return handle


def remove(handle: int) -> None:
    _listeners.pop(handle, None)


@torch.library.custom_op("nissl::hear", mutates_args=("token",))
def hear(value: Tensor, handle: int, token: Tensor) -> None:  # noqa: ARG001 - the token is there to be kept
    """Hand `value` to the listener; where it is gone, a graph compiled before does nothing. `token` is any tensor of ours."""
    listener = _listeners.get(handle)
    if listener is not None:
        listener(value)


@hear.register_fake
def _trace(value: Tensor, handle: int, token: Tensor) -> None:
    """While tracing, nothing is heard."""
