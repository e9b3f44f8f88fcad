"""`structure`, `verify`, `deletions`: structures found in the live network when they are asked for, and put to the proof."""

import warnings
from collections.abc import Mapping
from typing import Any, ClassVar

from nissl import plugins
from nissl.core.deletions import deletions
from nissl.core.search import structure, structures
from nissl.core.structure import Structure
from nissl.core.structures import Structures
from nissl.errors import BadValue, MissingData, NisslWarning, Unsupported, listing
from nissl.studies._bench.asking import Asking, Tick
from nissl.studies._feed.members import edges, plain
from nissl.studies._feed.packing import finite

KEPT = 12


class Found(Asking):
    """`target`: a class, or two (why the first and not the second); `by`: a finder; `size`: a share of all units."""

    fields: ClassVar = {"target": (list,), "by": (str,), "size": (float,)}

    def answer(self, question: Mapping[str, Any], tick: Tick) -> dict[str, Any]:
        one = self.found(question, tick)
        told = plain([one]) | {"epoch": self.rig.epoch, "held_out": self.rig.held_out}
        try:
            return told | edges(one)
        except (Unsupported, MissingData) as error:
            return told | {"edges": [], "every_edge": 0, "edgeless": str(error)}

    def found(self, question: Mapping[str, Any], tick: Tick) -> Structure:
        """Found once for all that is asked of it."""
        names = list(self.rig.classes or ())
        target = question.get("target") or []
        if not 1 <= len(target) <= 2 or any(name not in names for name in target) or len(set(target)) < len(target):
            raise BadValue(f"target is one class, or two different ones, of {listing(names)}.")
        asked = target[0] if len(target) == 1 else (target[0], target[1])
        key = (asked, *self._asked(question).values())
        kept = self.rig.found
        if key not in kept:
            kept[key] = structure(
                self.rig.network,
                self.rig.discovery,
                asked,
                classes=self.rig.classes,
                progress=tick,
                **self._asked(question),
            )
            if len(kept) > KEPT:
                del kept[next(iter(kept))]
        one = kept[key]
        assert isinstance(one, Structure)
        return one

    def _asked(self, question: Mapping[str, Any]) -> dict[str, Any]:
        by, size = question.get("by"), question.get("size", 0.1)
        if by is not None and by not in plugins.names("finders"):
            raise BadValue(f"by is one of {listing(plugins.names('finders'))}, not {by!r}.")
        if not 0 < size <= 1:
            raise BadValue(f"size={size}: a share of all units, above 0 and up to 1.")
        return {"by": by, "size": size}


class Proof(Found):
    """What `structure.verify` says of the same question's structure, on examples that it was not found with."""

    def answer(self, question: Mapping[str, Any], tick: Tick) -> dict[str, Any]:
        one = self.found(question, lambda share: tick(0.2 * share))
        data = self.rig.judging if self.rig.held_out else None
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", NisslWarning)  # the report's notes say the same
            report = one.verify(data, progress=lambda share: tick(0.2 + 0.8 * share))
        return report.to_dict()


class Matrix(Found):
    """What deleting each class's structure leaves of every class."""

    fields: ClassVar = {"by": (str,), "size": (float,)}

    def answer(self, question: Mapping[str, Any], tick: Tick) -> dict[str, Any]:
        family: Structures = structures(
            self.rig.network, self.rig.discovery, classes=self.rig.classes,
            progress=lambda share: tick(0.7 * share), **self._asked(question),
        )  # fmt: skip
        data = self.rig.judging if self.rig.held_out else None
        table = deletions(family, data, progress=lambda share: tick(0.7 + 0.3 * share))
        return {
            "deleted": list(table.deleted),
            "classes": list(table.classes),
            "intact": [finite(share) for share in table.intact],
            "accuracy": [[finite(share) for share in row] for row in table.accuracy],
            "units": list(table.units),
            "total": table.total,
            "held_out": table.held_out,
            "epoch": self.rig.epoch,
        }
