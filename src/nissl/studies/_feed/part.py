"""`Part`: files of one kind that a view of the page reads."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any

from nissl.errors import UnknownKey
from nissl.studies._feed.stage import Stage


class Part(ABC):
    """The files `KIND/REST` of a trace's page; the same bytes for the same trace."""

    def __init__(self, stage: Stage):
        self.stage, self.trace = stage, stage.trace

    def told(self) -> dict[str, Any] | None:
        """What the index says of it under `parts`, in no time: where there is nothing to show, `{"absent": why}`; None: nothing."""
        return None

    @abstractmethod
    def names(self) -> Iterator[str]:
        """The REST of each file that a report or a folder holds."""

    @abstractmethod
    def file(self, rest: str) -> bytes:
        """One of them; UnknownKey where there is none of that name."""

    def unknown(self, rest: str, form: str) -> UnknownKey:
        return UnknownKey(f"The page has no file {rest!r} of this kind: there are {form}.")


def number(text: str) -> int | None:
    """A whole number of an address, or None."""
    return int(text) if text.isdecimal() and text.isascii() and len(text) <= 18 else None
