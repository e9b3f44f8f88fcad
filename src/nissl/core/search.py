"""`nissl.structure`: find the units behind an output of any network."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nissl.core import aim
from nissl.core.aim import Aim
from nissl.core.choosing import RANKS, Size, ranked, sized
from nissl.core.finder import Case, Finder, Scores, finder
from nissl.core.fingerprint import fingerprint
from nissl.core.layer import Layer
from nissl.core.network import Network, network
from nissl.core.pool import Pool, settled
from nissl.core.progress import progress as shown
from nissl.core.progress import silent
from nissl.core.structure import Structure
from nissl.core.structures import Structures
from nissl.core.trial import Trial
from nissl.errors import BadValue, UnknownName, listing, near

Array = NDArray[Any]
RESAMPLES = 200


@dataclass(frozen=True)
class Question:
    """What is asked for: the aim, the names of the targets, and which examples speak for which."""

    aim: Aim
    targets: tuple[str, ...]
    which: Array
    opposite: Array


def structure(
    model: Any, data: Any, target: Any = None, *, by: Any = "secant", baseline: str | None = None, metric: Any = "logodds",
    rank: str | None = None, size: float | str = 0.1, layers: str | Sequence[str] | None = None, classes: Any = None,
    batch: int = 128, seed: int = 0, progress: bool = True, **options: Any,
) -> Structure:  # fmt: skip
    """The units, and the edges between them, behind one output of a network; signed, with intervals.

    `data`: (x, y), a loader, or x alone. `target`: a class by name or number; a pair of classes (why the first and not the
    second); where labels are no classes, the number of an output; or a function of the outputs (numpy, example first) that
    gives one number an example. `by`: the method, `nissl list structures`; what else it takes goes with it (`pairs=5`).

    `baseline`: what a unit is compared with, "counterfactual" (what it says for an example of another class), "mean" or
    "zero"; left out, the method's own. `metric`: "logodds", "logprob" or "logit". `rank`: "contrast" (the score less what
    other classes make of the unit; for classes the default), "score" or "absolute". `size`: a share, a number,
    "faithful>=0.9" or "target<=0.05". `batch`: how many examples are passed at once, which bounds memory.
    """
    if target is None:
        raise BadValue(
            "target is missing: a class, a pair of classes, an output's number or a function. All: structures()."
        )
    found, case, finding = _found(
        model, data, target, by, baseline, metric, layers, classes, batch, seed, progress, options
    )
    rank = rank or ("contrast" if len(case.targets) > 1 else "score")
    made = _structures(found, case, finding, rank, Size(size), [_index(case, target)])
    return made[0]


def structures(
    model: Any, data: Any, *, by: Any = "secant", baseline: str | None = None, metric: Any = "logodds", rank: str = "contrast",
    size: float | str = 0.1, layers: str | Sequence[str] | None = None, classes: Any = None, batch: int = 128,
    seed: int = 0, progress: bool = True, **options: Any,
) -> Structures:  # fmt: skip
    """The structures of all classes at once, for little more than one; see `structure`."""
    found, case, finding = _found(
        model, data, None, by, baseline, metric, layers, classes, batch, seed, progress, options
    )
    made = _structures(found, case, finding, rank, Size(size), range(len(case.targets)))
    return Structures({one.target: one for one in made})


def _found(
    model: Any, data: Any, target: Any, by: Any, baseline: str | None, metric: Any, layers: Any, classes: Any,
    batch: int, seed: int, progress: bool, options: Mapping[str, Any],
) -> tuple[Scores, Case, Finder]:  # fmt: skip
    finding = finder(by, options)
    with shown(f"{type(finding).__name__}", progress) as tick:
        case = asked(
            network(model), data, target, baseline=baseline or finding.baselines[0], metric=metric, layers=layers,
            classes=classes, batch=batch, seed=seed, tick=tick,
        )  # fmt: skip
        return finding(case), case, finding


def asked(
    net: Network, data: Any, target: Any = None, *, baseline: str = "mean", metric: Any = "logodds", layers: Any = None,
    classes: Any = None, batch: int = 128, seed: int = 0, tick: Callable[[float], None] = silent,
) -> Case:  # fmt: skip
    """The question as a case, checked once here; target None asks for every class."""
    pool = Pool(net, data, batch, classes)
    few = np.arange(min(pool.count, batch))
    outputs = settled(pool.outputs(few))
    with net.evaluating(), net.watch(lambda *_: None, "*"):  # shows which layers there are, in which order
        net.run(pool.take(few[:2]))
        net.settle()
    question = _question(pool, target, metric, squashed=aim.looks_squashed(outputs), outputs=outputs.shape[1])
    if not (question.which >= 0).any():
        raise BadValue(f"No example of the data speaks for {listing(question.targets)}: its class does not occur.")
    return Case(
        net, candidates(net, layers), pool, question.aim, question.targets, question.which, question.opposite, baseline,
        seed, tick,
    )  # fmt: skip


def _question(pool: Pool, target: Any, metric: Any, *, squashed: bool, outputs: int) -> Question:
    everyone, none = np.zeros(pool.count, int), np.full(pool.count, -1)
    if callable(target):
        return Question(aim.of_function(target), (getattr(target, "__name__", "function"),), everyone, none)
    names, groups = pool.task.names, pool.groups
    if groups is None or not names or pool.task.kind in ("regression", "grouped"):
        number = 0 if target is None and outputs == 1 else target
        if not isinstance(number, int | np.integer) or not 0 <= number < outputs:
            raise BadValue(
                f"The data have no labels that are classes, so that target is the number of an output, 0 to {outputs - 1}, or a "
                f"function; {target!r} was given."
            )
        return Question(aim.of_output(int(number)), (f"output {number}",), everyone, none)
    if isinstance(target, tuple | list):
        if len(target) != 2 or target[0] == target[1]:
            raise BadValue(f"target={target!r}: a pair is two different classes.")
        first, second = (class_number(names, one) for one in target)
        which = np.where(groups == first, 0, -1)
        made = aim.of_pair(first, second, squashed=squashed)
        return Question(made, (f"{names[first]} and not {names[second]}",), which, np.full(pool.count, second))
    made = aim.of_function(metric) if callable(metric) else aim.of_class(metric, squashed=squashed)
    if target is not None:
        class_number(names, target)
    return Question(made, names, groups, none)


def class_number(names: Sequence[str], given: Any) -> int:
    """A class by name or number."""
    if str(given) in names and not isinstance(given, int | np.integer):
        return list(names).index(str(given))
    if isinstance(given, int | np.integer) and not isinstance(given, bool) and 0 <= given < len(names):
        return int(given)
    raise UnknownName(f"There is no class {given!r}.{near(given, names)} The classes are: {listing(names)}.")


def _index(case: Case, target: Any) -> int:
    return 0 if len(case.targets) == 1 else class_number(case.targets, target)


def candidates(net: Network, layers: str | Sequence[str] | None) -> tuple[Layer, ...]:
    """Where units are looked for: the named layers, or those whose units mean something by themselves.

    Left out are the outputs; embeddings; and, where other layers are left, dense layers without a nonlinearity: they turn
    and move what is there (an attention's projections, what is written into a residual stream).
    """
    if layers is not None:
        return tuple(net.layer(name) for name in net.select(layers))
    every = [layer for layer in net.layers if layer.kind != "embedding"]
    inner = [layer for layer in every[:-1] if layer.units]
    bent = [layer for layer in inner if layer.kind != "dense" or layer.nonlinearity or layer.remark]
    found = tuple(layer for layer in bent or inner if layer.kind != "attention" or layer.unit == "head")
    if not found:
        raise BadValue(
            "The network has no layer before its output whose units could be looked at; name some with layers=. There are: "
            f"{listing(layer.name for layer in net.layers)}."
        )
    return found


def _structures(
    found: Scores, case: Case, finding: Finder, rank: str, size: Size, targets: Sequence[int]
) -> list[Structure]:
    if rank not in RANKS:
        raise BadValue(f"rank={rank!r}: one of {', '.join(RANKS)}.")
    many = range(len(case.targets))
    tables = {name: np.stack([_mean(rows, found.which == k) for k in many]) for name, rows in found.rows.items()}
    recipe = {
        "by": repr(finding), "causal": finding.causal, "baseline": case.baseline, "metric": case.aim.name, "rank": rank,
        "size": size.given, "seed": case.seed, "examples": int((case.which >= 0).sum()),
    }  # fmt: skip
    trial, mark, made = Trial(case), fingerprint(case.network), []
    for k in targets:
        mine = np.flatnonzero(case.which == k)
        if not len(mine):
            continue
        lows, highs = _intervals(found, k, case.seed)
        ranking = {name: ranked(rank, table, k) for name, table in tables.items()}
        bare = Structure(
            case.targets[k], {}, {name: table[k] for name, table in tables.items()}, lows, highs, ranking, case.means, recipe,
            mark, case.network, case,
        )  # fmt: skip
        made.append(sized(bare, size, trial, mine))
    return made


def _mean(rows: Array, mine: Array) -> Array:
    return rows[mine].mean(0, dtype=np.float64) if mine.any() else np.zeros(rows.shape[1])


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
