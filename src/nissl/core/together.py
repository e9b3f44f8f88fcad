"""Which units to delete together: learned in a few steps from the order of their scores, by what deleting them does.

A score is about one unit at a time, and another may take over what it leaves. And a class may win because nothing speaks
for any other: where it must go, deleting its units takes putting in their place what some others say, not what they say on average.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nissl.core.choosing import SILENT, behind, first, split
from nissl.core.elsewhere import Elsewhere, elsewhere
from nissl.core.masks.adam import Adam
from nissl.core.masks.loss import Loss
from nissl.core.masks.slopes import LEAST, slopes
from nissl.errors import Unsupported

if TYPE_CHECKING:
    from nissl.core.structure import Structure

Array = NDArray[Any]
STEPS, EXAMPLES = 12, 32
RATE, MIXING, GAIN = 0.1, 0.4, 4.0
"""How far a step goes at the masks; at most at the logarithm of what a class counts; and how soon it goes as far as that."""
EMPHASIS = 5.0
"""How many times the target's examples count beside the others: that it goes is what is asked for."""
INSIDE, OUTSIDE = 0.3, 0.9
"""The masks of the units that score highest, and of all others, to begin with."""


def together(structure: "Structure", target: int, count: int, *, mixing: bool = False) -> "Structure":
    """The structure with units ranked by how well `count` of them part the target from the others, deleted at once.

    What takes their place is their mean; `mixing`: what the other classes say, of which how much each counts is learned too.
    """
    case = structure.case
    said = elsewhere(case, target) if case is not None else None
    if case is None or said is None:
        return structure
    own, others = (case.asked[mine] for mine in (case.which[case.asked] == target, case.which[case.asked] != target))
    if not len(others):
        return structure
    loss, draw = Loss(case, delete=True, emphasis=EMPHASIS), np.random.default_rng([case.seed, target])
    masks, shares = _started(structure, count), said.shares
    instead = said.mixed() if mixing else structure.means
    down = Adam(RATE, masks)
    for _ in range(STEPS):
        drawn = np.concatenate([draw.permutation(which)[: EXAMPLES // 2] for which in (own, others)])
        try:
            at_masks, at_constants = slopes(case, loss, drawn, target, masks, instead)
        except Unsupported:  # gradients, but not behind a change: each unit by itself
            return replace(structure, recipe={**structure.recipe, "rank": "contrast"})
        masks = down.moved(masks, at_masks, LEAST, 1.0)
        if mixing:
            shares = _moved(said, shares, at_constants)
            instead = said.mixed(shares)
    return replace(structure, ranking=_ranked(structure, masks), instead=instead if mixing else structure.instead)


def _started(structure: "Structure", count: int) -> dict[str, Array]:
    masks = {name: np.full(units, OUTSIDE) for name, units in structure.every().items()}
    for name, which in first(structure, count).items():
        masks[name][list(which)] = INSIDE
    return masks


def _moved(said: Elsewhere, shares: Array, at_constants: Mapping[str, Array]) -> Array:
    """Each class counts more, the more of it takes from the loss; while the loss is small, all stay as they are."""
    along = np.asarray(sum(np.tensordot(said.means[name], steep, 2) for name, steep in at_constants.items()))
    told = shares * np.exp(-MIXING * np.clip(GAIN * (along - shares @ along), -1, 1))
    return np.asarray(told / told.sum())


def _ranked(structure: "Structure", masks: Mapping[str, Array]) -> dict[str, Array]:
    """Who is shut off most first; equals as they were ranked before, and what does not speak for the target behind."""
    before, own = (np.concatenate([table[name] for name in masks]) for table in (structure.ranking, structure.scores))
    places = np.empty(len(before))
    places[np.argsort(-before, kind="stable")] = np.arange(len(before))
    flat = 1 - np.concatenate(list(masks.values())) - 1e-3 * places / len(before)
    return split(behind(flat, own > SILENT * np.abs(own).max(initial=0.0)), structure.every())
