"""`nissl.profile`: what a network's units make of groups of inputs, in one pass."""

from collections.abc import Sequence
from contextlib import nullcontext
from typing import Any

import numpy as np

from nissl.core.answers import Answers
from nissl.core.fingerprint import fingerprint
from nissl.core.groups import Grouping
from nissl.core.network import batches, examples, network
from nissl.core.probe import streamed
from nissl.core.profiles import Profiles
from nissl.core.progress import progress as shown
from nissl.core.settings import size
from nissl.core.sweep import ALIGNED, Sweep
from nissl.errors import BadValue, NotHeard, listing

FEW = 2
ROOM = 1 << 21
"""So many values of a batch stay near the processor."""
LEAST, BATCH, MOST = 8, 128, 1024


def profile(
    model: Any, data: Any, groups: Any = "label", *, layers: str | Sequence[str] | None = None, align: Any = None,
    positions: bool = True, classes: Any = None, batch: int | None = None, memory: int | str = "2GB", progress: bool = True,
) -> Profiles:  # fmt: skip
    """The mean of every unit and position for each group of inputs, with counts and spreads; one pass, nothing written.

    `data`: (x, y), a loader, a data set, or x alone. `groups`: "label", "prediction", "correct", "confusion" (label x prediction);
    a column with a value for each example; a list of these to be crossed, or a dict where they have names. Missing values
    are in no group.

    `align`: values are moved so that each example's most salient place lies in the middle, by the gradient of the class that
    it is taken for ("prediction", True) or of its own ("label"). `positions=False` keeps each unit's mean over its positions
    alone. `batch`: how many examples are passed at once (None: by how much the layers say of one; loaders' are as they
    are), `memory`: the most that the sums may take.
    """
    align = "prediction" if align is True else align or None
    if align not in (None, *ALIGNED):
        raise BadValue(f"align={align!r}: {listing(ALIGNED)}, or None.")
    if batch is not None and batch < 1:
        raise BadValue(f"batch={batch}: how many examples are passed at once, a whole number from 1.")
    net = network(model)
    sweep = Sweep(net, Grouping(net, groups, classes), layers, align, positions, size(memory))
    total = _length(data)
    if total and batch is None:
        said = sweep.look(next(batches(data[0] if isinstance(data, tuple) else data, FEW)))
        batch = min(max(ROOM // max(said, 1), LEAST), MOST)
    with shown("profiles", progress) as tick, sweep.still() if total else nullcontext():
        for x, labels in streamed(data, batch or BATCH):
            count = examples(x)
            if not sweep.grouping.seen:
                sweep.look(next(batches(x, FEW)))
                sweep.start(labels)
            sweep.add(x, labels, count)
            tick(sweep.grouping.seen / total if total else 0.0)
    if not sweep.grouping.seen:
        raise BadValue("The data are empty: at least one example is needed.")
    return _found(sweep, {"align": align, "positions": positions, "examples": sweep.grouping.seen})


def _found(sweep: Sweep, recipe: dict[str, Any]) -> Profiles:
    keys, rows = sweep.grouping.finish()
    silent = sweep.silent()
    if silent:
        raise NotHeard(f"These layers never ran: {listing(silent)}. {sweep.network.unheard_reason()}")
    answers = {}
    for name in sweep.heard():
        one = sweep.sums[name]
        places, units = one.moments(rows)
        aligned = sweep.align is not None and one.spatial
        answers[name] = Answers(one.layer, one.shape, one.unit, units, places, aligned)
    factors = tuple(factor.name for factor in sweep.grouping.factors)
    recipe = {**recipe, "model": fingerprint(sweep.network)}
    return Profiles(factors, tuple(keys), np.array(sweep.sizes)[rows], answers, recipe)


def _length(data: Any) -> int:
    """How many examples there are, where that shows before they are run; 0 where it doesn't."""
    if isinstance(data, tuple) and len(data) == 2 and hasattr(data[0], "__len__"):
        return examples(data[0])
    return len(data) if hasattr(data, "shape") else 0
