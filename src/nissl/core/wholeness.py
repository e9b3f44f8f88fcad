"""Is a structure complete, is every member needed, and is there another that does the same?"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nissl.core.choosing import first
from nissl.core.ground import Ground, Members

SUBSETS = 10
TRIED = 30
TOLERANCE = 0.1
"""A member counts if it does a tenth of what each would do if all members shared the whole work equally."""


@dataclass(frozen=True)
class Completeness:
    """|m(structure less K, alone) - m(whole network less K)| over random halves K of the structure, in shares of the work.

    Whatever does the same work outside the structure shows here: the whole network then bears the loss of K better.
    """

    subsets: int
    mean: float
    largest: float


@dataclass(frozen=True)
class Minimality:
    """What each member does in the structure alone."""

    tried: int
    members: int
    needed: float
    """The share of those tried without which the work changes by more than `tolerance`."""
    tolerance: float
    """In shares of the work."""


@dataclass(frozen=True)
class Second:
    """The next as many units of the ranking: another structure for the same work?"""

    units: int
    alone: float
    """The work that they do alone."""
    lost: float
    """The work that is gone when both are deleted."""


def completeness(ground: Ground, subsets: int = SUBSETS) -> Completeness:
    """The same halves, removed from both: held at the mean, as what is not kept is."""
    places, draw = _places(ground.structure.members), np.random.default_rng([ground.seed, 4])
    apart = []
    for _ in range(subsets):
        gone = draw.random(len(places)) < 0.5
        kept = _members([place for place, out in zip(places, gone, strict=True) if not out])
        lost = _members([place for place, out in zip(places, gone, strict=True) if out])
        apart.append(abs(ground.alone(kept) - ground.work(ground.deleting(lost, "mean"))))
    return Completeness(subsets, float(np.mean(apart)), float(np.max(apart)))


def minimality(ground: Ground, alone: float, tried: int = TRIED) -> Minimality:
    """Members taken one at a time; of many, as many as are `tried`, drawn at random."""
    places = _places(ground.structure.members)
    draw = np.random.default_rng([ground.seed, 5])
    some = np.sort(draw.permutation(len(places))[:tried]).tolist()
    tolerance = TOLERANCE / len(places)
    effects = [abs(alone - ground.alone(_members(places[:i] + places[i + 1 :]))) for i in some]
    return Minimality(len(some), len(places), float(np.mean(np.array(effects) > tolerance)), tolerance)


def second(ground: Ground) -> Second:
    """Of the members of the ranking that the structure left, the first."""
    mine, structure = set(_places(ground.structure.members)), ground.structure
    order = [place for place in _places(first(structure, ground.total)) if place not in mine]
    order.sort(key=lambda place: -structure.ranking[place[0]][place[1]])
    following = order[: len(mine)]
    both = _members([*mine, *following])
    return Second(len(following), ground.alone(_members(following)), 1 - ground.work(ground.deleting(both)))


Place = tuple[str, int]


def _places(members: Members) -> list[Place]:
    return [(name, int(unit)) for name, which in members.items() for unit in which]


def _members(places: Sequence[Place]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for name, unit in sorted(places):
        found.setdefault(name, []).append(unit)
    return found
