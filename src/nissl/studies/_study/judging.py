"""What a network answered at each stage of its training, and how right that was."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nissl.core.aim import looks_squashed
from nissl.core.network import Network, batches
from nissl.core.pool import settled
from nissl.core.store import ArraySpec, Column, Record
from nissl.core.trace import Trace
from nissl.errors import BadValue
from nissl.stores.memory import Memory

Array = NDArray[Any]
LEAST = 1e-12
"""Below this no probability is said to be."""


@dataclass(frozen=True, eq=False)
class Judged:
    """One stage."""

    epoch: int
    probabilities: Array
    """(example, class)."""
    labels: Array

    @property
    def predicted(self) -> Array:
        return np.asarray(self.probabilities.argmax(1))

    @property
    def right(self) -> Array:
        return np.asarray(self.predicted == self.labels)

    @property
    def of_truth(self) -> Array:
        """The probability that was given to what each example is."""
        return np.asarray(self.probabilities[np.arange(len(self.labels)), self.labels])

    @property
    def accuracy(self) -> float:
        return float(self.right.mean())

    @property
    def loss(self) -> float:
        """The cross-entropy."""
        return float(-np.log(np.maximum(self.of_truth, LEAST)).mean())

    @property
    def confusion(self) -> Array:
        """Counts, (what it is, what was said)."""
        count = self.probabilities.shape[1]
        return np.bincount(self.labels * count + self.predicted, minlength=count * count).reshape(count, count)

    def mistakes(self) -> Array:
        """The examples that were taken for something else, the worst first: by how little was given to the truth."""
        wrong = np.flatnonzero(~self.right)
        return wrong[np.argsort(self.of_truth[wrong], kind="stable")]


def judged(network: Network, epoch: int, x: Array, labels: Array, batch: int) -> Judged:
    """The network as it is now."""
    outputs = np.concatenate([settled(network.forward(part)) for part in batches(x, batch)]).astype(np.float64)
    if not np.isfinite(outputs).all():
        raise BadValue(f"The network's answers of epoch {epoch} are no finite numbers: did its training diverge?")
    if outputs.shape[1] == 1:  # a single output speaks for class 1
        one = outputs if looks_squashed(outputs) else 1 / (1 + np.exp(-outputs))
        found = np.concatenate([1 - one, one], 1)
    else:
        high = np.exp(outputs - outputs.max(1, keepdims=True))
        found = outputs if looks_squashed(outputs) else high / high.sum(1, keepdims=True)
    if labels.max() >= found.shape[1]:
        raise BadValue(f"The network tells {found.shape[1]} classes apart, but there are labels up to {labels.max()}.")
    return Judged(epoch, found, labels)


def traced(stages: Sequence[Judged], classes: tuple[str, ...], name: str) -> Trace:
    """The answers as a trace in memory, for the pictures that are made of traces."""
    store, count = Memory(name), len(classes)
    store.create({"model": name, "classes": list(classes)})
    names = {"class": classes, "predicted": classes}
    spec = ArraySpec(
        "probe_confusion", ("class", "predicted"), (count, count), dtype="int64", columns=(Column("confusion", "sum"),), labels=names
    )  # fmt: skip
    store.declare((spec,))
    for stage in stages:
        numbers = {"probe_loss": stage.loss, "probe_accuracy": stage.accuracy}
        store.append(Record(stage.epoch, {spec.key: stage.confusion}, numbers))
    store.close()
    return Trace(store)
