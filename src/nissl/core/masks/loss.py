"""What a mask is learned for: the target gone and the others left, or the target left alone."""

import numpy as np

from nissl.core.finder import Array, Case, Slopes
from nissl.core.masks.masking import masked
from nissl.core.pool import settled, unsettled


class Loss:
    """Cross-entropy of aims that tip at zero; of others the squared share of the way from all baselines to intact."""

    def __init__(self, case: Case, *, delete: bool, emphasis: float = 1.0):
        """`emphasis`: how many times the target's side counts beside the others'."""
        self._case, self._delete, self._emphasis = case, delete, emphasis
        self._nothing, self._scale = np.zeros(case.pool.count), np.ones(case.pool.count)
        if not case.aim.tips:
            self._measure()

    def _measure(self) -> None:
        case = self._case
        full = case.values(case.asked)
        constants = {layer.name: case.constants(layer) for layer in case.layers}
        with masked(case, {name: np.zeros(len(to)) for name, to in constants.items()}, constants):
            nothing = case.values(case.asked)
        self._nothing[case.asked] = nothing
        for target in np.unique(case.which[case.asked]):
            mine = case.which[case.asked] == target
            gap = float(np.mean(full[mine] - nothing[mine]))
            self._scale[case.which == target] = gap if abs(gap) > 1e-12 else np.inf

    def weights(self, drawn: Array, target: int) -> tuple[float, float]:
        """What an example of the target counts, and one of the others."""
        own = int((self._case.which[drawn] == target).sum())
        return self._emphasis / max(own, 1), 1 / max(len(drawn) - own, 1)

    def slopes(self, part: Array, target: int, weights: tuple[float, float]) -> Slopes:
        """Of the loss of these examples, at the outputs."""
        case, which, about = self._case, self._case.which[part], self._case.about[part]
        down = (which == target) & self._delete  # an example's aim is wanted down, or else up
        weight = np.where(which == target, *weights)

        def sloping(outputs: Array) -> Array:
            wide = settled(outputs)
            steep = weight * self._steep(case.aim.values(wide, about), part, down)
            found = case.aim.slopes(wide, about) * steep[:, None]
            return unsettled(found, outputs.shape).astype(outputs.dtype)

        return sloping

    def _steep(self, aims: Array, part: Array, down: Array) -> Array:
        """The loss's slope at each aim."""
        if self._case.aim.tips:
            chance = 0.5 * (1 + np.tanh(aims / 2))
            return np.where(down, chance, chance - 1)
        share = (aims - self._nothing[part]) / self._scale[part]
        return 2 * (share - np.where(down, 0, 1)) / self._scale[part]
