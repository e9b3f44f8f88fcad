"""A saved structure as a dye: what each cell of each slide adds to the one thing that the structure was found for."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nissl.core.structure import Structure
from nissl.studies._feed.members import recipe
from nissl.studies._feed.packing import packed, steps
from nissl.studies._feed.slides import Glass
from nissl.views._staining.adding import full


def dye(one: Structure, glasses: Mapping[str, Glass], classes: Sequence[str]) -> bytes:
    """A table (1, cell) of each slide that the structure looked at, by the slide's place; whose ink it takes."""
    arrays: dict[str, NDArray[Any]] = {}
    told = {}
    for place, (name, glass) in enumerate(glasses.items()):
        if name not in one.scores:
            continue
        scores = np.asarray(one.scores[name], np.float64)[:, None]
        arrays[str(place)], most = steps(glass.table(scores))
        told[str(place)] = {"most": most, "full": full(scores)}
    said = {"target": one.target, "class": whose(one.target, classes), "causal": one.causal}
    return packed({**said, "recipe": recipe(one.recipe), "count": len(one), "tables": told}, arrays)


def whose(target: str, classes: Sequence[str]) -> int:
    """The class that a target's scores speak for, of "3", "3 and not 8" and "(3 | 8)" the third; -1: of no single class."""
    if target in classes:
        return list(classes).index(target)
    text = target.lstrip("(")
    first = [name for name in classes if re.match(rf"{re.escape(name)} (?:and not|[|&-]) ", text)]
    return list(classes).index(max(first, key=len)) if first else -1
