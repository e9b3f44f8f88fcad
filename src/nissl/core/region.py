"""Units by where they lie on a map; what drives them, what they may become, and what happens without them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nissl.core import fields
from nissl.core.aim import looks_squashed
from nissl.core.network import Network, network
from nissl.core.pool import Pool, settled
from nissl.core.trial import guesses
from nissl.core.units import by_unit
from nissl.core.verbs import Selection, edit
from nissl.errors import BadValue, Unsupported

if TYPE_CHECKING:
    from nissl.core.map import Map

Array = NDArray[Any]
RADIUS = 12.5 / 147
"""Of the paper's disc of 25 pixels."""
CENTRES = 64
FEW = 9
"""Of fewer units a disc of several would be nearly all: it is then as wide as one."""


@dataclass(frozen=True)
class Effect:
    """What deleting a region's units does."""

    classes: tuple[str, ...]
    intact: Array
    """(class,): the share of examples recognised."""
    without: Array
    units: int

    def to_dataframe(self) -> Any:
        """A row a class: intact, without, change."""
        import pandas as pd

        held = {"intact": self.intact, "without": self.without, "change": self.without - self.intact}
        return pd.DataFrame(held, index=pd.Index(self.classes, name="class"))


@dataclass(frozen=True, eq=False)
class Region:
    """Some of a map's units, and the outline they lie in."""

    map: "Map"
    units: tuple[int, ...]
    outline: Array
    """(corner, x and y)."""
    about: str

    def __len__(self) -> int:
        return len(self.units)

    def of(self, model: Any, data: Any = None) -> Selection:
        """These units in the model, with its verbs: `region.of(model, x).delete()`. `data`: examples to take means from."""
        chosen = edit(model, data)[self.map.layer]
        if chosen.every()[self.map.layer] != self.map.units:
            raise BadValue(
                f"The map has {self.map.units} units of {self.map.layer}, and the model {chosen.every()[self.map.layer]}: "
                "it is a map of another model."
            )
        return chosen[list(self.units)]

    def drivers(self, model: Any, data: Any, most: int = 9, batch: int = 256) -> Array:
        """The numbers of the examples to which these units answer most, the strongest first."""
        net: Network = network(model)
        pool = Pool(net, data, batch)
        layer = net.layer(self.map.layer)
        answers = [
            by_unit(net.layer(layer.name), net.probe(pool.take(part), [layer.name])[layer.name])
            [:, :, list(self.units)].mean((1, 2, 3)) for part in pool.batches(np.arange(pool.count))
        ]  # fmt: skip
        found: Array = np.argsort(-np.concatenate(answers), kind="stable")[:most]
        return found

    def effect(self, model: Any, data: Any, batch: int = 256) -> Effect:
        """Each class's share of examples recognised, with these units and without them (held at their means)."""
        pool = Pool(network(model), data, batch)
        if pool.groups is None:
            raise Unsupported("What deleting does is told by classes, and these data have none: give (x, y).")
        every, count = np.arange(pool.count), len(pool.task.names)
        outputs = [settled(pool.outputs(every))]
        with self.of(model, data).delete():
            outputs.append(settled(pool.outputs(every)))
        squashed = looks_squashed(outputs[0])
        right = [guesses(each, squashed=squashed) == pool.groups for each in outputs]
        intact, without = (
            [r[pool.groups == k].mean() if (pool.groups == k).any() else np.nan for k in range(count)] for r in right
        )
        return Effect(tuple(pool.task.names), np.array(intact), np.array(without), len(self.units))

    def __repr__(self) -> str:
        return f"<Region of {self.map.layer}: {len(self.units)} of {self.map.units} units {self.about}>"


def region(
    one: "Map", group: str | int | None = None, *, at: Sequence[float] | None = None, inside: Any = None,
    radius: float | None = None, epoch: int | str | None = None,
) -> Region:  # fmt: skip
    """As `Map.region` tells."""
    if sum(given is not None for given in (group, at, inside)) != 1:
        raise BadValue("A region is the one of a group, a disc at=(x, y), or what is inside=corners: give one of them.")
    if inside is not None:
        corners = np.asarray(inside, float)
        if corners.ndim != 2 or corners.shape[1] != 2 or len(corners) < 3 or not np.isfinite(corners).all():
            raise BadValue(f"inside: a brush is at least three corners (corner, x and y), not {corners.shape}.")
        return _made(one, fields.within(corners, one.positions), corners, "inside the brush")
    # at least what a unit and its four neighbours take up
    size = max(RADIUS, (0.6 if one.units < FEW else 1.1) * one.spacing) if radius is None else float(radius)
    if not size > 0:
        raise BadValue(f"radius={radius}: above 0, in the map's unit square.")
    if at is not None:
        centre, about = np.asarray(at, float), f"around ({at[0]:.2g}, {at[1]:.2g})"
        if centre.shape != (2,) or not np.isfinite(centre).all():
            raise BadValue(f"at={at!r}: the middle of a disc is (x, y).")
    else:
        place, name = (
            one.group(group if group is not None else 0),
            one.groups[one.group(group if group is not None else 0)],
        )
        centre, about = (
            _strongest(one, np.nan_to_num(one.values[one.moment(epoch), place]), size),
            f"that answer most to {name}",
        )
    turn = np.linspace(0, 2 * np.pi, 49)[:-1]
    circle = centre + size * np.stack([np.cos(turn), np.sin(turn)], 1)
    return _made(one, _around(one, centre, size), circle, about)


def _strongest(one: "Map", values: Array, size: float) -> Array:
    """The middle of the disc whose units answer most on average; of nearly empty discs none."""
    steps = (np.arange(CENTRES) + 0.5) / CENTRES
    best, found = -np.inf, np.array([0.5, 0.5])
    least = max(1.0 if one.units < FEW else 3.0, 0.5 * np.pi * (size / one.spacing) ** 2)
    for y in steps:
        centres = np.stack([steps, np.full(CENTRES, y)], 1)
        inside = ((centres[:, None] - one.positions) ** 2).sum(-1) <= size**2
        count = inside.sum(1)
        enough = count >= min(least, one.units)
        mean = np.where(enough, inside @ values / np.maximum(count, 1), -np.inf)
        if mean.max() > best:
            best, found = float(mean.max()), centres[int(mean.argmax())]
    there = _around(one, found, size)
    middle: Array = one.positions[there].mean(0) if there.any() else found  # of many discs that hold these units
    return middle if (_around(one, middle, size) == there).all() else found


def _around(one: "Map", centre: Array, size: float) -> NDArray[np.bool_]:
    found: NDArray[np.bool_] = ((one.positions - centre) ** 2).sum(1) <= size**2
    return found


def _made(one: "Map", inside: NDArray[np.bool_], outline: Array, about: str) -> Region:
    if not inside.any():
        raise BadValue(
            f"No unit of {one.layer} lies {about}: the map's units are within 0 and 1, {one.spacing:.3g} apart."
        )
    return Region(one, tuple(int(unit) for unit in np.flatnonzero(inside)), outline, about)
