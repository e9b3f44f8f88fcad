"""`accuracy`: how many examples of each class are recognised before and after units are changed."""

from collections.abc import Mapping
from functools import reduce
from math import isfinite
from operator import add
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from nissl.core.edit import Edit
from nissl.core.trial import guesses
from nissl.errors import BadValue
from nissl.studies._bench.asking import Asking, Tick
from nissl.studies._feed.packing import finite

Array = NDArray[Any]

EDITS, LARGEST = 64, 1e6
"""The most edits of a question; the largest number that a unit is turned by or held at."""
TURNED = 6
"""How many changes of mind are told."""
VERBS = {"delete": False, "keep": False, "scale": True, "clamp": True}
"""What may be done, and whether it takes a number."""


class Accuracy(Asking):
    """`edits`: each {layer, units, verb, value}; done by nissl's own interventions, all at once."""

    fields: ClassVar = {"edits": (list,)}

    def answer(self, question: Mapping[str, Any], tick: Tick) -> dict[str, Any]:
        given = question.get("edits", [])
        if not 1 <= len(given) <= EDITS:
            raise BadValue(f"edits holds {len(given)}: from 1 to {EDITS}.")
        rig = self.rig
        edit = reduce(add, map(self._edit, given))
        case, (before, after) = rig.case, (rig.intact, rig.outputs(edit, tick))
        names, truth = case.targets, np.asarray(case.pool.groups)
        said, says = (guesses(outputs, squashed=case.squashed) for outputs in (before, after))

        def right(guess: Array) -> list[int]:
            found: list[int] = np.bincount(truth[guess == truth], minlength=len(names)).tolist()
            return found

        return {
            "classes": list(names),
            "counts": np.bincount(truth, minlength=len(names)).tolist(),
            "before": right(said),
            "after": right(says),
            "lost": self._lost(before, after),
            "turned": _turned(said, says, len(names)),
            "units": sum(len(change.units.which) for change in edit.changes),
            "examples": len(truth),
            "available": rig.available,
            "held_out": rig.held_out,
            "epoch": rig.epoch,
        }

    def _lost(self, before: Array, after: Array) -> list[float | None]:
        """How much of each class's log-odds is gone, on average over its examples: what attribution estimates."""
        case = self.rig.case
        asked = case.asked
        gone = np.subtract(*(case.aim.values(out[asked], case.about[asked]) for out in (before, after)))
        return [
            finite(gone[case.which[asked] == k].mean()) if (case.which == k).any() else None
            for k in range(len(case.targets))
        ]

    def _edit(self, given: Any) -> Edit:
        if not isinstance(given, Mapping) or not given.keys() <= {"layer", "units", "verb", "value"}:
            raise BadValue("Each edit is {layer, units, verb, value}.")
        units, verb, value = given.get("units"), given.get("verb"), given.get("value")
        if not isinstance(verb, str) or verb not in VERBS:
            raise BadValue(f"verb is one of {', '.join(VERBS)}, not {verb!r}.")
        if not isinstance(units, list) or not units or not all(type(unit) is int and unit >= 0 for unit in units):
            raise BadValue("units is a list of whole numbers from 0, and not empty.")
        if len(set(units)) < len(units):
            raise BadValue("units names a unit twice.")
        chosen = self.rig.editing[str(given.get("layer"))]
        every = len(chosen.chosen()[str(given.get("layer"))])
        if max(units) >= every:
            raise BadValue(f"{given.get('layer')} has the units 0 to {every - 1}; there is no {max(units)}.")
        done = getattr(chosen[units], verb)
        edit: Edit = done(_number(value)) if VERBS[verb] else done()
        return edit


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value) or abs(value) > LARGEST:
        raise BadValue(f"value is a number between -{LARGEST:g} and {LARGEST:g}.")
    return float(value)


def _turned(said: Array, says: Array, count: int) -> list[tuple[int, int, int]]:
    """The commonest changes of mind: what was said, what is said now, how often."""
    changed = said != says
    pairs = np.bincount(said[changed] * count + says[changed], minlength=count * count)
    first = np.argsort(-pairs, kind="stable")[:TURNED]
    return [(*divmod(int(place), count), int(pairs[place])) for place in first if pairs[place]]
