"""Which units belong to a structure: in what order they are taken, and where to stop."""

import re
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nissl.core.finder import Scores
from nissl.core.trial import Outcome, Trial
from nissl.errors import BadValue, NisslWarning

if TYPE_CHECKING:
    from nissl.core.structure import Structure

Array = NDArray[Any]
RANKS = ("contrast", "score", "absolute")
_GOAL = re.compile(r"\s*(faithful|target)\s*(>=|<=)\s*([0-9.eE+-]+)\s*$")
MOST_SPARED = 200
"""Of so many members it is asked whether the goal needs them."""
SILENT = 1e-9
"""Such a share of the largest score is nothing."""
WEIGHTS = (1.0, 1.5, 2.0, 3.0)
"""How much what others make of a unit counts against it, tried one after another where a goal allows to compare."""
MOST = 0.5
"""The largest share of all units that a search for a size goes up to when it cuts."""


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
    if rank != "contrast":
        raise BadValue(f"rank={rank!r}: one of {', '.join(RANKS)}.")
    others = np.delete(scores, target, 0)
    contrast = own - np.maximum(others, 0).mean(0) if len(others) else own
    # what does nothing for the target is no part of it, however little others make of it
    return _behind(contrast, np.abs(own) > SILENT * np.abs(own).max(initial=0.0))


def rankings(rank: str, told: Mapping[str, Array], target: int) -> dict[str, Array]:
    """The same of several layers, (target, unit) each, so that units of all layers compare."""
    return split(ranked(rank, np.concatenate(list(told.values()), 1), target), {n: t.shape[1] for n, t in told.items()})


def split(flat: Array, sizes: Mapping[str, int]) -> dict[str, Array]:
    """What is said of all units one after another, by layer."""
    return dict(zip(sizes, np.split(flat, np.cumsum(list(sizes.values()))[:-1]), strict=True))


def _behind(contrast: Array, counts: Array) -> Array:
    """What does not count behind all that does."""
    if counts.all() or not counts.any():
        return contrast
    over = contrast[~counts].max() - contrast[counts].min()
    return np.where(counts, contrast, np.nextafter(contrast - max(over, 0.0), -np.inf))


@dataclass(frozen=True)
class Size:
    """How many units a structure takes: a share, a number, or as many as reach a goal."""

    given: float | int | str

    def __post_init__(self) -> None:
        if isinstance(self.given, str):
            found = _GOAL.match(self.given)
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


def sized(structure: "Structure", size: Size, trial: Trial, mine: Array) -> "Structure":
    """The structure with as many members as its size says; `mine`: the examples of its target."""
    total = sum(structure.every().values())
    if not size.searched:
        return structure.having(first(structure, size.count(total)))
    goal, value = _GOAL.match(str(size.given)).group(1, 3)  # type: ignore[union-attr]
    if goal == "target":
        _recognised(structure.target, trial.intact.accuracy(mine), float(value), size)
    most = total if goal == "faithful" else max(int(MOST * total), 1)
    structure, count = _found(structure, trial, mine, goal, float(value), most)
    taken = count if count is not None else most if goal == "faithful" else _parting(structure, trial, mine, most)
    if count is None:
        what = "kept alone" if goal == "faithful" else "deleted"
        best = "all" if goal == "faithful" else f"the {taken} that part it best from the others"
        warnings.warn(
            f"nissl: {structure.target}: not even {most} of {total} units, {what}, reach {size.given}. Taken are {best}; "
            "this class may have no structure of its own.",
            NisslWarning,
            stacklevel=4,
        )
    found = structure.having(first(structure, taken))
    if goal == "target" and count is not None:
        found = _spared(found, trial, mine, float(value))
    return replace(found, recipe={**found.recipe, "reached": count is not None})


def _found(
    structure: "Structure", trial: Trial, mine: Array, goal: str, value: float, most: int
) -> tuple["Structure", int | None]:
    """How many units reach the goal; of several weights that others may have in the ranking, that which harms them least."""
    if goal == "faithful" or structure.recipe.get("rank") != "contrast":
        return structure, fewest(_searcher(structure, trial, mine, goal, value), most)
    others = np.setdiff1d(trial.every, mine)
    best: tuple[float, Structure, int] | None = None
    for weight in WEIGHTS:
        ranked_so = _weighed(structure, weight)
        count = fewest(_searcher(ranked_so, trial, mine, goal, value), most)
        if count is None:
            continue
        cut = trial.run(ranked_so.having(first(ranked_so, count)).delete(), others) if len(others) else None
        left = cut.accuracy(others) if cut is not None else 0.0
        if best is None or left > best[0]:
            best = left, ranked_so, count
    return best[1:] if best is not None else (structure, None)


def _weighed(structure: "Structure", weight: float) -> "Structure":
    """Ranked by contrast with what others make of units counted so many times, of what helps; all else behind it."""
    names = list(structure.scores)
    own = np.concatenate([structure.scores[name] for name in names])
    told = np.concatenate([structure.ranking[name] for name in names])
    flat = _behind(np.where(own > 0, own - weight * (own - told), told), own > 0)
    return replace(structure, ranking=split(flat, structure.every()), recipe={**structure.recipe, "weight": weight})


def _spared(found: "Structure", trial: Trial, mine: Array, value: float) -> "Structure":
    """Without the members that the goal does not need, those tried first that other classes use most."""
    used = {(name, unit): float(found.scores[name][unit] - found.ranking[name][unit])
            for name, which in found.members.items() for unit in which}  # fmt: skip
    for place in sorted(used, key=lambda place: (-used[place], place))[:MOST_SPARED]:
        left = {name: tuple(u for u in which if (name, u) != place) for name, which in found.members.items()}
        fewer = found.having(left)
        if len(fewer) and trial.run(fewer.delete(), mine).accuracy(mine) <= value:
            found = fewer
    return found


def _recognised(target: str, accuracy: float, value: float, size: Size) -> None:
    """Is there an accuracy that cutting could take?"""
    if np.isnan(accuracy):
        raise BadValue(
            f'size={size.given!r} is about classes, and {target} is none: a share, a number or "faithful>=0.9".'
        )
    if accuracy <= value:
        warnings.warn(
            f"nissl: {target}: with nothing cut {accuracy:.0%} of its examples are recognised, so that {size.given} holds "
            "before: what is found says nothing. Train the network, or ask for a share or a number of units.",
            NisslWarning,
            stacklevel=5,
        )


def _parting(structure: "Structure", trial: Trial, mine: Array, most: int) -> int:
    """The number of units whose deletion costs the target most more than it costs the others."""
    others = np.setdiff1d(trial.every, mine)
    if not len(others):
        return most
    counts = sorted({max(round(most * tenth / 10), 1) for tenth in range(1, 11)})
    cuts = [trial.run(structure.having(first(structure, count)).delete()) for count in counts]
    return counts[int(np.argmax([cut.accuracy(others) - cut.accuracy(mine) for cut in cuts]))]


def _searcher(structure: "Structure", trial: Trial, mine: Array, goal: str, value: float) -> Any:
    def cut(count: int) -> bool:
        outcome = trial.run(structure.having(first(structure, count)).delete(), mine)
        return outcome.accuracy(mine) <= value

    def kept(count: int) -> bool:
        return faithfulness(structure, trial, mine, [count])[0] >= value

    return cut if goal == "target" else kept


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
