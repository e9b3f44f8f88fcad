"""`Bench`: where the live network of a page is asked: what deleting, turning up, or finding units comes to."""

import json
from collections import OrderedDict
from collections.abc import Callable, Mapping
from threading import Lock
from typing import Any

from nissl.core.progress import silent
from nissl.errors import UnknownName, listing
from nissl.studies._bench.accuracy import Accuracy
from nissl.studies._bench.asking import Asking
from nissl.studies._bench.finding import Found, Matrix, Proof
from nissl.studies._bench.rig import Rig
from nissl.studies._feed.stage import Stage

KINDS: dict[str, type[Asking]] = {"accuracy": Accuracy, "structure": Found, "verify": Proof, "deletions": Matrix}
"""By what is asked for: one file of `_bench/` a kind."""
KEPT = 200


class Bench:
    """Answers questions one at a time; the same question has the same answer, and is not worked on twice."""

    def __init__(self, stage: Stage):
        self.rig = Rig(stage)
        self._askings = {kind: made(self.rig) for kind, made in KINDS.items()}
        self._kept: OrderedDict[str, dict[str, Any]] = OrderedDict()
        self._lock = Lock()

    def answer(self, kind: str, question: Mapping[str, Any], tick: Callable[[float], None] = silent) -> dict[str, Any]:
        """`tick` is told the share that is done; what it raises ends the work, and the network is as it was."""
        if kind not in self._askings:
            raise UnknownName(f"Nobody answers {kind!r}: there are {listing(self._askings)}.")
        name = f"{kind} {json.dumps(question, sort_keys=True)}"
        with self._lock:
            if name not in self._kept:
                tick(0.0)
                self._kept[name] = self._askings[kind](question, tick)
                if len(self._kept) > KEPT:
                    self._kept.popitem(last=False)
            self._kept.move_to_end(name)
            return self._kept[name]
