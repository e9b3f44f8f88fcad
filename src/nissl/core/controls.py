"""What a structure is compared with: random units, and what the same method finds where there is nothing to find."""

import copy
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nissl.core.capabilities import Editable
from nissl.core.choosing import TOGETHER, rankings
from nissl.core.curves import scores_by
from nissl.core.finder import Case, Finder
from nissl.core.ground import Cut, Ground
from nissl.core.together import together
from nissl.errors import BadValue, NisslError, Unsupported

Array = NDArray[Any]
FEWEST = 20
"""With fewer random structures no p-value could be less than .05 by enough to count on."""


@dataclass(frozen=True)
class Random:
    """Random structures with as many units in each layer, drawn from all candidates, members included.

    Drawn so, a structure that means nothing is one draw like the others: the p-values are exact.
    """

    draws: int
    p_lost: float
    """How often one of them costs the target as much work, (r + 1) / (draws + 1)."""
    p_alone: float
    """How often one of them does as much of the work alone."""
    p_apart: float
    """How often one of them costs the target so much more accuracy than the others; 1 where there are no classes."""
    alone: tuple[float, ...]
    cuts: tuple[Cut, ...]
    """What deleting each of them left."""

    @property
    def mean(self) -> Cut:
        """The mean over the draws; of the worst classes the largest loss."""
        worst = max(self.cuts, key=lambda cut: np.nan_to_num(cut.worst_lost, nan=-1.0))
        means = np.mean([(cut.aim, cut.lost, cut.accuracy, cut.others) for cut in self.cuts], 0).tolist()
        return Cut(means[0], means[1], means[2], means[3], worst.worst, worst.worst_lost)


@dataclass(frozen=True)
class Sham:
    """What the method finds where there is nothing to find, cut in the real network."""

    name: str
    p_lost: float
    """How often a random structure costs the target as much; small where the method needs no truth to look right."""
    deleted: Cut


def chance(own: float, drawn: Sequence[float]) -> float:
    """How likely a draw is at least as large: (r + 1) / (n + 1); what wasn't measured is no proof."""
    return (1 + sum(not value < own for value in drawn)) / (len(drawn) + 1)


def apart(ground: Ground, cut: Cut) -> float:
    """How much more accuracy the target lost than the others did."""
    return (ground.intact.accuracy - cut.accuracy) - (ground.intact.others - cut.others)


def randoms(ground: Ground, own: Cut, alone: float, draws: int) -> Random:
    """Cut and kept, one after the other."""
    draw, structure = np.random.default_rng([ground.seed, 1]), ground.structure
    every, cuts, kept = structure.every(), [], []
    for _ in range(draws):
        members = {
            name: np.sort(draw.choice(every[name], len(which), replace=False)).tolist()
            for name, which in structure.members.items()
        }
        cuts.append(ground.cut(ground.deleting(members)))
        kept.append(ground.alone(members))
    return Random(
        draws, chance(own.lost, [cut.lost for cut in cuts]), chance(alone, kept),
        chance(apart(ground, own), [apart(ground, cut) for cut in cuts]), tuple(kept), tuple(cuts),
    )  # fmt: skip


def sham(ground: Ground, name: str, case: Case, finding: Finder, random: Random) -> Sham:
    """Find again in a case that holds no truth; of its ranking as many units of each layer as the structure has."""
    structure, target = ground.structure, ground.target
    rank, told = str(structure.recipe.get("rank", "score")), scores_by(case, finding)
    ranking = rankings(rank, told, target)
    if rank == TOGETHER:
        own = {layer: table[target] for layer, table in told.items()}
        there = replace(structure, scores=own, ranking=ranking, case=case, network=case.network, instead={})
        ranking = dict(together(there, target, len(structure)).ranking)
    members = {
        layer: np.sort(np.argsort(-ranking[layer], kind="stable")[: len(which)]).tolist()
        for layer, which in structure.members.items()
    }
    cut = ground.cut(ground.deleting(members))
    return Sham(name, chance(cut.lost, [other.lost for other in random.cuts]), cut)


def shuffled(case: Case, seed: int) -> Case:
    """The same examples under labels that are dealt out anew."""
    if case.pool.groups is None or case.pool.y is None or callable(case.target):
        raise Unsupported("the target is no class, so that there are no labels to shuffle")
    order = np.random.default_rng([seed, 2]).permutation(case.pool.count)
    pool = copy.copy(case.pool)
    pool.y, pool.groups = case.pool.y[order], case.pool.groups[order]
    classes = None if case.classes is None else case.classes[order]
    return replace(case, pool=pool, which=case.which[order], classes=classes, drawn={})


def reinitialised(case: Case, seed: int) -> Case:
    """The same question asked of a copy of the model whose parameters are permuted, each tensor within itself."""
    if not isinstance(case.network, Editable):
        raise Unsupported(f"the parameters of a {case.network.framework} network can't be changed")
    draw = np.random.default_rng([seed, 3])
    before = case.network
    try:
        model = copy.deepcopy(before.model)
        net = type(before)(model, functional=before.functional, leaves=before.leaves)
        pool = copy.copy(case.pool)
        pool.network = net
        pool.outputs(np.arange(min(2, pool.count)))  # shows which layers there are
        for name in [layer.name for layer in net.layers]:
            weights = net.weights(name)
            if weights and isinstance(net, Editable):
                net.edit(name, {k: draw.permutation(w.ravel()).reshape(w.shape) for k, w in weights.items()})
        layers = tuple(net.layer(layer.name) for layer in case.layers)
    except (NisslError, TypeError, RuntimeError, AttributeError) as error:
        raise Unsupported(f"no copy of the model could be given other weights: {error}") from error
    return replace(case, network=net, layers=layers, pool=pool, drawn={})


def enough(draws: int) -> int:
    """The number of random structures, or an error that says how many it takes."""
    if draws < FEWEST:
        raise BadValue(f"random={draws}: at least {FEWEST}, else no p-value could be below .05.")
    return draws
