"""`prune`: a smaller network, of those units or weights that matter most."""

import operator
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nissl.core.edit import Committed
from nissl.core.network import Network, network
from nissl.core.verbs import edit
from nissl.errors import BadValue, listing, near
from nissl.studies._pruning import choosing, measures
from nissl.studies._pruning.tuning import FineTune, checked, tuned

Array = NDArray[Any]
_WAYS = {"structure": (True,), "norm": (True,), "magnitude": (False,), "random": (True, False)}
"""What they can tell apart: units (True), weights (False)."""


@dataclass(frozen=True, eq=False)
class Pruned:
    """What went, and what it cost."""

    by: str
    share: float
    accuracy: tuple[float, float, float]
    """Of the network given, of the pruned one, and of that after fine-tuning; NaN where labels are no classes."""
    parameters: tuple[int, int]
    """Trained numbers other than zero, before and after."""
    operations: tuple[int, int]
    """Multiplications of one example by weights other than zero."""
    layers: Mapping[str, tuple[int, int]]
    """Units, by layer, or weights, by parameter, before and after."""
    masks: Mapping[str, Array]
    """Which weights stayed, by parameter; empty where whole units went."""
    committed: Committed | None = None
    """How the removal of units was done, and how exactly."""

    @contextmanager
    def held(self, model: Any) -> Iterator[None]:
        """Train the pruned model further: what was pruned stays at zero while the `with` is open."""
        with measures.tying(network(model)).tied(self.masks):
            yield

    def __str__(self) -> str:
        (before, pruned, after), what = self.accuracy, "weights" if self.masks else "units"
        told = (
            f"{self.share:.0%} of {what} by {self.by}: accuracy {before:.3f} -> {pruned:.3f}, fine-tuned {after:.3f}; parameters "
            f"{self.parameters[0]:,} -> {self.parameters[1]:,}; multiplications {self.operations[0]:,} -> {self.operations[1]:,}"
        )
        layers = [f"  {name}: {what} {had} -> {have}" for name, (had, have) in self.layers.items()]
        held = self.committed.held if self.committed else {}
        return "\n".join([told, *layers, *(f"  {name}: held as constants: {why}" for name, why in held.items())])


def prune(
    model: Any, data: Any, share: float = 0.5, *, by: str = "structure", structured: bool | None = None,
    globally: bool | None = None, layers: str | Sequence[str] | None = None, finetune: FineTune = 0, test: Any = None,
    batch: int = 32, learning_rate: float = 1e-3, seed: int = 0, **options: Any,
) -> tuple[Any, Pruned]:  # fmt: skip
    """A new model without this share of its units or weights, and what it cost; the model given stays as it is.

    `data`: (x, y) or a loader: what units are judged by, and what the network learns again from. `by`: for whole units, which
    are taken out so that the network is smaller, "structure" (how much a unit adds to the classes, as `nissl.structures` scores
    it, which takes `options`), "norm" of its weights, or "random"; for single weights, which become zero, "magnitude", or "random"
    with `structured=False`. `globally`: the share is that of the whole network, not of each layer; left out, so for
    weights, and not for units. `layers`: where units go, names or patterns.

    `finetune`: your own loop, a function of the model, during which zeros stay zero whatever the optimiser; or for how many epochs
    of Adam it shall learn from the data (`batch`, `learning_rate`). `test`: examples that accuracy is measured on.
    """
    way = _way(by, structured, share, layers)
    checked(finetune)
    globally = not way if globally is None else globally
    net = network(model)
    measures.tying(net)
    judged = data if test is None else test
    old = (measures.accuracy(net, judged), measures.parameters(net), measures.operations(net, judged))
    if way:
        new, held, counts, committed = _without_units(net, data, share, by, globally, layers, seed, options)
    else:
        new, held, counts = _without_weights(net, share, by, globally, seed)
        committed = None
    cut = measures.accuracy(new, judged)
    with measures.tying(new).tied(held):
        tuned(new, finetune, data, batch=batch, learning_rate=learning_rate, seed=seed)
    after = measures.accuracy(new, judged) if finetune else cut
    costs = (old[1], measures.parameters(new)), (old[2], measures.operations(new, judged))
    return new.model, Pruned(by, share, (old[0], cut, after), *costs, counts, held, committed)


def _way(by: str, structured: bool | None, share: float, layers: Any) -> bool:
    """Are whole units meant?"""
    if by not in _WAYS:
        raise BadValue(f"by={by!r}.{near(by, _WAYS)} There are: {listing(_WAYS)}.")
    way = _WAYS[by][0] if structured is None else structured
    if way not in _WAYS[by]:
        other = "by='norm' takes whole units by their weights" if way else "by='magnitude' takes single weights"
        raise BadValue(f"by={by!r} can't be structured={structured}: {other}.")
    if isinstance(share, str) or not 0 <= share < 1:
        raise BadValue(f"share={share!r}: how much goes, from 0 to less than 1.")
    if layers is not None and not way:
        raise BadValue("layers= is for whole units; single weights go in all of the network's matrices.")
    return way


def _without_units(
    net: Network, data: Any, share: float, by: str, globally: bool, layers: Any, seed: int, options: Mapping[str, Any]
) -> tuple[Network, dict[str, Array], dict[str, tuple[int, int]], Committed | None]:
    needed = choosing.units(net, data, by, layers, seed, options)
    stays = choosing.staying(needed, share, globally=globally, least=1)
    gone = {name: np.flatnonzero(~kept) for name, kept in stays.items() if not kept.all()}
    if not gone:
        return measures.copied(net), {}, {name: (len(kept), len(kept)) for name, kept in stays.items()}, None
    editing = edit(net, data)
    # what a unit says on average stays, so that the layers after it are told nothing that they are not used to
    made, committed = reduce(operator.add, [editing[n][which.tolist()].delete() for n, which in gone.items()]).commit(
        shrink=True
    )
    removed = committed.removed
    counts = {name: (len(kept), len(kept) - len(removed.get(name, ()))) for name, kept in stays.items()}
    return type(net)(made, functional=net.functional, leaves=net.leaves), {}, counts, committed


def _without_weights(
    net: Network, share: float, by: str, globally: bool, seed: int
) -> tuple[Network, dict[str, Array], dict[str, tuple[int, int]]]:
    new = measures.copied(net)
    tying = measures.tying(new)
    state = tying.state(trained=True)
    masks = choosing.staying(choosing.weights(state, by, seed), share, globally=globally)
    tying.restore({name: np.where(kept, state[name], 0) for name, kept in masks.items()})
    return new, masks, {name: (kept.size, int(kept.sum())) for name, kept in masks.items()}
