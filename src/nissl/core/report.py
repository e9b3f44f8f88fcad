"""What came of putting a structure to the proof: plain numbers, as a table, as JSON."""

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from nissl.core.controls import Random, Sham
from nissl.core.curves import Curve
from nissl.core.ground import Cut
from nissl.core.verdicts import Finding
from nissl.core.wholeness import Completeness, Minimality, Second

VERSION = 1


@dataclass(frozen=True)
class Report:
    """Made by `structure.verify`. Shares of the work are shares of what the whole network does beyond its units' means."""

    target: str
    aim: str
    """What is measured: "logodds", "margin", "output" ..."""
    units: int
    total: int
    """How many candidates there are."""
    held_out: bool
    """False: measured on the examples that the structure was found with, which flatters it."""
    examples: int
    """How many were run, of `available`; of these `asked` speak for the target."""
    available: int
    asked: int
    findings: tuple[Finding, ...]
    """Every verdict that could be judged, with its rule and its numbers."""
    intact: Cut
    deleted: Cut
    ways: Mapping[str, Cut]
    """What deleting to "zero" and by "resample" left, beside `deleted`, which is to the mean."""
    random: Random
    alone: float
    """The share of the work that the structure does by itself."""
    curve: Curve
    naive: tuple[Curve, ...]
    """The same for methods that only describe activity."""
    sizes: tuple[tuple[int, Cut], ...]
    """What deleting the first units of the ranking left, at several numbers of them."""
    completeness: Completeness
    minimality: Minimality
    second: Second
    discovery: tuple[Cut, Cut] | None
    """(intact, deleted) on the examples that it was found with."""
    shams: tuple[Sham, ...]
    notes: tuple[str, ...]
    """What was left out, and what to be careful about."""

    @property
    def verdict(self) -> tuple[str, ...]:
        """The words that hold, of necessary, sufficient, specific, redundant, inseparable; maybe none."""
        return tuple(finding.word for finding in self.findings if finding.holds)

    @property
    def separation(self) -> float:
        """How much more accuracy the target lost than the others did, at the best of all sizes; NaN without classes."""
        cuts = [cut for _, cut in self.sizes] or [self.deleted]
        return max(
            (self.intact.accuracy - cut.accuracy) - (self.intact.others - cut.others) for cut in (*cuts, self.deleted)
        )

    @property
    def gap(self) -> float:
        """How much less of the target's accuracy (or work) is lost here than on the examples it was found with."""
        if self.discovery is None:
            return float("nan")
        intact, deleted = self.discovery
        if math.isnan(deleted.accuracy):
            return deleted.lost - self.deleted.lost
        return (intact.accuracy - deleted.accuracy) - (self.intact.accuracy - self.deleted.accuracy)

    def to_dict(self) -> dict[str, Any]:
        """Everything as JSON knows it; what wasn't measured is None."""
        derived = {"verdict": self.verdict, "separation": self.separation, "gap": self.gap}
        found: dict[str, Any] = _plain({**asdict(self), **derived})
        return found

    def save(self, path: str | Path) -> Path:
        """As JSON."""
        file = Path(path)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps({"nissl_report": VERSION, **self.to_dict()}, indent=1, allow_nan=False) + "\n")
        return file

    def __rich__(self) -> Any:
        from nissl.core.reading import read

        return read(self)

    def __str__(self) -> str:
        from nissl.core.reading import text

        return text(self)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(name): _plain(inner) for name, inner in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(inner) for inner in value]
    return None if isinstance(value, float) and math.isnan(value) else value
