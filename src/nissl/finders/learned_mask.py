"""A mask over all units, learned for each target: which of them to delete, or to keep."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from nissl.core.finder import Array, Case, Finder, Scores
from nissl.core.masks.adam import Adam
from nissl.core.masks.loss import Loss
from nissl.core.masks.slopes import LEAST, slopes
from nissl.errors import BadValue


@dataclass(frozen=True)
class LearnedMask(Finder):
    """baseline + mask * (activation - baseline), the mask learned in `steps` for each target; a score is a share, 0 to 1.

    `mode`: "delete" looks for the fewest units without which the target fails and the others don't (1: deleted);
    "keep" for the fewest that do the target's work alone (1: kept). `sparsity` is the price of all units' masks
    beside the loss. Best for control with little collateral, at `steps` passes of `examples` forth and back a target.
    """

    baselines: ClassVar[tuple[str, ...]] = ("mean", "zero")
    signed: ClassVar[bool] = False
    mode: str = "delete"
    steps: int = 75
    examples: int = 128
    """How many are drawn for each step."""
    rate: float = 0.05
    sparsity: float = 1.0

    def __post_init__(self) -> None:
        if self.mode not in ("delete", "keep"):
            raise BadValue(f'mode={self.mode!r}: "delete" or "keep".')
        if self.steps < 1 or self.examples < 2 or self.rate <= 0 or self.sparsity < 0:
            raise BadValue(f"{self!r}: at least 1 step and 2 examples, a rate above 0 and a sparsity not below it.")

    def find(self, case: Case) -> Scores:
        targets = np.unique(case.which[case.asked])
        loss, learned = Loss(case, delete=self.mode == "delete"), []
        for number, target in enumerate(targets.tolist()):
            masks = self._learned(case, loss, target)
            learned.append({name: (m if self.mode == "keep" else 1 - m) for name, m in masks.items()})
            case.tick((number + 1) / len(targets))
        return Scores({name: np.stack([masks[name] for masks in learned]) for name in case.names}, targets)

    def _learned(self, case: Case, loss: Loss, target: int) -> dict[str, Array]:
        masks = {name: np.ones(len(case.means[name])) for name in case.names}
        constants = {layer.name: case.constants(layer) for layer in case.layers}
        adam, draw = Adam(self.rate, masks), np.random.default_rng([case.seed, target])
        price = self.sparsity / sum(map(len, masks.values())) * (1 if self.mode == "keep" else -1)
        for _ in range(self.steps):
            found, _ = slopes(case, loss, self._drawn(case, target, draw), target, masks, constants)
            masks = adam.moved(masks, {name: told + price for name, told in found.items()}, LEAST, 1.0)
        return {name: (mask - LEAST) / (1 - LEAST) for name, mask in masks.items()}

    def _drawn(self, case: Case, target: int, draw: np.random.Generator) -> Array:
        """A batch; where others count, half of it theirs."""
        mine = case.which[case.asked] == target
        own, others = case.asked[mine], case.asked[~mine]
        if self.mode == "keep" or not len(others):
            return draw.permutation(own)[: self.examples]
        half = self.examples // 2
        return np.concatenate([draw.permutation(own)[:half], draw.permutation(others)[:half]])
