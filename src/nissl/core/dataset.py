"""Where examples come from: arrays to learn from, arrays to test on, and what their classes are called."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nissl.errors import BadValue


class Examples(NamedTuple):
    """Inputs and what each of them is; one row an example."""

    x: NDArray[Any]
    """Images (example, channel, height, width) and tables (example, feature) in float32, tokens in int64."""
    y: NDArray[Any]
    """Class numbers in int64, or float32 values: (example,), or (example, class) for several labels at once."""


@dataclass(frozen=True, eq=False)
class Splits:
    """What a data set gives: checked once here, so that nobody after it has to."""

    train: Examples
    test: Examples
    classes: tuple[str, ...] = ()
    """The classes' names in the order of their numbers; empty where `y` holds values to be predicted."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "train", _checked("train", self.train, self.classes))
        object.__setattr__(self, "test", _checked("test", self.test, self.classes))
        if self.train.x.shape[1:] != self.test.x.shape[1:]:
            raise BadValue(
                f"Training and test examples differ in shape: {self.train.x.shape[1:]} and {self.test.x.shape[1:]}."
            )

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of one example."""
        return tuple(self.train.x.shape[1:])

    @property
    def kind(self) -> str:
        """What one example is: an image, a row of a table, a sequence of tokens, or another array."""
        if np.issubdtype(self.train.x.dtype, np.integer):
            return "tokens"
        return {1: "table", 3: "image"}.get(len(self.shape), "array")


class DataSet(ABC):
    """A recipe for examples. Its fields say which and from where; nothing is read before `load`."""

    @abstractmethod
    def load(self) -> Splits:
        """Read everything; raises MissingData or DamagedData, saying what was expected, where, and how to get it."""


def _checked(name: str, examples: Examples, classes: tuple[str, ...]) -> Examples:
    x, y = np.asarray(examples.x), np.asarray(examples.y)
    if x.ndim < 2 or len(x) != len(y) or not len(x):
        raise BadValue(f"{name}: x of shape {x.shape} and y of shape {y.shape} are not one row an example.")
    x = x.astype(np.int64 if np.issubdtype(x.dtype, np.integer) else np.float32, copy=False)
    if not np.isfinite(x.sum(dtype=np.float64)):
        raise BadValue(f"{name}: x holds {np.count_nonzero(~np.isfinite(x))} values that are not finite numbers.")
    if not np.issubdtype(y.dtype, np.integer):
        return Examples(x, y.astype(np.float32, copy=False))
    if y.ndim == 1 and not 0 <= y.min() <= y.max() < len(classes):
        raise BadValue(f"{name}: y holds classes {y.min()} to {y.max()}, and {len(classes)} classes are named.")
    return Examples(x, y.astype(np.int64, copy=False))
