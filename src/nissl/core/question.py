"""A question asked of a network and some data, made into a case: which examples speak for which target, and by which aim."""

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nissl.core import aim
from nissl.core.aim import Aim
from nissl.core.finder import Case
from nissl.core.layer import Layer
from nissl.core.network import Network
from nissl.core.pool import Pool, as_numpy, settled
from nissl.core.progress import silent
from nissl.errors import BadValue, NisslWarning, UnknownName, listing, near

Array = NDArray[Any]
LABEL = "label"
"""The target that is whatever each example's own label says."""


@dataclass(frozen=True)
class Question:
    """What is asked for: the aim, the names of the targets, and which examples speak for which."""

    aim: Aim
    targets: tuple[str, ...]
    which: Array
    opposite: Array
    classes: Array | None = None


def asked(
    net: Network, data: Any, target: Any = None, *, baseline: str = "mean", metric: Any = "logodds", layers: Any = None,
    classes: Any = None, batch: int = 128, seed: int = 0, tick: Callable[[float], None] = silent, others: Any = None,
) -> Case:  # fmt: skip
    """The question as a case, checked once here; target None asks for every class."""
    if seed < 0:
        raise BadValue(f"seed={seed}: a whole number from 0.")
    pool = Pool(net, data, batch, classes)
    few = np.arange(min(pool.count, batch))
    outputs = settled(pool.outputs(few))
    net.look(pool.take(few[:2]))
    squashed = aim.looks_squashed(outputs)
    question = _question(pool, target, metric, squashed=squashed, outputs=outputs.shape[1])
    if not (question.which >= 0).any():
        raise BadValue(f"No example of the data speaks for {listing(question.targets)}: its class does not occur.")
    return Case(
        net, candidates(net, layers), pool, question.aim, question.targets, question.which, question.opposite, baseline,
        seed, tick, target, others=None if others is None else as_numpy(net, others, pool.count), classes=question.classes,
        squashed=squashed,
    )  # fmt: skip


def again(case: Case, data: Any) -> Case:
    """The same question asked of other examples."""
    pool = case.pool
    classes = pool.task.names if pool.groups is not None else None
    found = asked(case.network, data, case.target, layers=case.names, classes=classes, batch=pool.batch, seed=case.seed)
    if found.targets != case.targets:
        raise BadValue(
            f"The data are asked for {listing(found.targets)}, but the structure was found for {listing(case.targets)}: give "
            "data with labels of the same kind."
        )
    return replace(found, aim=case.aim, baseline=case.baseline, squashed=case.squashed)


def _question(pool: Pool, target: Any, metric: Any, *, squashed: bool, outputs: int) -> Question:
    everyone, none = np.zeros(pool.count, int), np.full(pool.count, -1)
    if callable(target):
        return Question(aim.of_function(target), (getattr(target, "__name__", "function"),), everyone, none)
    names, groups = pool.task.names, pool.groups
    if groups is None or not names or pool.task.kind in ("regression", "grouped"):
        number = 0 if target is None and outputs == 1 else target
        if number is None:
            raise BadValue(
                "The data have no labels that are classes, so that there are no structures of all classes. Ask for one of an "
                f"output: nissl.structure(model, data, target=NUMBER), 0 to {outputs - 1}."
            )
        if not isinstance(number, int | np.integer) or not 0 <= number < outputs:
            raise BadValue(
                f"The data have no labels that are classes, so that target is the number of an output, 0 to {outputs - 1}, or a "
                f"function; {target!r} was given."
            )
        _told_apart(pool, outputs)
        return Question(aim.of_output(int(number)), (f"output {number}",), everyone, none)
    if groups.max(initial=0) >= len(names):
        raise BadValue(
            f"There are labels up to {groups.max()}, but the network has {len(names)} outputs: classes are numbered from 0 to "
            f"{len(names) - 1}."
        )
    if isinstance(target, tuple | list):
        if len(target) != 2 or target[0] == target[1]:
            raise BadValue(f"target={target!r}: a pair is two different classes.")
        first, second = (class_number(names, one) for one in target)
        which = np.where(groups == first, 0, -1)
        made = aim.of_pair(first, second, squashed=squashed)
        return Question(made, (f"{names[first]} and not {names[second]}",), which, np.full(pool.count, second))
    made = aim.of_function(metric) if callable(metric) else aim.of_class(metric, squashed=squashed)
    if target == LABEL and LABEL not in names:
        return Question(made, ("the right answer",), everyone, none, groups)
    if target is not None and not (groups == class_number(names, target)).any():
        there = listing(names[k] for k in np.unique(groups) if k >= 0)
        raise BadValue(f"The class {target!r} does not occur in the data; there are examples of: {there}.")
    return Question(made, names, groups, none)


def _told_apart(pool: Pool, outputs: int) -> None:
    """Warn of labels that look like classes' numbers, but are no whole numbers by type."""
    y = pool.y
    if y is None or y.dtype.kind != "f" or y.size != pool.count or outputs == 1:
        return
    if np.isin(y, np.arange(outputs)).all():
        warnings.warn(
            f"nissl: the labels are {y.dtype}, and are taken for values to predict, so that the target is an output; if they "
            "are classes, give whole numbers (y.astype(int), y.long()).",
            NisslWarning,
            stacklevel=5,
        )


def class_number(names: Sequence[str], given: Any) -> int:
    """A class by name or number."""
    if str(given) in names and not isinstance(given, int | np.integer):
        return list(names).index(str(given))
    if isinstance(given, int | np.integer) and not isinstance(given, bool) and 0 <= given < len(names):
        return int(given)
    raise UnknownName(f"There is no class {given!r}.{near(given, names)} The classes are: {listing(names)}.")


def candidates(net: Network, layers: str | Sequence[str] | None) -> tuple[Layer, ...]:
    """Where units are looked for: the named layers, or those whose units mean something by themselves.

    Left out are the outputs; embeddings; and, where other layers are left, dense layers without a nonlinearity: they turn
    and move what is there (an attention's projections, what is written into a residual stream).
    """
    if layers is not None:
        return tuple(net.layer(name) for name in net.select(layers))
    every = [layer for layer in net.layers if layer.kind != "embedding"]
    inner = [layer for layer in every[:-1] if layer.units and (layer.kind != "attention" or layer.unit == "head")]
    bent = [layer for layer in inner if layer.kind != "dense" or layer.nonlinearity or layer.remark]
    found = tuple(bent or inner)
    if not found:
        raise BadValue(
            "The network has no layer before its output whose units could be looked at; name some with layers=. There are: "
            f"{listing(layer.name for layer in net.layers)}."
        )
    return found
