"""A fixed set of examples that is shown to the network at the end of every recorded epoch."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from nissl.core.network import batches, examples
from nissl.errors import BadValue

LABELS = ("labels", "label", "targets", "target", "y")


class Probe:
    """Inputs with or without labels: (x, y), a loader of such batches, a data set of single examples, or x alone."""

    def __init__(self, given: Any, batch: int = 256, labels: Callable[[Any], Any] = lambda y: y):
        self._batches = [(x, labels(y)) for x, y in streamed(given, batch)]
        if not self._batches:
            raise BadValue("The data (or the probe) are empty: at least one example is needed.")
        self.count = sum(examples(x) for x, _ in self._batches)

    def __iter__(self) -> Iterator[tuple[Any, Any]]:
        return iter(self._batches)

    @property
    def labels(self) -> Any:
        """The labels of the first batch, or None."""
        return self._batches[0][1]


def streamed(given: Any, batch: int) -> Iterator[tuple[Any, Any]]:
    """Data of any of these forms as batches of (inputs, labels), one at a time; loaders' batches are as large as they are."""
    found = given
    pair = isinstance(given, list) and len(given) == 2 and all(hasattr(part, "shape") for part in given)
    if pair or (isinstance(given, tuple) and len(given) == 2):  # a loader's batch is often a list
        found = (_pair(part) for part in batches(tuple(given), batch))
    elif hasattr(given, "shape"):
        found = ((part, None) for part in batches(given, batch))
    elif isinstance(given, Mapping):
        found = batches(given, batch)
    elif hasattr(given, "__getitem__") and hasattr(given, "__len__") and not isinstance(given, list | tuple):
        found = (_stacked(given, range(i, min(i + batch, len(given)))) for i in range(0, len(given), batch))
    try:
        each = iter(found)
    except TypeError as error:
        raise BadValue(
            f"probe={type(given).__name__} is no data: give (x, y), x alone, a data set, or an iterable of batches."
        ) from error
    yield from map(split, each)


def split(batch: Any) -> tuple[Any, Any]:
    """A batch as (inputs, labels): the last of a pair or tuple, or what a mapping calls its labels."""
    if isinstance(batch, Mapping):
        for name in LABELS:
            if name in batch:
                return {k: v for k, v in batch.items() if k != name}, batch[name]
        return batch, None
    if isinstance(batch, tuple | list) and len(batch) >= 2:
        inputs = tuple(batch[:-1])
        return (_several(inputs[0]) if len(inputs) == 1 else inputs), batch[-1]
    return (batch[0] if isinstance(batch, tuple | list) and len(batch) == 1 else batch), None


def _several(x: Any) -> Any:
    """Several inputs as a tuple; a loader makes a list of what its data set gave as a tuple."""
    return tuple(x) if isinstance(x, list) and x and all(np.ndim(part) and hasattr(part, "shape") for part in x) else x


def _stacked(data: Any, which: range) -> Any:
    """Single examples of a data set as one batch."""
    return _stack([data[i] for i in which])


def _stack(items: list[Any]) -> Any:
    if isinstance(items[0], Mapping):
        return {name: _stack([item[name] for item in items]) for name in items[0]}
    if isinstance(items[0], tuple | list):
        return tuple(_stack(list(column)) for column in zip(*items, strict=True))
    return np.stack([np.asarray(item) for item in items])


def _pair(part: Any) -> tuple[Any, Any]:
    return part[0], part[1]
