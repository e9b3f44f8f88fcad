"""What travels from a pass to its listeners, and where it arrives."""

import fnmatch
import threading
import warnings
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np

from nissl.adapters._jax.sums import Reduced, chosen, reduced
from nissl.core.network import OnValue
from nissl.errors import NisslError, NisslWarning


@dataclass(frozen=True)
class Wish:
    """What is listened for; a traced program depends on nothing else of its listeners."""

    place: str
    patterns: tuple[str, ...]
    training: bool
    reduce: bool

    def takes(self, name: str) -> bool:
        plain = name.partition("#")[0]
        return any(
            p in (name, plain) or fnmatch.fnmatchcase(name, p) or fnmatch.fnmatchcase(plain, p) for p in self.patterns
        )


@dataclass(frozen=True)
class Letter:
    """One value on its way to the host."""

    wish: Wish
    name: str
    axes: int
    """Of a single example's value."""
    unit_axis: int = -1
    reduce: bool = False
    """To `Reduced`; else it comes as it is."""


def ready(letters: Sequence[Letter], values: Sequence[Any]) -> list[Any]:
    """The values as they travel: feature maps reduced."""
    found: list[Any] = []
    for letter, value in zip(letters, values, strict=True):
        if letter.reduce:
            whole = value[None] if value.ndim == letter.axes else value
            measures, sample = reduced(whole, letter.unit_axis)
            found += [measures, sample, whole.size // (whole.shape[0] * whole.shape[letter.unit_axis])]
        else:
            found.append(value)
    return found


class Post:
    """Where values arrive. Compiled programs hold this and nothing of the model.

    JAX's own threads only leave values here: whatever waited for an array in one of them could wait for itself.
    """

    def __init__(self) -> None:
        self.listeners: list[tuple[Wish, OnValue]] = []
        self._reader = threading.get_ident()
        self._waiting: deque[tuple[Sequence[Letter], Sequence[Any]]] = deque()
        self._failed: set[tuple[Wish, str]] = set()
        self._errors: list[Exception] = []

    def arrive(self, letters: Sequence[Letter], *arrays: Any) -> None:
        """Values of one pass; told when somebody settles, or at once in the thread of who listens."""
        self.leave(letters, arrays)
        self.glance()

    def leave(self, letters: Sequence[Letter], arrays: Sequence[Any]) -> None:
        """Values that may not be there yet; told when somebody settles, or glances."""
        for array in arrays:
            if isinstance(array, jax.Array) and array.platform() != "cpu":
                array.copy_to_host_async()
        self._waiting.append((letters, arrays))

    def glance(self) -> None:
        """Tell what has arrived, if this is the thread of who listens."""
        if threading.get_ident() == self._reader:
            self.empty()

    def empty(self) -> None:
        """Tell all that has arrived."""
        self._reader = threading.get_ident()
        while self._waiting:
            self._open(*self._waiting.popleft())

    def _open(self, letters: Sequence[Letter], arrays: Sequence[Any]) -> None:
        left = iter(arrays)
        for letter in letters:
            value = np.asarray(next(left))
            if letter.reduce:
                sample, positions = np.asarray(next(left)), int(next(left))
                self.deliver(letter.wish, letter.name, Reduced(value, sample, positions, chosen(positions)[1]))
            else:
                self.deliver(letter.wish, letter.name, value[None] if value.ndim == letter.axes else value)

    def deliver(self, wish: Wish, name: str, value: Any) -> None:
        """To all who listen for it; what they raise never ends a training step."""
        for wanted, on_value in list(self.listeners):
            if wanted != wish or (wish, name) in self._failed:
                continue
            try:
                on_value(name, value)
            except Exception as error:  # noqa: BLE001 - told by `raise_errors`, or by a warning
                if not wish.training or isinstance(error, NisslError):
                    self._errors.append(error)
                else:
                    self._failed.add((wish, name))
                    what = f"nissl: {name} is no longer heard: the listener failed with {type(error).__name__}: {error}"
                    warnings.warn(what, NisslWarning, stacklevel=2)

    def raise_errors(self) -> None:
        errors, self._errors = self._errors, []
        if errors:
            raise errors[0]
