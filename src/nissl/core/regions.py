"""What the network would answer at places of a picture where no sample is, and how far that is to be trusted."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nissl.core.capabilities import Editable
from nissl.core.moments import Moment
from nissl.core.nearby import nearest_of, weights
from nissl.core.neighbours import anchors, nearest
from nissl.core.network import examples
from nissl.core.pool import settled, taken

Array = NDArray[Any]
LANDMARKS, LOOKED_AT, NEAR, PASS = 4000, 1000, 8, 256
FAITHFUL = 0.5
"""Where so many of a sample's neighbours in the picture, beyond chance, are among its near ones in truth, its place is believed."""
SOFT = 0.1
"""So that no single sample makes an island of its own."""
ALIKE = 0.99
"""So many samples must be answered as before when only this layer's values are theirs; else it does not carry all there is."""


@dataclass(frozen=True, eq=False)
class Regions:
    """A grid over the picture."""

    low: Array
    """The corner with the least x and y."""
    cell: float
    """The side of a cell."""
    predicted: Array
    """(row, column): the class that is answered there."""
    trust: Array
    """(row, column): 1 where samples are near and neighbours in the picture are neighbours in truth, to 0."""
    agreement: float
    """The share of samples that lie in the region of the class that they were predicted as."""
    by: str
    """"the network": interpolated activations went through the rest of it; "outputs": those of samples near by were interpolated."""


def regions(
    moment: Moment,
    features: Array,
    positions: Array,
    inputs: Any,
    across: int,
    box: tuple[Array, float] | None,
    seed: int,
) -> Regions | None:
    """Of one moment, `across` cells wide, over a `box` (corner, side); None where it is not known what the network answered."""
    said = moment.outputs if moment.outputs is not None and moment.outputs.shape[1] > 1 else None
    if moment.predicted is None or len(positions) < 2 * NEAR or not np.ptp(positions, axis=0).all():
        return None
    scores = _shares(said) if said is not None else np.eye(int(moment.predicted.max()) + 1)[moment.predicted]
    low, cell, places, shape = _grid(positions, across, box)
    marks = anchors(len(positions), LANDMARKS, seed)
    near, apart = nearest_of(positions[marks], places, NEAR)
    share = weights(apart, SOFT)
    through = _through(moment, inputs, marks, near, share) if said is not None else None
    found = through if through is not None else np.einsum("nk,nkc->nc", share, scores[marks][near])
    predicted = found.argmax(1).reshape(shape)
    cells = np.clip(((positions - low) / cell).astype(int), 0, np.array(shape[::-1]) - 1)
    agreement = float((predicted[cells[:, 1], cells[:, 0]] == moment.predicted).mean())
    trust = _trust(features, positions, places, seed).reshape(shape)
    return Regions(low, cell, predicted, trust, agreement, "the network" if through is not None else "outputs")


def _grid(
    positions: Array, across: int, box: tuple[Array, float] | None
) -> tuple[Array, float, Array, tuple[int, int]]:
    """Square cells over the box, or all points and a little more: the corner, the side, the middles, (rows, columns)."""
    if box is None:
        edge = 0.04 * np.ptp(positions, axis=0).max()
        low, high = positions.min(0) - edge, positions.max(0) + edge
    else:
        low, high = box[0], box[0] + box[1]
    cell = float((high - low).max() / across)
    columns, rows = (max(1, int(np.ceil(side / cell - 1e-6))) for side in high - low)
    x, y = np.meshgrid(np.arange(columns) + 0.5, np.arange(rows) + 0.5)
    return low, cell, low + cell * np.stack([x.ravel(), y.ravel()], 1), (rows, columns)


def _shares(outputs: Array) -> Array:
    """Outputs as shares of 1, so that one loud sample does not outvote its neighbours."""
    if (outputs >= 0).all() and np.allclose(outputs.sum(1), 1, atol=1e-3):
        return outputs
    found = np.exp(outputs - outputs.max(1, keepdims=True))
    return found / found.sum(1, keepdims=True)


def _through(moment: Moment, inputs: Any, marks: Array, near: Array, share: Array) -> Array | None:
    """What the rest of the network answers to the mean activation of the samples near by, where it hangs on this layer alone."""
    if inputs is None or moment.outputs is None or not isinstance(moment.network, Editable):
        return None
    shape, flat = moment.values.shape[1:], moment.values[marks].reshape(len(marks), -1)
    some = slice(0, PASS)
    back = _answers(moment, inputs, moment.values[marks[some]])
    if back is None or (back.argmax(1) == moment.outputs[marks[some]].argmax(1)).mean() < ALIKE:
        return None
    found = []
    for first in range(0, len(near), PASS):
        part = slice(first, first + PASS)
        mixed = np.einsum("nk,nkf->nf", share[part], flat[near[part]])
        answer = _answers(moment, inputs, mixed.reshape(-1, *shape))
        if answer is None:
            return None
        found.append(answer)
    return np.concatenate(found)


def _answers(moment: Moment, inputs: Any, values: Array) -> Array | None:
    """What the network answers when the layer says these values, whatever it is shown: here the last samples."""
    net = moment.network
    assert net is not None
    if net.layer(moment.layer).batch_axis:
        return None
    shown = taken(inputs, -1 - np.arange(len(values)) % examples(inputs))
    with net.evaluating(), net.change(moment.layer, None, values.astype(np.float32)):  # type: ignore[attr-defined]
        outputs = settled(np.array(net.to_numpy(net.run(shown))))
    return outputs if outputs.shape == (len(values), moment.outputs.shape[1]) else None  # type: ignore[union-attr]


def _trust(features: Array, positions: Array, places: Array, seed: int) -> Array:
    """1 where a sample is as near as samples are to one another and they have kept their neighbours; 0 far away, or where they have not."""
    rows = anchors(len(positions), LOOKED_AT, seed)
    k = min(15, len(positions) - 1)
    drawn, true = nearest(positions, k, rows), nearest(features, min(4 * k, len(positions) - 1), rows)
    chance = true.shape[1] / len(positions)
    kept = ((drawn[:, :, None] == true[:, None, :]).any(2).mean(1) - chance) / max(1 - chance, 1e-9)
    reach = 3 * float(np.quantile(np.linalg.norm(positions[rows] - positions[drawn[:, -1]], axis=1), 0.9))
    apart = nearest_of(positions[anchors(len(positions), LANDMARKS, seed)], places, 1)[1][:, 0]
    near, far = nearest_of(positions[rows], places, NEAR)
    order = (weights(far) * kept[near]).sum(1)
    close = np.clip(2 - apart / (reach or 1.0) * 2, 0, 1)
    found: Array = close * np.clip(order / FAITHFUL, 0, 1)
    return found
