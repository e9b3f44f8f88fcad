"""Is a structure necessary, sufficient, specific, or redundant? It is cut, and compared with what should do nothing."""

import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from nissl.core.choosing import first
from nissl.core.controls import Random, Sham, enough, randoms, reinitialised, sham, shuffled
from nissl.core.curves import SHARES, Curve, curve, naive
from nissl.core.finder import Case
from nissl.core.fingerprint import fingerprint
from nissl.core.ground import Cut, Ground
from nissl.core.progress import Progress
from nissl.core.progress import progress as shown
from nissl.core.question import again, asked, class_number
from nissl.core.report import Report
from nissl.core.verdicts import Evidence, findings
from nissl.core.wholeness import SUBSETS, TRIED, completeness, minimality, second
from nissl.errors import BadValue, MissingData, NisslError, NisslWarning, UnknownName, listing

if TYPE_CHECKING:
    from nissl.core.structure import Structure

CUT = (0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5)
"""The sizes at which it is looked whether a class can be cut alone, as shares of all candidates."""


def verify(
    structure: "Structure", data: Any = None, *, target: Any = None, random: int = 20, controls: bool = True,
    examples: int = 2000, seed: int = 0, progress: Progress = True,
) -> Report:  # fmt: skip
    """Cut it, keep it, and compare it with random units, naive methods and shams, on held-out `data`.

    `data`: in any form that `nissl.structure` takes; left out, the examples that it was found with, which flatters it.
    `target`: for sets of several structures, the class to verify them for. `random`: how many random structures.
    `controls=False` leaves out what takes the longest: naive methods, shuffled labels, other weights. `examples`: at most
    so many are run, up to half of them the target's.
    """
    enough(random)
    if not len(structure):
        raise BadValue(f"{structure.target} has no units: there is nothing to verify.")
    case, notes = _case(structure, data), list[str]()
    number = _number(case, structure.target if target is None else target)
    if data is None:
        notes.append("verified on the examples that it was found with: the figures flatter it")
        warnings.warn(f"nissl: {structure.target}: {notes[0]}. Give held-out data: verify(data).", NisslWarning, 3)
    if fingerprint(structure.subject()[0]) != structure.fingerprint:
        notes.append("the network's weights have changed since it was found: scores and means are those of before")
        warnings.warn(f"nissl: {structure.target}: {notes[-1]}. Find it anew with nissl.structure.", NisslWarning, 3)
    with shown("verify", progress) as tick:
        counted = _Counted(tick, _runs(structure, random, controls))
        ground = Ground(structure, case, number, examples=examples, seed=seed, tick=counted)
        return _proved(ground, data is not None, random, controls, examples, notes)


def _case(structure: "Structure", data: Any) -> Case:
    if data is None:
        if structure.case is None:
            raise MissingData("The examples that it was found with are not saved: give some, verify(data).")
        return structure.case
    if structure.case is not None:
        return again(structure.case, data)
    return asked(structure.subject()[0], data, metric=structure.recipe["metric"], layers=list(structure.scores))


def _number(case: Case, target: Any) -> int:
    if len(case.targets) == 1:
        return 0
    try:
        return class_number(case.targets, target)
    except UnknownName:
        raise BadValue(
            f"{target} is none of the classes {listing(case.targets)}: say for which of them it is to be verified, "
            f"verify(data, target={case.targets[0]!r})."
        ) from None


def _proved(
    ground: Ground, held_out: bool, random: int, controls: bool, examples: int, notes: list[str]
) -> Report:  # fmt: skip
    structure = ground.structure
    deleted, alone = ground.cut(ground.deleting(structure.members)), ground.alone(structure.members)
    _remark(ground, notes)
    drawn = randoms(ground, deleted, alone, random)
    sizes = _sizes(ground)
    evidence = Evidence(
        ground.intact, deleted, alone, drawn.p_lost, drawn.p_alone, drawn.p_apart, ground.judged, ground.chance,
        [*sizes, (len(structure), deleted)], structure.causal,
    )  # fmt: skip
    name = str(structure.recipe.get("by", "the ranking"))
    return Report(
        structure.target, ground.case.aim.name, len(structure), ground.total, held_out, len(ground.every),
        ground.available, len(ground.mine), findings(evidence), ground.intact, deleted, _ways(ground, notes), drawn, alone,
        curve(ground, name, structure.ranking, len(structure)), _naive(ground, notes) if controls else (), sizes,
        completeness(ground), minimality(ground, alone), second(ground), _discovery(ground, held_out, examples),
        _shams(ground, drawn, deleted, notes) if controls else (), tuple(notes),
    )  # fmt: skip


def _remark(ground: Ground, notes: list[str]) -> None:
    if not ground.judged:
        notes.append("the target is no class: accuracies, and what other classes lose, are left out")
    if not ground.trial.opposed:
        notes.append("every example speaks for the target: the work is how closely the intact network's aim is kept")
    if not np.isfinite(ground.span):
        notes.append("the whole network does no more for the target than its units' means: there is no work to share")
    if not ground.structure.causal:
        notes.append("found by what is active, not by what the output depends on")
    if ground.structure.recipe.get("reached") is False:
        notes.append(f"its size is not what was asked for: {ground.structure.recipe.get('size')} was not reached")


def _ways(ground: Ground, notes: list[str]) -> dict[str, Cut]:
    """The same deletion to something else."""
    ways = ("mean", "zero") if ground.structure.instead else ("zero",)
    found = {way: ground.cut(ground.deleting(ground.structure.members, way)) for way in ways}
    order = np.random.default_rng([ground.seed, 6]).permutation(ground.every)
    if len(order) % ground.case.pool.batch == 1:
        order = np.append(order, order[0])  # a batch of one has nobody to take values from
    try:
        found["resample"] = ground.cut(ground.deleting(ground.structure.members, "resample"), order)
    except NisslError as error:
        notes.append(f"left out: deleting by resample: {error}")
    return found


def _sizes(ground: Ground) -> tuple[tuple[int, Cut], ...]:
    counts = sorted({max(1, round(share * ground.total)) for share in CUT})
    return tuple((count, ground.cut(ground.deleting(first(ground.structure, count)))) for count in counts)


def _discovery(ground: Ground, held_out: bool, examples: int) -> tuple[Cut, Cut] | None:
    structure = ground.structure
    if not held_out or structure.case is None:
        return None
    before = Ground(structure, structure.case, ground.target, examples=examples, seed=ground.seed, tick=ground.tick)
    return before.intact, before.cut(before.deleting(structure.members))


def _naive(ground: Ground, notes: list[str]) -> tuple[Curve, ...]:
    structure = ground.structure
    if structure.case is None:
        notes.append("left out: naive methods: the examples that the structure was found with are not saved")
        return ()
    rankings = naive(structure.case, str(structure.recipe.get("rank", "score")), ground.target, notes)
    return tuple(curve(ground, name, ranking, len(structure)) for name, ranking in rankings.items())


def _shams(ground: Ground, random: Random, deleted: Cut, notes: list[str]) -> tuple[Sham, ...]:
    structure, found = ground.structure, []
    for name, make in (("shuffled labels", shuffled), ("permuted weights", reinitialised)):
        try:
            if structure.case is None or structure.method is None:
                raise MissingData("how the structure was found is not saved")
            one = sham(ground, name, make(structure.case, ground.seed), structure.method, random)
        except NisslError as error:
            notes.append(f"left out: {name}: {error}")
            continue
        found.append(one)
        if not one.deleted.lost < deleted.lost:
            notes.append(
                f"{name}: what the method finds there costs the target as much as the structure: doubt the method"
            )
    return tuple(found)


def _runs(structure: "Structure", random: int, controls: bool) -> int:
    """About how many runs over examples there will be."""
    curves = 6 if controls else 1
    return 2 * random + curves * (len(SHARES) + 1) + 2 * SUBSETS + min(TRIED, len(structure)) + len(CUT) + 12


class _Counted:
    """Tells the progress with every run."""

    def __init__(self, tick: Callable[[float], None], expected: int):
        self._tick, self._expected, self._done = tick, expected, 0

    def __call__(self) -> None:
        self._done += 1
        self._tick(min(self._done / self._expected, 1.0))
