"""What a network does on some examples while its units are cut: the ground that sizes and proofs stand on."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nissl.core.edit import Edit
from nissl.core.finder import Case
from nissl.core.pool import settled

Array = NDArray[Any]


@dataclass(frozen=True, eq=False)
class Outcome:
    """Of one run over all examples."""

    aims: Array
    """The aim of each example that speaks for a target; NaN for others."""
    right: Array
    """Was each example's class recognised? 0 or 1; NaN where there is no class."""

    def aim(self, which: Array) -> float:
        """The mean aim of these examples."""
        return float(np.mean(self.aims[which]))

    def accuracy(self, which: Array) -> float:
        """The share of these examples that were recognised."""
        return float(np.mean(self.right[which])) if len(which) else float("nan")


class Trial:
    """Runs a case's examples; what was run once need not be run again."""

    def __init__(self, case: Case):
        self.case = case
        self.every = np.arange(case.pool.count)
        self._intact: Outcome | None = None

    @property
    def intact(self) -> Outcome:
        """With nothing cut."""
        if self._intact is None:
            self._intact = self.run(None)
        return self._intact

    def run(self, edit: Edit | None, which: Array | None = None) -> Outcome:
        """All examples, or only these, while an edit is in place."""
        which = self.every if which is None else which
        if edit is None:
            outputs = self.case.pool.outputs(which)
        else:
            with edit:
                outputs = self.case.pool.outputs(which)
        return self._judged(settled(outputs), which)

    @property
    def opposed(self) -> bool:
        """Are there examples that speak for something else than the target?"""
        return len(self.case.targets) > 1 or bool((self.case.which < 0).any())

    def work(self, outcome: Outcome, before: Outcome, mine: Array) -> float:
        """How much of what these examples' target needs is done: the mean aim.

        Where every example speaks for the target (an output, a function), that mean would say nothing, since deviations
        from a mean cancel out: there it is minus the mean squared departure of the aim from that of the intact network.
        """
        if self.opposed:
            return outcome.aim(mine)
        return -float(np.mean((outcome.aims[mine] - before.aims[mine]) ** 2))

    def _judged(self, outputs: Array, which: Array) -> Outcome:
        aims, right = np.full((2, self.case.pool.count), np.nan)
        asked = np.flatnonzero(self.case.which[which] >= 0)
        if len(asked):
            aims[which[asked]] = self.case.aim.values(outputs[asked], self.case.about[which[asked]])
        groups = self.case.pool.groups
        if groups is not None:
            right[which] = guesses(outputs, squashed=self.case.squashed) == groups[which]
        return Outcome(aims, right)


def guesses(outputs: Array, *, squashed: bool) -> Array:
    """The class that outputs speak for; of a single output, as probability or logit, whether it speaks for class 1."""
    if outputs.shape[1] > 1:
        return np.asarray(outputs.argmax(1))
    return np.asarray(outputs[:, 0] > (0.5 if squashed else 0.0)).astype(int)
