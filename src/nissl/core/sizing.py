"""How many units a structure takes: so many, or as many as reach a goal, which is found out by cutting."""

import warnings
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nissl.core.choosing import GOAL, TOGETHER, Size, behind, faithfulness, fewest, first, split
from nissl.core.together import together
from nissl.core.trial import Trial
from nissl.errors import BadValue, NisslWarning

if TYPE_CHECKING:
    from nissl.core.structure import Structure

Array = NDArray[Any]
MOST_SPARED = 200
"""Of so many members it is asked whether the goal needs them."""
WEIGHTS = (1.0, 1.5, 2.0, 3.0)
"""How much what others make of a unit counts against it, tried one after another where a goal allows to compare."""
SHARES = (1.0, 0.75, 0.5, 0.25)
"""How much of what was learned to stand in the place of members, tried one after another."""
MOST = 0.5
"""The largest share of all units that a search for a size goes up to when it cuts."""


def sized(structure: "Structure", size: Size, trial: Trial, target: int) -> "Structure":
    """The structure with as many members as its size says; `target`: its number."""
    total = sum(structure.every().values())
    if not size.searched:
        count = size.count(total)
        if structure.recipe.get("rank") == TOGETHER:
            structure = together(structure, target, count)
        return structure.having(first(structure, count))
    goal, value = GOAL.match(str(size.given)).group(1, 3)  # type: ignore[union-attr]
    mine = np.flatnonzero(trial.case.which == target)
    if goal == "faithful":
        return _alone(structure, size, trial, mine, float(value))
    return _Deleting(trial, target, mine, float(value), max(int(MOST * total), 1)).sized(structure, size)


def _alone(structure: "Structure", size: Size, trial: Trial, mine: Array, value: float) -> "Structure":
    """The fewest that do the work alone."""
    total = sum(structure.every().values())
    count = fewest(lambda count: faithfulness(structure, trial, mine, [count])[0] >= value, total)
    if count is None:
        _unreached(structure.target, size, f"not even {total} of {total} units, kept alone,", "all")
    return _told(structure.having(first(structure, count or total)), count is not None)


def _told(structure: "Structure", reached: bool) -> "Structure":
    return replace(structure, recipe={**structure.recipe, "reached": reached})


def _unreached(target: str, size: Size, what: str, best: str) -> None:
    warnings.warn(
        f"nissl: {target}: {what} reach {size.given}. Taken are {best}; this class may have no structure of its own.",
        NisslWarning,
        stacklevel=6,
    )


class _Deleting:
    """Looks for the fewest units whose deletion leaves the target so little accuracy."""

    def __init__(self, trial: Trial, target: int, mine: Array, value: float, most: int):
        self.trial, self.target, self.mine, self.value, self.most = trial, target, mine, value, most
        self.others = np.setdiff1d(trial.every, mine)

    def sized(self, structure: "Structure", size: Size) -> "Structure":
        _recognised(structure.target, self.trial.intact.accuracy(self.mine), self.value, size)
        used = {name: structure.scores[name] - ranking for name, ranking in structure.ranking.items()}
        before = structure.instead
        by_rank = {TOGETHER: self._together, "contrast": self._weighing}
        structure, count = by_rank.get(str(structure.recipe.get("rank")), self._plain)(structure)
        if count is not None:
            found = self._eased(structure.having(first(structure, count)), before)
            return _told(self._spared(found, used), True)
        taken, total = self._parting(structure), sum(structure.every().values())
        best = f"the {taken} that part it best from the others"
        _unreached(structure.target, size, f"not even {self.most} of {total} units, deleted,", best)
        return _told(structure.having(first(structure, taken)), False)

    def _plain(self, structure: "Structure") -> tuple["Structure", int | None]:
        return structure, fewest(lambda count: self._left(structure, count, self.mine) <= self.value, self.most)

    def _together(self, structure: "Structure") -> tuple["Structure", int | None]:
        """By what as many units do together as their scores make it seem to take."""
        _, before = self._plain(structure)
        learned, count = self._plain(together(structure, self.target, before or self._parting(structure), mixing=True))
        return (structure, before) if count is None and before is not None else (learned, count)

    def _weighing(self, structure: "Structure") -> tuple["Structure", int | None]:
        """Of several weights that others may have in the ranking, that which harms them least."""
        best: tuple[float, Structure, int] | None = None
        for weight in WEIGHTS:
            ranked_so, count = self._plain(_weighed(structure, weight))
            if count is None:
                continue
            left = self._left(ranked_so, count, self.others) if len(self.others) else 0.0
            if best is None or left > best[0]:
                best = left, ranked_so, count
        return best[1:] if best is not None else (structure, None)

    def _left(self, structure: "Structure", count: int, which: Array) -> float:
        """The accuracy of these examples without the first units."""
        return self.trial.run(structure.having(first(structure, count)).delete(), which).accuracy(which)

    def _eased(self, found: "Structure", before: Mapping[str, Array]) -> "Structure":
        """What was learned to stand in their place may say more than it takes, and shout others down: as much as parts best."""
        best, most = found, -1.0
        for share in SHARES if found.instead is not before else ():
            eased = {n: (1 - share) * before[n] + share * learned for n, learned in found.instead.items()}
            tried = replace(found, instead=eased)
            after = self.trial.run(tried.delete())
            left, gap = after.accuracy(self.mine), after.accuracy(self.others) - after.accuracy(self.mine)
            if left <= self.value and gap > most:
                best, most = tried, gap
        return best

    def _spared(self, found: "Structure", used: Mapping[str, Array]) -> "Structure":
        """Without the members that the goal does not need, those tried first that others use most."""
        places = [(name, unit) for name, which in found.members.items() for unit in which]
        for place in sorted(places, key=lambda place: (-used[place[0]][place[1]], place))[:MOST_SPARED]:
            left = {name: tuple(u for u in which if (name, u) != place) for name, which in found.members.items()}
            fewer = found.having(left)
            if len(fewer) and self.trial.run(fewer.delete(), self.mine).accuracy(self.mine) <= self.value:
                found = fewer
        return found

    def _parting(self, structure: "Structure") -> int:
        """The number of units whose deletion costs the target most more than it costs the others."""
        if not len(self.others):
            return self.most
        counts = sorted({max(round(self.most * tenth / 10), 1) for tenth in range(1, 11)})
        cuts = [self.trial.run(structure.having(first(structure, count)).delete()) for count in counts]
        return counts[int(np.argmax([cut.accuracy(self.others) - cut.accuracy(self.mine) for cut in cuts]))]


def _weighed(structure: "Structure", weight: float) -> "Structure":
    """Ranked by contrast with what others make of units counted so many times, of what helps; all else behind it."""
    names = list(structure.scores)
    own = np.concatenate([structure.scores[name] for name in names])
    told = np.concatenate([structure.ranking[name] for name in names])
    flat = behind(np.where(own > 0, own - weight * (own - told), told), own > 0)
    return replace(structure, ranking=split(flat, structure.every()), recipe={**structure.recipe, "weight": weight})


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
            stacklevel=6,
        )
