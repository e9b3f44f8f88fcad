"""A network of which it is known what is behind every output."""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import nn

from nissl.errors import BadValue, UnknownName, listing
from nissl.testing.truths.judgement import Judgement

Array = NDArray[Any]
Units = Mapping[str, frozenset[int]]
"""Numbers of units, by the name of their layer."""
Edge = tuple[str, int, str, int]
"""(layer, unit, later layer, unit)."""


@dataclass(frozen=True, eq=False)
class Truth:
    """A network, inputs for it, and the true members of the structure behind each of its outputs.

    Layers are named as `nissl.core.network.network(model)` names them.
    """

    model: nn.Module
    x: Array
    y: Array
    """Class numbers, or for each output what it should be."""
    units: Mapping[Any, Units]
    """For each class or output its members; these layers' other units are none."""
    traps: Mapping[str, Units] = field(default_factory=dict)
    """Units that a naive method gets wrong: false ones that it takes for members, or members that it misses."""
    breaks: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """For each trap the naive methods that it defeats."""
    edges: Mapping[Any, frozenset[Edge]] = field(default_factory=dict)
    """For each output its edges, where the truth is about edges."""
    wired: tuple[tuple[str, str], ...] = ()
    """The pairs of layers whose edges are known; other edges between these are none."""
    others: Array | None = None
    """For each of `x` an input without what makes its output so, where chance would not make one."""
    held_x: Array | None = None
    """Inputs that a trained network has not learnt from."""
    held_y: Array | None = None

    def judged(self, target: Hashable, scores: Mapping[str, Array]) -> Judgement:
        """How well these scores, (unit,) by layer, find the target's members."""
        members = self._of(self.units, target)
        if missing := [layer for layer in members if layer not in scores]:
            raise BadValue(f"No scores for {listing(missing)}; a truth needs them for {listing(members)}.")
        flat = np.concatenate([np.asarray(scores[layer]) for layer in members])

        def marked(units: Units) -> Array:
            rows = [np.isin(np.arange(len(scores[layer])), list(units.get(layer, ()))) for layer in members]
            return np.concatenate(rows)

        return Judgement.of(flat, marked(members), {name: marked(units) for name, units in self.traps.items()})

    def judged_edges(self, target: Hashable, scores: Mapping[tuple[str, str], Array]) -> Judgement:
        """How well these scores, (source unit, target unit) by pair of layers, find the target's edges."""
        edges = self._of(self.edges, target)
        if missing := [pair for pair in self.wired if pair not in scores]:
            raise BadValue(f"No scores for {listing(map(str, missing))}.")
        true = {pair: np.zeros(np.shape(scores[pair]), bool) for pair in self.wired}
        for source, unit, later, reached in edges:
            true[source, later][unit, reached] = True
        return Judgement.of(
            np.concatenate([np.ravel(scores[pair]) for pair in self.wired]),
            np.concatenate([true[pair].ravel() for pair in self.wired]),
        )

    @staticmethod
    def _of(known: Mapping[Any, Any], target: Hashable) -> Any:
        if target not in known:
            raise UnknownName(f"Nothing is known of {target!r}; it is of {listing(map(repr, known))}.")
        return known[target]
