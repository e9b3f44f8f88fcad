"""Each unit's fair share: what it adds on average when units come in one after another, in random order."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from nissl.core.finder import Array, Case, Finder
from nissl.errors import BadValue
from nissl.finders._paths.replacing import replacing


@dataclass(frozen=True)
class Shapley(Finder):
    """Sampled over `permutations` of all units of all layers; who has not come in yet is at its baseline.

    The reference, at permutations x units passes: units that stand in for one another share what they do. All scores
    together are the aim less the aim with every unit at its baseline. `antithetic`: every second order is the one before
    it backwards. `truncation`: an example's later units get nothing once it is this close (a share of the whole) to its aim.
    """

    baselines: ClassVar[tuple[str, ...]] = ("mean", "counterfactual", "zero")
    permutations: int = 20
    antithetic: bool = True
    truncation: float = 0.0

    def __post_init__(self) -> None:
        if self.permutations < 1:
            raise BadValue(f"permutations={self.permutations}: in how many orders units come in, from 1.")
        if not 0 <= self.truncation < 1:
            raise BadValue(f"truncation={self.truncation}: a share of what all units do, 0 (never) to less than 1.")

    def each(self, case: Case, part: Array) -> Mapping[str, Array]:
        places = [(name, unit) for name in case.names for unit in range(len(case.means[name]))]
        to, full = case.replacements(part), case.values(part)
        with replacing(case, _without(case, set()), to):
            nothing = case.values(part)
        total = np.zeros((len(part), len(places)))
        for turn, order in enumerate(self._orders(case.seed, len(places))):
            before, came, open_ = nothing, set(), np.ones(len(part), bool)
            for step, number in enumerate(order):
                open_ &= ~(np.abs(full - before) < self.truncation * np.abs(full - nothing))
                if not open_.any():
                    break
                came.add(places[number])
                with replacing(case, _without(case, came), to):
                    after = case.values(part)
                total[:, number] += np.where(open_, after - before, 0)
                before = after
                case.worked(part, (turn + (step + 1) / len(order)) / self.permutations)
        edges = np.cumsum([len(case.means[name]) for name in case.names])[:-1]
        return dict(zip(case.names, np.split(total / self.permutations, edges, axis=1), strict=True))

    def _orders(self, seed: int, count: int) -> Iterator[Array]:
        order = np.arange(count)
        for turn in range(self.permutations):
            backwards = self.antithetic and turn % 2 == 1
            order = order[::-1] if backwards else np.random.default_rng([seed, turn]).permutation(count)
            yield order


def _without(case: Case, came: set[tuple[str, int]]) -> dict[str, list[int]]:
    """All units but these."""
    return {name: [unit for unit in range(len(case.means[name])) if (name, unit) not in came] for name in case.names}
