"""A committed epoch on disk: what its commit record says, and what the index keeps of it once it is sealed."""

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from nissl.core.store import Entry
from nissl.errors import DamagedTrace
from nissl.stores._format.place import Place

WHOLE = "*"
"""In place of an array's key: nothing of the epoch can be read."""
_WORDS = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}


@dataclass(frozen=True)
class Row:
    """One committed epoch."""

    epoch: int
    time: float
    scalars: Mapping[str, float] = field(default_factory=dict)
    arrays: frozenset[str] = frozenset()
    damage: Mapping[str, str] = field(default_factory=dict)
    """Why what cannot be read: by array key, or WHOLE."""
    parts: tuple[int | None, ...] = ()
    """The bytes of every rank's segment; None where it never came."""
    missing: tuple[int, ...] = ()
    """Ranks whose part never came."""

    @property
    def entry(self) -> Entry:
        why = "; ".join(reason if key == WHOLE else f"{key}: {reason}" for key, reason in self.damage.items())
        return Entry(self.epoch, self.scalars, self.time, self.arrays, why or None, self.missing)

    def why(self, key: str) -> str | None:
        """Why this array of it cannot be read, if that is known."""
        return self.damage.get(key, self.damage.get(WHOLE))


def write(place: Place, row: Row) -> int:
    """The commit: from here on the epoch exists. FileExistsError if it did already."""
    said = {
        "epoch": row.epoch,
        "time": row.time,
        "world": len(row.parts),
        "segments": list(row.parts),
        "arrays": sorted(row.arrays),
        "scalars": {name: number(value) for name, value in row.scalars.items()},
        "damage": dict(row.damage),
    }
    if row.missing:
        said["missing"] = list(row.missing)
    return place.write_json(place.commit(row.epoch), said, new=True)


def read(place: Place, epoch: int) -> Row:
    """A commit record; where it cannot be read, the epoch is there and all of it is damaged."""
    path = place.where(place.commit(epoch))
    try:
        said = place.read_json(place.commit(epoch))
        row = Row(
            integer(said["epoch"]),
            float(said["time"]),
            {str(name): value_of(value) for name, value in said["scalars"].items()},
            frozenset(str(key) for key in said["arrays"]),
            {str(key): str(reason) for key, reason in said["damage"].items()},
            tuple(None if size is None else integer(size) for size in said["segments"]),
            ranks(said.get("missing", ())),
        )
    except DamagedTrace as error:
        return lost(place, epoch, str(error))
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        return lost(place, epoch, f"{path}: not a commit record: {type(error).__name__}: {error}.")
    if row.epoch != epoch or not row.parts:
        return lost(place, epoch, f"{path}: it is the record of epoch {row.epoch}, of {len(row.parts)} segments.")
    return row


def lost(place: Place, epoch: int, why: str) -> Row:
    try:
        when = place.identity(place.commit(epoch))[2] / 1e9
    except OSError:
        when = time.time()
    return Row(epoch, when, damage={WHOLE: why})


def number(value: float) -> float | str:
    """A number in JSON, which has no words for these three."""
    if math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def value_of(said: Any) -> float:
    return _WORDS[said] if isinstance(said, str) else float(said)


def ranks(said: Any) -> tuple[int, ...]:
    return tuple(integer(rank) for rank in said)


def integer(said: Any) -> int:
    """A whole number that is not negative, and nothing that only looks like one."""
    if type(said) is not int or said < 0:
        raise ValueError(f"{said!r} is not a count")
    return said
