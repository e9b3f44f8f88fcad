"""How a loss changes with masks, and with the constants that masks turn units down to."""

from collections.abc import Mapping

import numpy as np

from nissl.core.finder import Array, Case, away
from nissl.core.masks.loss import Loss
from nissl.core.masks.masking import masked
from nissl.core.units import by_unit, contributions, to_last

LEAST = 0.02
"""No unit is ever shut off quite, so that the slope at its mask can still be told."""
Tables = dict[str, Array]


def slopes(
    case: Case, loss: Loss, drawn: Array, target: int, masks: Mapping[str, Array], constants: Mapping[str, Array]
) -> tuple[Tables, Tables]:
    """Of the loss of these examples, at each unit's mask (unit,) and at its constant (unit, part)."""
    at_masks = {name: np.zeros(len(mask)) for name, mask in masks.items()}
    at_constants = {name: np.zeros(constants[name].shape) for name in masks}
    weights = loss.weights(drawn, target)
    for part in case.pool.batches(drawn):
        with masked(case, masks, constants):
            told = case.passage(part, slopes=loss.slopes(part, target, weights))
        for layer in case.layers:
            name, steep = layer.name, told.slopes[layer.name]
            gone = away(layer, told.values[name], to_last(layer, constants[name]))  # the mask times what it would be
            at_masks[name] += contributions(layer, gone, steep).sum(0, dtype=np.float64) / masks[name]
            at_constants[name] += (1 - masks[name])[:, None] * by_unit(layer, steep).sum((0, 1), dtype=np.float64)
    return at_masks, at_constants
