"""What pictures are to make a network say: of its outputs or a layer, one number a picture, and its slopes."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nissl.core.aim import Aim, of_class
from nissl.core.capabilities import Differentiable, Sensitive
from nissl.core.layer import Layer
from nissl.core.network import Network
from nissl.core.pool import settled, unsettled
from nissl.errors import BadValue, Unsupported

Array = NDArray[Any]
Way = tuple[Array, Callable[[Array], Array]]
"""Values as (picture, number), and the way back of their slopes."""


def whole(values: Array) -> Way:
    """Every value for itself, pictures first."""
    return values.reshape(len(values), -1), lambda slopes: slopes.reshape(values.shape)


@dataclass(frozen=True, eq=False)
class Wish:
    """An aim for every target, told apart by what the aim is told of each."""

    aim: Aim
    names: tuple[str, ...]
    about: Array
    """What the aim is told of each target: mostly its number."""
    of: str | None = None
    """The layer that is listened to; None: the outputs."""
    settle: Callable[[Array], Way] = whole
    classes: bool = False
    """Are the targets classes, of which there are probabilities?"""
    squashed: bool = False

    def scores(self, values: Array, which: Array) -> Array:
        """One number a picture."""
        return self.aim.values(self.settle(values)[0], self.about[which])

    def slopes(self, values: Array, which: Array) -> Array:
        """Of the scores, at the values."""
        flat, back = self.settle(values)
        return back(self.aim.slopes(flat, self.about[which])).astype(values.dtype)


def outputs(values: Array) -> Way:
    """The outputs, of a sequence those at its last position."""
    return settled(values), lambda slopes: unsettled(slopes, values.shape)


def by_unit(layer: Layer, *, centre: bool) -> Callable[[Array], Way]:
    """A layer's units by their mean over all positions, or by what they say in the middle."""

    def settle(values: Array) -> Way:
        batch, unit = layer.batch_axis % values.ndim, layer.unit_axis % values.ndim
        turned = np.moveaxis(values, (batch, unit), (0, 1))
        sides = turned.shape[2:]
        weights = np.zeros(sides) if centre else np.full(sides, 1 / max(1, int(np.prod(sides))))
        if centre:
            weights[tuple(side // 2 for side in sides)] = 1
        axes = tuple(range(2, turned.ndim))

        def back(slopes: Array) -> Array:
            spread = slopes.reshape(*slopes.shape, *[1] * len(sides)) * weights
            return np.moveaxis(spread, (0, 1), (batch, unit))

        return (turned * weights).sum(axes), back

    return settle


def asked(net: Network, wish: Wish, pictures: Array, which: Array, batch: int) -> tuple[Array, Array]:
    """The score of each picture, and its slopes at the pictures."""
    scores, slopes = [], []
    for part in _parts(len(pictures), batch):
        value, slope = _asked(net, wish, pictures[part].astype(np.float32), which[part])
        if not (np.isfinite(value).all() and np.isfinite(slope).all()):
            raise BadValue(
                "The network's answer to a picture, or its slopes, is no finite number: does it divide by what may be 0, or "
                "are its weights broken?"
            )
        scores.append(value)
        slopes.append(slope.astype(float))
    return np.concatenate(scores), np.concatenate(slopes)


def _asked(net: Network, wish: Wish, x: Array, which: Array) -> tuple[Array, Array]:
    if wish.of is None and isinstance(net, Sensitive):
        done = net.passage(x, lambda values: wish.slopes(values, which), ["input"])
        return wish.scores(done.outputs, which), net.to_numpy(done.slopes["input"])
    if not isinstance(net, Differentiable):
        raise Unsupported(f"Portraits are drawn along gradients, and {net.framework} gives none.")
    values = said(net, x, wish.of, len(x))
    slopes = net.gradient(x, wish.slopes(values, which), of=wish.of)
    return wish.scores(values, which), net.to_numpy(slopes)


def said(net: Network, pictures: Array, of: str | None, batch: int) -> Array:
    """What the network, or a layer of it, says of pictures; a layer's values keep their own axes."""
    x = pictures.astype(np.float32)
    if of is not None:
        return np.asarray(net.probe(x, [of], batch=batch)[of])
    return np.concatenate([np.asarray(net.forward(x[part])) for part in _parts(len(x), batch)])


def probabilities(values: Array, numbers: Array, *, squashed: bool) -> Array:
    """Of these classes, one a picture, by the outputs."""
    return np.exp(of_class("logprob", squashed=squashed).values(settled(values), numbers))


def _parts(count: int, batch: int) -> Iterator[slice]:
    yield from (slice(start, start + batch) for start in range(0, count, batch))
