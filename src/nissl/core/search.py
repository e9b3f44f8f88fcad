"""`nissl.structure`: find the units behind an output of any network."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nissl.core.capabilities import Differentiable, Editable
from nissl.core.choosing import RANKS, TOGETHER, Size, rankings, tables
from nissl.core.elsewhere import elsewhere
from nissl.core.finder import Case, Finder, Scores, finder, suited
from nissl.core.fingerprint import fingerprint
from nissl.core.network import network
from nissl.core.progress import Progress
from nissl.core.progress import progress as shown
from nissl.core.question import asked, class_number
from nissl.core.sizing import sized
from nissl.core.structure import Structure
from nissl.core.structures import Structures
from nissl.core.trial import Trial
from nissl.errors import BadValue

__all__ = ["asked", "structure", "structures"]

Array = NDArray[Any]
RESAMPLES = 200


def structure(
    model: Any, data: Any, target: Any = None, *, by: Any = None, baseline: str | None = None, metric: Any = "logodds",
    rank: str | None = None, size: float | str = 0.1, layers: str | Sequence[str] | None = None, classes: Any = None,
    others: Any = None, batch: int = 128, seed: int = 0, progress: Progress = True, **options: Any,
) -> Structure:  # fmt: skip
    """The units, and the edges between them, behind one output of a network; signed, with intervals.

    `data`: (x, y), a loader, or x alone. `target`: a class by name or number; a pair of classes (why the first and not the
    second); "label", the right answer whichever it is; where labels are no classes, the number of an output; or a function of
    the outputs (numpy, example first) that gives one number an example. `by`: the method, `nissl list finders`; what else it takes goes with it (`pairs=5`).
    None: "secant", or where a framework gives none "integrated_gradients", or without gradients "exact_ablation".

    `baseline`: what a unit is compared with, "counterfactual" (what it says for an example of another class), "mean" or
    "zero"; left out, the method's own. `metric`: "logodds", "logprob" or "logit". `rank`: "score", "absolute", "contrast" (the
    score less what other classes make of the unit) or "together" (from there on learned by deleting: which units, gone at
    once, take the target and leave the others; for classes the default where the network can). `size`: a share, a number,
    "faithful>=0.9" or "target<=0.05". `others`: your own counterfactuals, an input for each
    example. `batch`: how many examples are passed at once, which bounds memory. `progress`: a bar, none, or a function
    that is told the share that is done, and ends it all by an error of its own.
    """
    if target is None:
        raise BadValue(
            "target is missing: a class, a pair of classes, an output's number or a function. All: structures()."
        )
    goal = Size(size)
    found, case, finding = _found(
        model, data, target, by, baseline, metric, layers, classes, others, batch, seed, progress, options
    )
    return _structures(found, case, finding, rank, goal, [_index(case, target)], progress)[0]


def structures(
    model: Any, data: Any, *, by: Any = None, baseline: str | None = None, metric: Any = "logodds",
    rank: str | None = None, size: float | str = 0.1, layers: str | Sequence[str] | None = None, classes: Any = None, others: Any = None,
    batch: int = 128, seed: int = 0, progress: Progress = True, **options: Any,
) -> Structures:  # fmt: skip
    """The structures of all classes at once, for little more than one; see `structure`."""
    found, case, finding = _found(
        model, data, None, by, baseline, metric, layers, classes, others, batch, seed, progress, options
    )
    made = _structures(found, case, finding, rank, Size(size), range(len(case.targets)), progress)
    return Structures({one.target: one for one in made})


def _found(
    model: Any, data: Any, target: Any, by: Any, baseline: str | None, metric: Any, layers: Any, classes: Any, others: Any,
    batch: int, seed: int, progress: Progress, options: Mapping[str, Any],
) -> tuple[Scores, Case, Finder]:  # fmt: skip
    net = network(model)
    finding = finder(suited(net) if by is None else by, options)
    with shown(f"{type(finding).__name__}", progress) as tick:
        case = asked(
            net, data, target, baseline=baseline or finding.baselines[0], metric=metric, layers=layers,
            classes=classes, batch=batch, seed=seed, tick=tick, others=others,
        )  # fmt: skip
        return finding(case), case, finding


def _index(case: Case, target: Any) -> int:
    return 0 if len(case.targets) == 1 else class_number(case.targets, target)


def _rank(given: str | None, case: Case, finding: Finder) -> str:
    """What units are taken by where nothing else is said."""
    if given is not None and given not in (*RANKS, TOGETHER):
        raise BadValue(f"rank={given!r}: one of {', '.join((TOGETHER, *RANKS))}.")
    if given is not None or len(case.targets) == 1:
        return given or "score"
    able = isinstance(case.network, Editable) and isinstance(case.network, Differentiable)
    return TOGETHER if able and finding.causal else "contrast"


def _structures(
    found: Scores, case: Case, finding: Finder, rank: str | None, size: Size, targets: Sequence[int], progress: Progress
) -> list[Structure]:
    rank = _rank(rank, case, finding)
    told = tables(found, len(case.targets))
    recipe = {
        "by": repr(finding), "causal": finding.causal, "baseline": case.baseline, "metric": case.aim.name, "rank": rank,
        "size": size.given, "seed": case.seed, "examples": int((case.which >= 0).sum()),
    }  # fmt: skip
    trial, mark, made = Trial(case), fingerprint(case.network), []
    asked = [k for k in targets if (case.which == k).any()]
    with shown("members", progress is True and (size.searched or rank == TOGETHER)) as tick:
        for number, k in enumerate(asked, 1):
            lows, highs = _intervals(found, k, case.seed)
            said = elsewhere(case, k) if size.takes else None
            bare = Structure(
                case.targets[k], {}, {name: table[k] for name, table in told.items()}, lows, highs,
                rankings(rank, told, k), case.means, recipe, mark, case.network, case, finding,
                instead=said.mixed() if said is not None else {},
            )  # fmt: skip
            made.append(sized(bare, size, trial, k))
            tick(number / len(asked))
    return made


def _intervals(found: Scores, target: int, seed: int) -> tuple[dict[str, Array], dict[str, Array]]:
    """The middle 95 % of scores over resampled rows."""
    mine = np.flatnonzero(found.which == target)
    if len(mine) < 2:
        unknown = {name: np.full(rows.shape[1], np.nan) for name, rows in found.rows.items()}
        return unknown, unknown
    draw = np.random.default_rng([seed, target])
    weights = draw.multinomial(len(mine), np.full(len(mine), 1 / len(mine)), RESAMPLES) / len(mine)
    lows, highs = {}, {}
    for name, rows in found.rows.items():
        lows[name], highs[name] = np.quantile(weights @ rows[mine].astype(np.float64), [0.025, 0.975], axis=0)
    return lows, highs
