"""What is shown, apart from how it is painted: a view turns what was recorded or found into a picture of plain marks."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from nissl.core import address
from nissl.core.marks import Mark, plain
from nissl.core.trace import Trace
from nissl.errors import BadValue, NotHeard, UnknownName, listing, near


@dataclass(frozen=True, eq=False)
class Picture:
    """Marks in a field of `width` x `height`, with a title to set above and a caption to set below."""

    title: str
    caption: str
    """What it shows, by which rule, and how much of what there is."""
    width: float
    height: float
    marks: tuple[Mark, ...]

    def to_dict(self) -> dict[str, Any]:
        """Everything as values that JSON has."""
        found: dict[str, Any] = plain(self)
        return found


class View(ABC):
    """A frozen dataclass of what to look at and how, so that the same view is the same picture."""

    @abstractmethod
    def describe(self) -> Picture:
        """What is to be seen, without drawing it."""


@dataclass(frozen=True)
class TraceView(View):
    """Made from a trace, and what to look at in it."""

    trace: Trace

    # what follows for every view of a trace

    def moment(self, epoch: int | str | None = None) -> int:
        """The epoch as a number, the last one for None; an error that names what there is."""
        known = self.trace.epochs
        if not known:
            raise NotHeard("The trace holds no epoch yet: there is nothing to show. Look again after its first commit.")
        number = known[-1] if epoch is None else address.epoch_number(epoch)
        if number not in known:
            raise address.missing_epoch(number, known)
        return number

    def numbers(self, classes: Sequence[str | int]) -> tuple[int, ...]:
        """Classes given by name or number, as numbers in rising order."""
        if isinstance(classes, str):
            raise BadValue(f"classes={classes!r}: give a list of names or numbers, such as [{classes!r}].")
        if not len(classes):
            raise BadValue("classes is empty: name at least one, or give None for those that the view chooses.")
        known, found = self.trace.classes, set()
        for given in classes:
            if isinstance(given, int) and 0 <= given < len(known):
                found.add(int(given))
            elif str(given) in known:
                found.add(known.index(str(given)))
            else:
                raise UnknownName(
                    f"There is no class {given!r}.{near(given, known)} The trace's classes are: {listing(known)}."
                )
        return tuple(sorted(found))
