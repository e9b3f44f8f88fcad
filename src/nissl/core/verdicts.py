"""When a structure may be called necessary, sufficient, specific or redundant: the rules, with their numbers."""

from collections.abc import Sequence
from dataclasses import dataclass

from nissl.core.ground import Cut

LEVEL = 0.05
"""No word is said if random units of the same layers do it as well, p above this."""
NECESSARY = 0.5
"""Without it at least half is gone: of the accuracy above that of a guess; of the work, where there are no classes."""
SUFFICIENT = 0.5
"""Alone it does at least half of the work. Not more is asked, since log-odds also count that other classes keep silent: of
K equal pathways one alone comes to 1 - 1/K, because the others are held at their means."""
COLLATERAL = 0.1
"""The others' mean accuracy falls by at most a tenth of what the target's does."""
WORST = 0.5
"""Nor does any other class's fall by more than half of it."""
REDUNDANT = 0.2
"""A sufficient structure without which less than a fifth is gone has a stand-in elsewhere."""


@dataclass(frozen=True)
class Finding:
    """One word, whether it holds, and why."""

    word: str
    holds: bool
    why: str


@dataclass(frozen=True)
class Evidence:
    """What the rules look at."""

    intact: Cut
    deleted: Cut
    alone: float
    p_lost: float
    p_alone: float
    p_apart: float
    judged: bool
    chance: float
    sizes: Sequence[tuple[int, Cut]]
    """What deleting other numbers of units, first ranked first, left."""
    causal: bool


def findings(of: Evidence) -> tuple[Finding, ...]:
    """Every word that can be judged."""
    necessary, sufficient = _necessary(of), _sufficient(of)
    found = [necessary, sufficient]
    if of.judged:
        found.append(_specific(of, necessary.holds))
    found.append(_redundant(of, sufficient.holds))
    if of.judged and of.causal:
        found.append(_inseparable(of))
    return tuple(found)


def gone(of: Evidence, cut: Cut) -> float:
    """How much a cut took: of accuracy above a guess or, without classes, of the work."""
    if not of.judged:
        return cut.lost
    known = of.intact.accuracy - of.chance
    return (of.intact.accuracy - cut.accuracy) / known if known > 0 else 0.0


def _necessary(of: Evidence) -> Finding:
    share = gone(of, of.deleted)
    what = f"deleted, {_percent(share)} of the {'accuracy above a guess' if of.judged else 'work'} is gone"
    if of.judged and of.intact.accuracy <= of.chance:
        what = f"the intact network recognises {_percent(of.intact.accuracy)} of the target, no more than a guess would"
    said = f"{what} (at least {_percent(NECESSARY)}); random units cost as much with p = {of.p_lost:.3f}"
    if of.judged and share < NECESSARY <= of.deleted.lost:
        said += f". Of the work {_percent(of.deleted.lost)} is gone: what is still recognised is so by exclusion"
    return Finding("necessary", share >= NECESSARY and of.p_lost <= LEVEL, said)


def _sufficient(of: Evidence) -> Finding:
    said = (
        f"alone it does {_percent(of.alone)} of the work (at least {_percent(SUFFICIENT)}); random units do as much with "
        f"p = {of.p_alone:.3f}"
    )
    return Finding("sufficient", of.alone >= SUFFICIENT and of.p_alone <= LEVEL, said)


def _spares(of: Evidence, cut: Cut) -> bool:
    lost = of.intact.accuracy - cut.accuracy
    return of.intact.others - cut.others <= COLLATERAL * lost and cut.worst_lost <= WORST * lost


def _specific(of: Evidence, necessary: bool) -> Finding:
    cut, intact = of.deleted, of.intact
    said = (
        f"it is {'' if necessary else 'not '}necessary; deleted, "
        f"the target loses {_points(intact.accuracy - cut.accuracy)} points of accuracy, the others "
        f"{_points(intact.others - cut.others)} on average (at most {COLLATERAL:g} of that) and {cut.worst or 'none'} "
        f"{_points(cut.worst_lost)} (at most {WORST:g}); random units part them as far with p = {of.p_apart:.3f}"
    )
    return Finding("specific", necessary and _spares(of, cut) and of.p_apart <= LEVEL, said)


def _redundant(of: Evidence, sufficient: bool) -> Finding:
    share = of.deleted.lost
    said = (
        f"it is {'' if sufficient else 'not '}sufficient, and deleting it takes {_percent(share)} of the work (less than "
        f"{_percent(REDUNDANT)})"
    )
    return Finding("redundant", sufficient and share < REDUNDANT, said)


def _inseparable(of: Evidence) -> Finding:
    """A class can be cut only with others: at some sizes its work or its accuracy goes, but at none of them alone.

    That is said of the class, not of a ranking that knows nothing: the structure must beat random units at something.
    """
    if min(of.p_lost, of.p_alone) > LEVEL:
        return Finding("inseparable", holds=False, why="this ranking is no better than random and can't tell")
    going = [(count, cut) for count, cut in of.sizes if max(gone(of, cut), cut.lost) >= NECESSARY]
    alone = [count for count, cut in going if _spares(of, cut)]
    if not going:
        return Finding("inseparable", holds=False, why="at no size that was tried does the class go")
    if alone:
        said = f"of sizes that cost the class {_percent(NECESSARY)}, {alone[0]} units spare the others"
        return Finding("inseparable", holds=False, why=said)
    least, cut = min(going, key=lambda pair: of.intact.others - pair[1].others)
    said = (
        f"this class has no separable structure: of the sizes that cost it {_percent(NECESSARY)}, even the mildest, {least} "
        f"units, costs the others {_points(of.intact.others - cut.others)} points and {cut.worst} {_points(cut.worst_lost)}"
    )
    return Finding("inseparable", holds=True, why=said)


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def _points(share: float) -> str:
    return f"{100 * share:.1f}"
