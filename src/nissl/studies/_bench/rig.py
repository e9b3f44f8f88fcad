"""`Rig`: the live network as questions need it: a copy to cut, means to delete to, examples to judge on."""

import copy
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nissl.core.edit import Edit
from nissl.core.finder import Case
from nissl.core.network import Network, network
from nissl.core.pool import settled
from nissl.core.progress import silent
from nissl.core.question import asked
from nissl.core.verbs import Editing
from nissl.core.verbs import edit as editing
from nissl.errors import Unsupported
from nissl.studies._feed.stage import Stage
from nissl.studies.alive import epoch_of
from nissl.studies.subject import few

Array = NDArray[Any]
JUDGED = 4000
"""At most so many examples are judged, drawn once: what is moved by hand shall be seen at once."""
BATCH = 256


class Rig:
    """Made of a stage; everything is had when it is first needed, and then kept."""

    def __init__(self, stage: Stage):
        self.stage, self.trace = stage, stage.trace
        self.found: dict[Any, Any] = {}
        """Structures, by what was asked for."""

    @cached_property
    def network(self) -> Network:
        """A copy, so that whoever else looks at the network does not see it cut; the network itself where it can't be copied."""
        model = self.stage.subject.model
        try:
            return network(copy.deepcopy(model))
        except Exception:  # noqa: BLE001 - whatever a framework's own objects raise
            return network(model)

    @cached_property
    def epoch(self) -> int | None:
        """The recorded epoch whose weights these are, as far as the trace can tell."""
        return epoch_of(self.trace, self.network)

    @property
    def discovery(self) -> Any:
        return self.stage.subject.discovery

    @property
    def held_out(self) -> bool:
        return self.stage.subject.held_out is not None

    @property
    def classes(self) -> Sequence[str] | None:
        """As the trace numbers them."""
        return self.trace.classes or self.stage.subject.classes or None

    @cached_property
    def judging(self) -> Any:
        """Examples that nothing was found with, where there are such."""
        seen = self.stage.subject
        return few(seen.discovery if seen.held_out is None else seen.held_out, JUDGED)

    @property
    def available(self) -> int:
        """How many examples there are to judge on."""
        seen = self.stage.subject
        given = seen.discovery if seen.held_out is None else seen.held_out
        known = isinstance(given, tuple) and len(given) == 2 and hasattr(given[1], "__len__")
        return len(given[1]) if known else self.case.pool.count

    @cached_property
    def editing(self) -> Editing:
        """Units to be changed; deleted ones go to their means over the examples that structures are found with."""
        return editing(self.network, self.discovery)

    @cached_property
    def case(self) -> Case:
        """The examples that cuts are judged on, each speaking for its own class."""
        found = asked(self.network, self.judging, classes=self.classes, batch=BATCH)
        if found.pool.groups is None or found.targets != found.pool.task.names:
            raise Unsupported("What a cut costs is told by classes, and the examples of this network have none.")
        return found

    @cached_property
    def intact(self) -> Array:
        return self.outputs(None, silent)

    def outputs(self, edit: Edit | None, tick: Callable[[float], None]) -> Array:
        """What is said of every example while an edit is in place."""
        pool = self.case.pool
        found: list[Array] = []
        with edit or nullcontext():
            for part in pool.batches(np.arange(pool.count)):
                tick(len(found) * BATCH / pool.count)
                found.append(settled(pool.outputs(part)))
        return np.concatenate(found)
