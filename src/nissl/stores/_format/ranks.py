"""Rank 0's account of what the other ranks still owe: epochs are committed in order, when all parts of one are there."""

import json
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

from nissl.core.merge import scalars
from nissl.core.store import ArraySpec
from nissl.errors import BadValue, DamagedTrace
from nissl.stores._format import index as indices
from nissl.stores._format.background import QUICK, SLOW, Background
from nissl.stores._format.place import Place
from nissl.stores._format.row import Row, value_of
from nissl.stores._format.segment import Segment, Tag

GRACE = 1.0  # seconds in which parts may still come when nobody is to be waited for


@dataclass
class Owed:
    """An epoch of which rank 0 has written its own part."""

    tag: Tag
    until: float
    found: dict[int, Segment] = field(default_factory=dict)
    row: Row | None = None
    """How it is to be committed, once nothing more is waited for."""


class Ranks:
    """Looks for parts in the background; `commit` is given each epoch once, and the arrays that other ranks declared."""

    def __init__(self, place: Place, patience: float, commit: Callable[[Row, list[ArraySpec]], None]):
        self._place, self._patience, self._commit = place, patience, commit
        self._owed: deque[Owed] = deque()
        self._mutex = threading.Lock()
        self._looker: Background | None = None

    @property
    def waiting(self) -> bool:
        """Whether an epoch is not committed yet."""
        return bool(self._owed)

    def owe(self, tag: Tag) -> None:
        """Rank 0's part is there; commit what can be."""
        self._owed.append(Owed(tag, time.monotonic() + self._patience))
        if self._looker is None:
            failed = f"epochs of {self._place.root} could not be committed"
            self._looker = Background(self.settle, f"commits {self._place.root}", failed, lambda: self.waiting)
        self._looker.nudge()

    def settle(self) -> bool:
        """Commit the oldest epoch if nothing more will come of it; whether it was."""
        with self._mutex:
            if not self._owed:
                return False
            oldest = self._owed[0]
            if oldest.row is None and self._complete(oldest):
                oldest.row = _row(oldest)
            if oldest.row is None:
                return False
            self._commit(oldest.row, [spec for part in oldest.found.values() for spec in _declared(part)])
            self._owed.popleft()
        return True

    def finish(self, *, wait: bool) -> None:
        """Commit everything, with what comes in time."""
        if self._looker is not None:
            self._looker.stop()
        if not wait:
            for one in self._owed:
                one.until = min(one.until, time.monotonic() + GRACE)
        pause = QUICK
        while self._owed:
            if self.settle():
                pause = QUICK
            else:
                time.sleep(pause)
                pause = min(pause * 1.5, SLOW)

    def _complete(self, owed: Owed) -> bool:
        late = time.monotonic() > owed.until  # asked before looking, so that what came in time is taken
        for rank in set(range(owed.tag.world)) - set(owed.found):
            gone = self._place.exists(self._place.gone(rank))  # the same: its mark comes after its last part
            with suppress(FileNotFoundError, DamagedTrace):
                part = Segment(self._place, replace(owed.tag, rank=rank))
                _said(part)
                owed.found[rank] = part
            if rank not in owed.found and not gone and not late:
                return False
        return True


def _row(owed: Owed) -> Row:
    """The epoch, as it is to be committed."""
    world = range(owed.tag.world)
    return Row(
        owed.tag.epoch,
        time.time(),
        scalars([_said(owed.found[rank]) for rank in sorted(owed.found)]),
        frozenset(name for part in owed.found.values() for name in part.names),
        {},
        tuple(owed.found[rank].identity[1] if rank in owed.found else None for rank in world),
        tuple(rank for rank in world if rank not in owed.found),
    )


def _said(part: Segment) -> tuple[dict[str, float], float]:
    """A part's scalars and their weight."""
    try:
        numbers: dict[str, Any] = json.loads(part.said["scalars"])
        return {str(name): value_of(value) for name, value in numbers.items()}, float(part.said["weight"])
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise DamagedTrace(f"{part.path}: its scalars cannot be read: {error}.") from None


def _declared(part: Segment) -> list[ArraySpec]:
    """Arrays that the index did not have when the part was written."""
    try:
        return [indices.spec(one) for one in json.loads(part.said.get("declared", "[]"))]
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError, BadValue):
        return []  # then they are not known, and are left out as those that nobody declared
