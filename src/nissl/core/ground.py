"""Where a structure is put to the proof: the examples, the measure of the work, and cuts of any units."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nissl.core.edit import Edit
from nissl.core.finder import Case
from nissl.core.progress import silent
from nissl.core.trial import Outcome, Trial
from nissl.errors import BadValue

if TYPE_CHECKING:
    from nissl.core.structure import Structure

Array = NDArray[Any]
Members = Mapping[str, Sequence[int]]
NAN = float("nan")


@dataclass(frozen=True)
class Cut:
    """What one cut left; NaN where it wasn't measured, as accuracies of what has no classes."""

    aim: float
    """The mean aim of the target's examples."""
    lost: float
    """How much of the work is gone: 0 with nothing cut, 1 with all candidates held at their means."""
    accuracy: float = NAN
    """Of the target's examples."""
    others: float = NAN
    """The mean accuracy of the other classes, each counting the same."""
    worst: str = ""
    """The other class that lost most."""
    worst_lost: float = NAN
    """How much accuracy it lost."""


class Ground:
    """Runs a structure's question on given examples; what was run once need not be run again."""

    def __init__(
        self, structure: "Structure", case: Case, target: int, *, examples: int, seed: int,
        tick: Callable[[], None] = lambda: silent(0),
    ):  # fmt: skip
        """`examples`: at most so many are run, up to half of them the target's."""
        self.structure, self.case, self.target, self.seed, self.tick = structure, case, target, seed, tick
        self.judged = case.pool.groups is not None and case.targets == case.pool.task.names
        draw = np.random.default_rng([seed, 0])
        self.available = case.pool.count
        asked, rest = np.flatnonzero(case.which == target), np.flatnonzero(case.which != target)
        if not len(asked):
            raise BadValue(f"No example of the data speaks for {case.targets[target]}: its class does not occur.")
        few = examples if not self.judged else max(examples // 2, examples - len(rest))
        self.mine = _some(asked, few, draw)
        self.every = self.mine
        if self.judged:
            self.every = np.sort(np.concatenate([self.mine, _some(rest, examples - len(self.mine), draw)]))
        self.trial = Trial(case)

    @property
    def total(self) -> int:
        """How many candidates there are."""
        return sum(self.structure.every().values())

    @property
    def chance(self) -> float:
        """The accuracy of a guess."""
        return 1 / len(self.case.targets)

    # edits

    def deleting(self, members: Members, to: str = "others") -> Edit | None:
        """None where there is nothing to delete."""
        return self.structure.having(members).delete(to=to) if any(map(len, members.values())) else None

    def keeping(self, members: Members) -> Edit | None:
        """All other candidates held at their means; None where there are no others."""
        return self.structure.having(members).keep() if sum(map(len, members.values())) < self.total else None

    # measures

    def run(self, edit: Edit | None, which: Array) -> Outcome:
        self.tick()
        return self.trial.run(edit, which)

    @cached_property
    def _before(self) -> Outcome:
        return self.run(None, self.every)

    @cached_property
    def intact(self) -> Cut:
        """With nothing cut."""
        return self._cut(self._before)

    @cached_property
    def _empty(self) -> float:
        return self._work(self.run(self.keeping({}), self.mine))

    @cached_property
    def span(self) -> float:
        """All the work there is; NaN where the whole network does no more than its means."""
        full = self._work(self._before)
        span = full - self._empty
        return span if span > 1e-9 * max(1.0, abs(full)) else NAN

    def _work(self, outcome: Outcome) -> float:
        return self.trial.work(outcome, self._before, self.mine)

    def work(self, edit: Edit | None) -> float:
        """How much of the work is done under an edit: 1 by the whole network, 0 by means alone. Runs the target's examples."""
        outcome = self._before if edit is None else self.run(edit, self.mine)
        return (self._work(outcome) - self._empty) / self.span

    def alone(self, members: Members) -> float:
        """Faithfulness: the work that these units do with all other candidates held at their means."""
        return self.work(self.keeping(members))

    def cut(self, edit: Edit | None, order: Array | None = None) -> Cut:
        """All there is to know under an edit; `order`: the examples as they are to be run, each at least once."""
        return self.intact if edit is None else self._cut(self.run(edit, self.every if order is None else order))

    def _cut(self, outcome: Outcome) -> Cut:
        aim, lost = outcome.aim(self.mine), (self._work(self._before) - self._work(outcome)) / self.span
        if not self.judged:
            return Cut(aim, lost)
        before, after = self._by_class(self._before), self._by_class(outcome)
        falls = {number: before[number] - after[number] for number in before if number != self.target}
        if not falls:
            return Cut(aim, lost, after[self.target])
        worst = max(falls, key=lambda number: (falls[number], -number))
        others = float(np.mean([after[number] for number in falls]))
        return Cut(aim, lost, after[self.target], others, self.case.targets[worst], falls[worst])

    def _by_class(self, outcome: Outcome) -> dict[int, float]:
        groups = self.case.pool.groups
        assert groups is not None
        shown = groups[self.every]
        return {int(number): outcome.accuracy(self.every[shown == number]) for number in np.unique(shown)}


def _some(which: Array, most: int, draw: np.random.Generator) -> Array:
    return which if len(which) <= most else np.sort(draw.choice(which, max(most, 1), replace=False))
