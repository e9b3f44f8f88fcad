"""How much of the work the first units of a ranking do, alone and when they are deleted, over all sizes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nissl import plugins
from nissl.core.choosing import first, rankings, tables
from nissl.core.finder import Case, Finder, finder
from nissl.core.ground import Cut, Ground
from nissl.core.progress import silent
from nissl.errors import MissingDependency, Unsupported

Array = NDArray[Any]
SHARES = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5)
"""The sizes at which curves are taken, as shares of all candidates, so that figures compare with published ones."""


@dataclass(frozen=True)
class Curve:
    """Faithfulness f(k) = (m(first k units alone) - m(none)) / (m(all) - m(none)), and what it comes to."""

    name: str
    """The method."""
    units: tuple[int, ...]
    faithful: tuple[float, ...]
    """f at each of these numbers of units; 0 at none and 1 at all by definition."""
    cpr: float
    """The area under f over the share of units, by trapezoids: more is better, and more than 1 is cheap to have."""
    cmd: float
    """The area between f and 1, by trapezoids on |1 - f|: less is better."""
    deleted: Cut
    """What deleting as many units as the structure has left."""


def curve(ground: Ground, name: str, ranking: Mapping[str, Array], size: int) -> Curve:
    """By this ranking of all candidates; `size`: how many are deleted."""
    by = replace(ground.structure, ranking=ranking)
    units = counts(ground.total)
    inner = [ground.alone(first(by, count)) for count in units[1:-1]]
    faithful = (0.0, *inner, 1.0)
    cpr, cmd = areas([count / ground.total for count in units], faithful)
    return Curve(name, units, faithful, cpr, cmd, ground.cut(ground.deleting(first(by, size))))


def counts(total: int) -> tuple[int, ...]:
    """How many units each size has, none and all included."""
    return tuple(sorted({0, total, *(max(1, round(share * total)) for share in SHARES)}))


def areas(shares: Sequence[float], faithful: Sequence[float]) -> tuple[float, float]:
    """CPR and CMD."""
    x, f = np.asarray(shares), np.asarray(faithful)
    return tuple(float(np.sum(np.diff(x) * (y[1:] + y[:-1]) / 2)) for y in (f, np.abs(1 - f)))  # type: ignore[return-value]


def scores_by(case: Case, finding: Finder) -> dict[str, Array]:
    """By layer (target, unit): what a method makes of each unit."""
    baseline = case.baseline if case.baseline in finding.baselines else finding.baselines[0]
    return tables(finding(replace(case, baseline=baseline, tick=silent)), len(case.targets))


def naive(case: Case, rank: str, target: int, notes: list[str]) -> dict[str, dict[str, Array]]:
    """The rankings of all methods that only describe activity; those that can't be had here are noted."""
    found = {}
    for name in plugins.names("finders"):
        try:
            finding = finder(name, {})
            if not finding.causal:
                found[name] = rankings(rank, scores_by(case, finding), target)
        except (Unsupported, MissingDependency) as error:
            notes.append(f"left out: {name}: {error}")
    return found
