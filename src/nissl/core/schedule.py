"""When to record: which epochs, and which steps of them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from operator import index
from typing import Any

from nissl.errors import BadValue


@dataclass(frozen=True)
class Schedule:
    """Epochs count from 1; epoch 0 is the network before its first step."""

    epochs: int | tuple[int, ...] | None = None
    """None: every epoch; n: every nth; a list: just those."""
    every: int = 1
    """Listen on every nth training step."""

    @classmethod
    def of(cls, epoch_intervals: Any = None, every: Any = 1) -> "Schedule":
        """Checked here, at construction, and not at epoch 30."""
        if not _whole(every) or every < 1:
            raise BadValue(f"every={every!r}: listen on every nth step, a whole number from 1.")
        if epoch_intervals is None:
            return cls(None, every)
        if _whole(epoch_intervals) and epoch_intervals >= 1:
            return cls(int(epoch_intervals), every)
        if isinstance(epoch_intervals, Iterable) and not isinstance(epoch_intervals, str | bytes | dict):
            listed = list(epoch_intervals)
            if listed and all(_whole(e) and e >= 0 for e in listed):
                return cls(tuple(sorted({int(e) for e in listed})), every)
        raise BadValue(
            f"epoch_intervals={epoch_intervals!r}: give None (every epoch), a whole number n from 1 (every nth), or a "
            "list of epochs (just those; 0 is the network before training)."
        )

    def due(self, epoch: int) -> bool:
        if self.epochs is None:
            return True
        return epoch % self.epochs == 0 if isinstance(self.epochs, int) else epoch in self.epochs

    def due_step(self, step: int) -> bool:
        return step % self.every == 0

    def among(self, first: int, last: int) -> Sequence[int]:
        """The due epochs from `first` to `last`, however many those are."""
        if isinstance(self.epochs, tuple):
            return [epoch for epoch in self.epochs if first <= epoch <= last]
        nth = self.epochs or 1
        return range(first + -first % nth, last + 1, nth)


def _whole(value: Any) -> bool:
    try:
        return not isinstance(value, bool) and index(value) is not None
    except TypeError:
        return False
