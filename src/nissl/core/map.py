"""One position per unit, what is seen there, and how good the positions are."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nissl.core import fields
from nissl.core.ordering import Quality, evenness, order, smoothness
from nissl.errors import BadValue, UnknownName, listing, near

if TYPE_CHECKING:
    from nissl.core.region import Region

Array = NDArray[Any]


@dataclass(frozen=True, eq=False)
class Map:
    """Made by `nissl.topomap`."""

    layer: str
    positions: Array
    """(unit, x and y) in the unit square, y down."""
    groups: tuple[str, ...]
    values: Array
    """(moment, group, unit): what each unit is to each group; NaN where a group was not seen."""
    epochs: tuple[int, ...]
    """Of the moments, where they are epochs."""
    features: tuple[Array, ...] = field(repr=False)
    """What units were placed by at each moment, (unit, feature): their Euclidean distances are those that count."""
    recipe: Mapping[str, Any]
    """How it was made."""
    shape: str = ""
    """grid or disc, where every unit has a cell of its own and all are of one size."""

    @property
    def units(self) -> int:
        return len(self.positions)

    def __len__(self) -> int:
        return self.units

    @cached_property
    def quality(self) -> Quality:
        """Order, evenness and the paper's smoothness, each beside chance; found when first asked for."""
        return Quality(self.order | smoothness(self.positions, self._seen, self._seed))

    @cached_property
    def order(self) -> Quality:
        """Order and evenness alone, which is quicker."""
        joint = np.concatenate(self.features, 1)
        return Quality(order(self.positions, joint, self._seen, self._seed) | evenness(self.positions, self._seed))

    @property
    def _seen(self) -> Array:
        flat = self.values.reshape(-1, self.units)
        return flat[np.isfinite(flat).all(1)]

    @property
    def _seed(self) -> int:
        return int(self.recipe.get("seed", 0))

    def orders(self) -> Any:
        """A row a moment: how well the map fits what units were then (trustworthiness, kept, moran)."""
        import pandas as pd

        names = self.epochs or range(len(self.features))
        rows = {
            name: {key: one.value for key, one in order(self.positions, then, seen[np.isfinite(seen).all(1)]).items()}
            for name, then, seen in zip(names, self.features, self.values, strict=True)
        }
        return pd.DataFrame.from_dict(rows, orient="index").rename_axis("epoch" if self.epochs else "moment")

    def moment(self, epoch: int | str | None = None) -> int:
        """The place of an epoch in `values`; None: the last."""
        if epoch is None:
            return len(self.values) - 1
        number = int(str(epoch).removeprefix("E_"))
        if number not in self.epochs:
            raise UnknownName(
                f"The map has no epoch {epoch!r}. It shows: {listing(self.epochs) or 'no epochs, but numbers given'}."
            )
        return self.epochs.index(number)

    def group(self, name: str | int) -> int:
        """The place of a group in `values`, by name or number."""
        if isinstance(name, int) and str(name) not in self.groups and 0 <= name < len(self.groups):
            return name
        if str(name) not in self.groups:
            raise UnknownName(
                f"The map has no group {name!r}.{near(str(name), self.groups)} There are: {listing(self.groups)}."
            )
        return self.groups.index(str(name))

    def field(self, group: str | int, epoch: int | str | None = None, size: int = 100) -> Array:
        """(row, column): a group's values, interpolated over the unit square; NaN where no unit is near."""
        return fields.field(self.positions, self.values[self.moment(epoch), self.group(group)], size)

    @property
    def spacing(self) -> float:
        """How far apart units would be if they filled their outline evenly."""
        return fields.spacing(self.positions)

    @property
    def side(self) -> float:
        """Of a cell; where there are none, the spacing."""
        if not self.shape:
            return self.spacing
        gaps = np.concatenate([np.diff(np.unique(self.positions[:, axis].round(9))) for axis in (0, 1)])
        return float(gaps.min()) if len(gaps) else 1.0

    @property
    def cells(self) -> NDArray[np.intp]:
        """(unit, row and column) of an even map."""
        if not self.shape:
            raise BadValue(f"by={self.recipe.get('by')!r} gives units no cells: ask for even=True, or even='disc'.")
        low = self.positions.min(0)
        found: NDArray[np.intp] = np.rint((self.positions - low) / self.side).astype(np.intp)
        return found[:, ::-1]

    def region(self, group: str | int | None = None, **where: Any) -> "Region":
        """Units by where they lie: `region("3")`, the disc that answers most to 3; `at=(x, y)`, a disc; `inside=corners`, a brush.

        `radius`: of a disc, in the unit square. `epoch`: of the answer; None: the last.
        """
        from nissl.core.region import region

        return region(self, group, **where)

    def turned(self, matrix: Array) -> "Map":
        """Rotated or mirrored about the middle: the same map."""
        return replace(self, positions=0.5 + (self.positions - 0.5) @ np.asarray(matrix, float).T)

    def to_dataframe(self) -> Any:
        """A row a unit: layer, x, y, then every group's value at the last moment."""
        import pandas as pd

        held = {"x": self.positions[:, 0], "y": self.positions[:, 1]}
        held |= dict(zip(self.groups, self.values[-1], strict=True))
        return pd.DataFrame(held).rename_axis("unit")

    def __repr__(self) -> str:
        when = f", epochs {listing(self.epochs)}" if self.epochs else ""
        return (
            f"<Map of {self.layer}: {self.units:,} units by {self.recipe.get('by')}, {len(self.groups)} groups{when}>"
        )


class Maps(Mapping[Any, Map]):
    """Several maps that belong together: of layers, or of epochs."""

    def __init__(self, maps: Mapping[Any, Map], axis: str):
        self._maps, self.axis = dict(maps), axis

    def __getitem__(self, key: Any) -> Map:
        if key not in self._maps:
            raise UnknownName(
                f"There is no map of {key!r}.{near(str(key), map(str, self._maps))} There are: {listing(self._maps)}."
            )
        return self._maps[key]

    def __iter__(self) -> Iterator[Any]:
        return iter(self._maps)

    def __len__(self) -> int:
        return len(self._maps)

    def drift(self) -> Any:
        """A row for each map after the first: how far units moved since, on the map and in truth, each as a share of its radius.

        `moved` and `farthest`: the median and the 95th percentile of units; `changed`: the median change of what they are placed by.
        """
        import pandas as pd

        rows = {}
        for (_, before), (name, now) in zip(list(self._maps.items()), list(self._maps.items())[1:], strict=False):
            if before.units != now.units:
                raise BadValue(
                    f"Maps of {self.axis}s have other units each: what moves is told of the maps of one layer's epochs."
                )
            moved = _shares(before.positions, now.positions)
            changed = _shares(before.features[-1], now.features[-1])
            rows[name] = (float(np.median(moved)), float(np.quantile(moved, 0.95)), float(np.median(changed)))
        table = pd.DataFrame.from_dict(rows, orient="index", columns=["moved", "farthest", "changed"])
        return table.rename_axis(self.axis)

    def orders(self) -> Any:
        """A row a map and moment: trustworthiness, kept, moran."""
        import pandas as pd

        found = {name: one.orders() for name, one in self._maps.items()}
        return pd.concat(list(found.values())) if self.axis == "epoch" else pd.concat(found, names=[self.axis])

    def __repr__(self) -> str:
        return f"<{len(self)} maps, one a{'n' if self.axis[0] == 'e' else ''} {self.axis}: {listing(self._maps)}>"


def _shares(before: Array, now: Array) -> Array:
    """How far each row moved, as a share of the cloud's radius."""
    radius = np.sqrt(((now - now.mean(0)) ** 2).sum(1).mean())
    found: Array = np.sqrt(((now - before) ** 2).sum(1)) / max(float(radius), 1e-300)
    return found


def facing(reference: Map, other: Map, groups: Sequence[str] | None = None) -> Map:
    """`other` rotated or mirrored so that groups' domains lie where the reference has them; an even map stays upright.

    By Procrustes on where each group is answered: the centres of its units, weighed by their answers.
    """
    shared = [g for g in (groups or reference.groups) if g in other.groups and g in reference.groups]
    here, there = (np.array([_centre(one, g) for g in shared]).reshape(-1, 2) for one in (reference, other))
    here, there = here - 0.5, there - 0.5
    product = there.T @ here
    if other.shape == "grid":
        best = max(_upright(other.positions), key=lambda turn: round(float((product * turn.T).sum()), 12))
    else:
        u, _, v = np.linalg.svd(product)
        best = (u @ v).T
    return other.turned(best)


def _centre(one: Map, group: str) -> Array:
    weight = np.nan_to_num(one.values[:, one.group(group)]).mean(0)
    weight = np.maximum(weight - weight.mean(), 0) ** 2
    return weight @ one.positions / weight.sum() if weight.sum() > 0 else np.array([0.5, 0.5])


def _upright(positions: Array) -> list[Array]:
    """The turns that leave a rectangle where it is, and a square's other four."""
    turns = [np.diag([a, b]) for a in (1.0, -1.0) for b in (1.0, -1.0)]
    if np.ptp(np.ptp(positions, 0)) < 0.01:
        turns += [turn[::-1] for turn in turns]
    return turns
