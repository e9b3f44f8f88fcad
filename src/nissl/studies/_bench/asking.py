"""`Asking`: one kind of question that a page asks of the live network: JSON in, JSON out."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from nissl.errors import BadValue, listing
from nissl.studies._bench.rig import Rig

Tick = Callable[[float], None]
"""Is told the share that is done; raises where nobody waits for the answer any more."""


class Asking(ABC):
    """What is asked comes from outside: it is checked before anything is done."""

    fields: ClassVar[Mapping[str, tuple[type, ...]]]
    """What a question may hold; others are refused."""

    def __init__(self, rig: Rig):
        self.rig = rig

    def __call__(self, question: Mapping[str, Any], tick: Tick) -> dict[str, Any]:
        for name, value in question.items():
            if name not in self.fields or not isinstance(value, self.fields[name]):
                raise BadValue(f"A question has no {name!r} like this: it may hold {listing(self.fields)}.")
        return self.answer(question, tick)

    @abstractmethod
    def answer(self, question: Mapping[str, Any], tick: Tick) -> dict[str, Any]:
        """As JSON knows it: no not-a-number."""
