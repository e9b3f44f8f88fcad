"""In what order units are taken for a structure, and what a size says."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nissl.core.finder import Scores
from nissl.core.trial import Outcome, Trial
from nissl.errors import BadValue

if TYPE_CHECKING:
    from nissl.core.structure import Structure

Array = NDArray[Any]
RANKS = ("contrast", "score", "absolute")
TOGETHER = "together"
"""Where the network is at hand: the contrast, and from there on learned by deleting; see `nissl.core.together`."""
GOAL = re.compile(r"\s*(faithful|target)\s*(>=|<=)\s*([0-9.eE+-]+)\s*$")
SILENT = 1e-9
"""Such a share of the largest score is nothing."""


def tables(found: Scores, targets: int) -> dict[str, Array]:
    """By layer (target, unit): the mean score over each target's rows; 0 where it has none."""

    def mean(rows: Array, mine: Array) -> Array:
        return rows[mine].mean(0, dtype=np.float64) if mine.any() else np.zeros(rows.shape[1])

    return {name: np.stack([mean(rows, found.which == k) for k in range(targets)]) for name, rows in found.rows.items()}


def ranked(rank: str, scores: Array, target: int) -> Array:
    """What units are taken by, (unit,), from the scores of all targets (target, unit)."""
    own = scores[target]
    if rank == "score":
        return own
    if rank == "absolute":
        return np.abs(own)
    if rank not in ("contrast", TOGETHER):
        raise BadValue(f"rank={rank!r}: one of {', '.join(RANKS)}.")
    others = np.delete(scores, target, 0)
    contrast = own - np.maximum(others, 0).mean(0) if len(others) else own
    # what does nothing for the target is no part of it, however little others make of it
    return behind(contrast, np.abs(own) > SILENT * np.abs(own).max(initial=0.0))


def rankings(rank: str, told: Mapping[str, Array], target: int) -> dict[str, Array]:
    """The same of several layers, (target, unit) each, so that units of all layers compare."""
    return split(ranked(rank, np.concatenate(list(told.values()), 1), target), {n: t.shape[1] for n, t in told.items()})


def split(flat: Array, sizes: Mapping[str, int]) -> dict[str, Array]:
    """What is said of all units one after another, by layer."""
    return dict(zip(sizes, np.split(flat, np.cumsum(list(sizes.values()))[:-1]), strict=True))


def behind(ranking: Array, counts: Array) -> Array:
    """What does not count behind all that does."""
    if counts.all() or not counts.any():
        return ranking
    over = ranking[~counts].max() - ranking[counts].min()
    return np.where(counts, ranking, np.nextafter(ranking - max(over, 0.0), -np.inf))


@dataclass(frozen=True)
class Size:
    """How many units a structure takes: a share, a number, or as many as reach a goal."""

    given: float | int | str

    def __post_init__(self) -> None:
        if isinstance(self.given, str):
            found = GOAL.match(self.given)
            if not found or (found[1], found[2]) not in (("faithful", ">="), ("target", "<=")):
                raise BadValue(self._wanted())
            if not 0 <= float(found[3]) <= 1:
                raise BadValue(f"size={self.given!r}: the goal lies between 0 and 1.")
        elif (
            not isinstance(self.given, int | float | np.number)
            or isinstance(self.given, bool)
            or not self.given > 0
            or (isinstance(self.given, float) and self.given > 1)
        ):
            raise BadValue(self._wanted())

    def _wanted(self) -> str:
        return (
            f'size={self.given!r}: a share of all units (0.1), a number of them (20), "faithful>=0.9" (the fewest that, kept '
            'alone, do so much of the work) or "target<=0.05" (the fewest whose deletion leaves so little accuracy).'
        )

    @property
    def searched(self) -> bool:
        return isinstance(self.given, str)

    @property
    def takes(self) -> bool:
        """Is it asked for that the target goes?"""
        return self.searched and str(self.given).startswith("target")

    def count(self, total: int) -> int:
        """Where nothing has to be searched: how many of so many."""
        assert not isinstance(self.given, str)
        wanted = self.given if isinstance(self.given, int) else round(self.given * total)
        return min(max(int(wanted), 1), total)


def foremost(ranking: Array, count: int) -> Array:
    """The numbers of the `count` highest; of equals those that come first."""
    return np.asarray(np.argsort(-ranking, kind="stable")[:count])


def first(structure: "Structure", count: int) -> dict[str, tuple[int, ...]]:
    """The `count` units that are ranked highest; equals in the order of layers and units."""
    names = list(structure.ranking)
    flat = np.concatenate([structure.ranking[name] for name in names])
    taken = np.zeros(len(flat), bool)
    taken[foremost(flat, count)] = True
    edges = np.cumsum([0, *(len(structure.ranking[name]) for name in names)])
    return {
        name: tuple(np.flatnonzero(taken[start:stop]).tolist())
        for name, start, stop in zip(names, edges[:-1], edges[1:], strict=True)
    }


def faithfulness(structure: "Structure", trial: Trial, mine: Array, counts: Sequence[int]) -> list[float]:
    """For each count, how much of the work the first units do when all other candidates are held at their means."""

    def work(outcome: Outcome) -> float:
        return trial.work(outcome, trial.intact, mine)

    full, nothing = work(trial.intact), work(trial.run(_only(structure, {}), mine))
    total = sum(structure.every().values())
    found = []
    for count in counts:
        outcome: Outcome | None = None if count >= total else trial.run(_only(structure, first(structure, count)), mine)
        got = full if outcome is None else work(outcome)
        found.append((got - nothing) / (full - nothing) if full != nothing else float("nan"))
    return found


def _only(structure: "Structure", members: Mapping[str, Sequence[int]]) -> Any:
    return structure.having(members).keep()


def fewest(reached: Any, most: int) -> int | None:
    """The least count for which `reached` holds, if it holds from there on; by steps of a tenth, then by halves."""
    low, high, step = 0, None, 1
    while high is None:
        count = min(low + step, most)
        if reached(count):
            high = count
        elif count == most:
            return None
        else:
            low, step = count, max(1, count // 4)
    while high - low > 1:
        middle = (low + high) // 2
        if reached(middle):
            high = middle
        else:
            low = middle
    return high
