"""All examples that a question is asked of, at hand by their numbers."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nissl.core.network import Network
from nissl.core.probe import Probe
from nissl.core.task import Task
from nissl.errors import BadValue

Array = NDArray[Any]


class Pool:
    """Inputs as numpy (a tuple or dict of arrays where the network takes several), and the classes that labels say."""

    def __init__(self, network: Network, data: Any, batch: int, classes: Any = None):
        if batch < 1:
            raise BadValue(f"batch={batch}: how many examples are passed at once, a whole number from 1.")
        found = list(Probe(data, batch, network.numbered))
        self.network, self.batch = network, batch
        self.x = _joined([_numpy(network, x) for x, _ in found])
        labels = [y for _, y in found]
        self.y = None if any(y is None for y in labels) else np.concatenate([network.to_numpy(y) for y in labels])
        self.count = sum(_length(x) for x, _ in found)
        if self.y is not None and len(self.y) != self.count:
            raise BadValue(
                f"The data have {self.count} inputs and {len(self.y)} labels: give one label for each input."
            )
        outputs = network.layers[-1].units if network.layers else None
        self.task = Task.of(last(self.y, outputs), outputs, network.class_names(classes))
        groups = self.task.groups(last(self.y, outputs)) if self.y is not None else None
        self.groups: Array | None = np.asarray(groups) if groups is not None and np.ndim(groups) == 1 else None
        """The class of each example; None where labels divide them into none."""

    def take(self, which: Array) -> Any:
        """The inputs of these examples."""
        return taken(self.x, which)

    def batches(self, which: Array) -> Iterator[Array]:
        """These examples' numbers, a batch at a time."""
        yield from (which[start : start + self.batch] for start in range(0, len(which), self.batch))

    def outputs(self, which: Array) -> Array:
        """What the network, as it is now, returns for these examples: of a sequence, at its last position."""
        with self.network.evaluating():
            found = [np.array(self.network.to_numpy(self.network.run(self.take(part)))) for part in self.batches(which)]
        return np.concatenate(found)


def taken(x: Any, which: Array) -> Any:
    """These rows of an array, or of each array of a tuple or dict."""
    return _each(x, lambda array: array[which])


def as_numpy(network: Network, x: Any, count: int) -> Any:
    """Inputs as numpy; BadValue unless there are `count`."""
    found = _numpy(network, x)
    if _length(found) != count:
        raise BadValue(f"others has {_length(found)} inputs for {count} examples: give one for each, in their order.")
    return found


def settled(outputs: Array) -> Array:
    """Outputs as (example, output); of a sequence, (example, position, output), those at its last position."""
    if outputs.ndim == 3:
        outputs = outputs[:, -1]
    return outputs.reshape(len(outputs), -1)


def unsettled(slopes: Array, shape: tuple[int, ...]) -> Array:
    """Slopes at `settled` outputs as slopes at all of them."""
    if len(shape) != 3:
        return slopes.reshape(shape)
    found = np.zeros(shape, slopes.dtype)
    found[:, -1] = slopes.reshape(found[:, -1].shape)
    return found


def last(labels: Array | None, outputs: int | None) -> Array | None:
    """Of labels for every position of a sequence the last; one for each of the outputs are no sequence."""
    if labels is not None and labels.ndim == 2 and labels.dtype.kind in "iu" and labels.shape[1] > 1:
        flags = bool(np.isin(labels, (0, 1)).all())
        return labels if flags and (labels.shape[1] == outputs or (labels.sum(1) == 1).all()) else labels[:, -1]
    return labels


def _each(x: Any, do: Any) -> Any:
    if isinstance(x, Mapping):
        return {name: _each(value, do) for name, value in x.items()}
    return tuple(_each(value, do) for value in x) if isinstance(x, tuple) else do(x)


def _numpy(network: Network, x: Any) -> Any:
    return _each(x, lambda value: np.array(network.to_numpy(value)))


def rows_of(network: Network, x: Any, which: Array) -> Any:
    """Some examples of a batch, as numpy."""
    return _each(x, lambda value: np.array(network.to_numpy(value))[which])


def _joined(parts: list[Any]) -> Any:
    first = parts[0]
    if isinstance(first, Mapping):
        return {name: _joined([part[name] for part in parts]) for name in first}
    if isinstance(first, tuple):
        return tuple(_joined([part[i] for part in parts]) for i in range(len(first)))
    return np.concatenate(parts)


def _length(x: Any) -> int:
    if isinstance(x, Mapping):
        return _length(next(iter(x.values())))
    return _length(x[0]) if isinstance(x, tuple) else len(x)
