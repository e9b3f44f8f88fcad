"""The straight way from one input to another; tokens go it where they have become embeddings."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

import numpy as np

from nissl.core.capabilities import Editable
from nissl.core.finder import Array, Case
from nissl.errors import Unsupported


class Way:
    """From counterfactuals to the examples of a batch."""

    def __init__(self, case: Case, part: Array):
        self._network = case.network
        self._here, self._there = case.pool.take(part), case.opposites(0, part)
        self._embedded: dict[str, tuple[Array, Array]] = {}
        if not all(array.dtype.kind == "f" for array in _arrays(self._here)):
            self._embed(len(part))

    def _embed(self, count: int) -> None:
        layers = [layer.name for layer in self._network.layers if layer.kind == "embedding"]
        if not layers and not any(array.dtype.kind == "f" for array in _arrays(self._here)):
            raise Unsupported(
                "The inputs are whole numbers and the network has no embedding that turns them into others: between two of "
                "them there is no way. Use integrated_gradients, which averages at the layers."
            )
        if layers:
            here, there = (self._network.probe(x, layers, batch=count) for x in (self._here, self._there))
            for name in layers:
                axis = self._network.layer(name).unit_axis
                self._embedded[name] = np.moveaxis(here[name], axis, -1), np.moveaxis(there[name], axis, -1)

    @contextmanager
    def at(self, share: float) -> Iterator[Any]:
        """The input at this share of the way, good while the `with` is open."""
        with ExitStack() as stack:
            for name, (here, there) in self._embedded.items():
                assert isinstance(self._network, Editable)
                stack.enter_context(self._network.change(name, None, _between(here, there, share)))
            yield _mixed(self._here, self._there, share)


def _between(here: Array, there: Array, share: float) -> Array:
    return (there + share * (here.astype(np.float64) - there)).astype(here.dtype)


def _mixed(here: Any, there: Any, share: float) -> Any:
    """Members of whole numbers, such as tokens and masks, stay what they are here."""
    if isinstance(here, Mapping):
        return {name: _mixed(value, there[name], share) for name, value in here.items()}
    if isinstance(here, tuple):
        return tuple(_mixed(one, other, share) for one, other in zip(here, there, strict=True))
    return _between(here, there, share) if here.dtype.kind == "f" else here


def _arrays(x: Any) -> Iterator[Array]:
    members = x.values() if isinstance(x, Mapping) else x if isinstance(x, tuple) else None
    if members is None:
        yield x
    else:
        for member in members:
            yield from _arrays(member)
