"""One operation on two inputs: what a rule for its secant is told, and small things that rules share."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import torch
from torch import Tensor

from nissl.adapters._torch.secants.calls import Call

Made = TypeVar("Made")
Slopes = list[Tensor | None]
"""By slot; None where a slot has none, or nobody asks for it."""


@dataclass
class Pair:
    """An operation's call on the input and on the other one."""

    here: Call
    there: Call
    slots: list[int]
    kept: list[Any] | None = None
    """Where the way back is gone many times: what does not depend on the slopes."""

    def once(self, make: Callable[[], Made]) -> Made:
        if self.kept is None:
            return make()
        if not self.kept:
            self.kept.append(make())
        found: Made = self.kept[0]
        return found

    def both(self, slot: int = 0) -> tuple[Any, Any]:
        """An argument on either input, in single precision at least."""
        return wide(self.here.args[self.slots[slot]]), wide(self.there.args[self.slots[slot]])

    @property
    def differing(self) -> list[int]:
        """The slots in which the two inputs differ."""
        return [
            number for number, i in enumerate(self.slots) if not _same(self.here.args[i], self.there.args[i])
        ]  # fmt: skip

    def at(self, part: float) -> list[Any]:
        """The arguments at a point of the line from the other input to this one."""
        found = list(self.here.args)
        for i in self.slots:
            a, b = wide(self.here.args[i]), wide(self.there.args[i])
            found[i] = torch.lerp(b, a, part) if isinstance(a, Tensor) else a
        return found


def wide(value: Any) -> Any:
    """Slopes between values of half precision are taken in single precision."""
    short = isinstance(value, Tensor) and value.dtype in (torch.float16, torch.bfloat16)
    return value.float() if short else value


def first(made: Any) -> Tensor:
    """The result itself, of operations that return more."""
    return made[0] if isinstance(made, tuple | list) else made


def apart(a: Tensor, b: Tensor) -> Tensor:
    """a - b, zero also where both are the same infinity."""
    return torch.where(a == b, 0, a - b)


def _same(a: Any, b: Any) -> bool:
    if not isinstance(a, Tensor) or not isinstance(b, Tensor):
        return True
    same = a.data_ptr() == b.data_ptr() and a.shape == b.shape and a.stride() == b.stride()
    return same or torch.equal(a, b)
