"""index.json: what is declared, which epochs are sealed, and whether the run is closed. Replaced whole, never changed."""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from typing import Any

from nissl.core import admission
from nissl.core.store import ArraySpec, Column, Entry
from nissl.errors import BadValue, DamagedTrace, NewerFormat
from nissl.stores._format.place import Place
from nissl.stores._format.row import Row, integer, number, ranks, value_of
from nissl.stores._format.shard import Grid

FORMAT = "1.0"
RESCUE = (
    "What lies beside it may be whole: each array under layers/ opens with zarr.open_array, and _hot/ holds the epochs "
    "that were not sealed yet (docs/trace-format.md)."
)


@dataclass(frozen=True)
class Index:
    """The contents of index.json."""

    run_id: str
    block: int
    """How many epochs a shard holds."""
    generation: int = 0
    closed: bool = False
    grids: Mapping[str, Grid] = field(default_factory=dict)
    rows: tuple[Row, ...] = ()
    """Sealed epochs, in order: the place here is the place along every array's epoch axis."""

    @cached_property
    def specs(self) -> dict[str, ArraySpec]:
        return {key: grid.spec for key, grid in self.grids.items()}

    @cached_property
    def position(self) -> dict[int, int]:
        """Where along the epoch axis a sealed epoch is."""
        return {row.epoch: at for at, row in enumerate(self.rows)}

    @cached_property
    def entries(self) -> tuple[Entry, ...]:
        """What is sealed, as a store tells it."""
        return tuple(row.entry for row in self.rows)

    @property
    def last(self) -> int:
        """The last sealed epoch, or -1."""
        return self.rows[-1].epoch if self.rows else -1

    def next(self, **changes: Any) -> "Index":
        """The index with these changes, as a later generation."""
        return replace(self, generation=self.generation + 1, **changes)

    def write(self, place: Place) -> None:
        sets = {keys: at for at, keys in enumerate(dict.fromkeys(row.arrays for row in self.rows))}
        numbers = {key: at for at, key in enumerate(self.grids)}
        names = dict.fromkeys(name for row in self.rows for name in row.scalars)
        said = {
            "format": FORMAT,
            "run_id": self.run_id,
            "generation": self.generation,
            "closed": self.closed,
            "block": self.block,
            "arrays": [_described(grid) for grid in self.grids.values()],
            "epochs": [row.epoch for row in self.rows],
            "times": [row.time for row in self.rows],
            "scalars": {n: [number(r.scalars[n]) if n in r.scalars else None for r in self.rows] for n in names},
            "sets": [sorted(numbers[key] for key in keys if key in numbers) for keys in sets],
            "holds": [sets[row.arrays] for row in self.rows],
            "damage": {str(row.epoch): dict(row.damage) for row in self.rows if row.damage},
            "missing": {str(row.epoch): row.missing for row in self.rows if row.missing},
        }
        place.write_json(place.index, said)


def read(place: Place) -> Index:
    """The index of the run; FileNotFoundError, NewerFormat or DamagedTrace."""
    path = place.where(place.index)
    try:
        said = place.read_json(place.index)
    except DamagedTrace as error:
        raise DamagedTrace(f"{error} {RESCUE}") from None
    supported(path, said)
    try:
        return _index(said)
    except (KeyError, TypeError, ValueError, IndexError, AttributeError, OverflowError, BadValue) as error:
        raise DamagedTrace(f"{path}: not an index of a trace: {type(error).__name__}: {error}") from None


def supported(path: str, said: Mapping[str, Any]) -> None:
    """Refuse formats of another major version, and what is no format."""
    version = re.fullmatch(r"(\d{1,9})\.\d{1,9}", str(said.get("format")))
    if version is None:
        raise DamagedTrace(f"{path}: {said.get('format')!r} is not the format of a trace.")
    if int(version[1]) > int(FORMAT.split(".", maxsplit=1)[0]):
        raise NewerFormat(
            f"{path}: this trace has the format {version[0]}, this nissl reads up to {FORMAT}: a newer nissl is needed."
        )


def _described(grid: Grid) -> dict[str, Any]:
    return {**described(grid.spec), "chunk": grid.chunk, "shard": grid.shard}


def described(spec: ArraySpec) -> dict[str, Any]:
    """A declared array as JSON."""
    return {"key": spec.key, **asdict(spec)}


def _index(said: Mapping[str, Any]) -> Index:
    block = integer(said["block"])
    grids = [_grid(one, block) for one in said["arrays"]]
    keys = [grid.spec.key for grid in grids]
    sets = [frozenset(keys[integer(at)] for at in one) for one in said["sets"]]
    epochs, holds, times = said["epochs"], said["holds"], said["times"]
    scalars: list[dict[str, float]] = [{} for _ in epochs]
    for name, values in said["scalars"].items():
        for one, value in zip(scalars, values, strict=True):
            if value is not None:
                one[str(name)] = value_of(value)
    rows: list[Row] = []
    for epoch, when, held, numbers in zip(epochs, times, holds, scalars, strict=True):
        damage = {str(key): str(why) for key, why in said["damage"].get(str(epoch), {}).items()}
        if rows and epoch <= rows[-1].epoch:
            raise ValueError(f"epoch {epoch} follows epoch {rows[-1].epoch}")
        absent = ranks(said.get("missing", {}).get(str(epoch), ()))
        rows.append(Row(integer(epoch), float(when), numbers, sets[integer(held)], damage, missing=absent))
    if type(said["closed"]) is not bool or not block or len(set(keys)) != len(keys):
        raise ValueError("closed, block or arrays are not what they should be")
    generation = integer(said["generation"])
    return Index(
        str(said["run_id"]), block, generation, said["closed"], dict(zip(keys, grids, strict=True)), tuple(rows)
    )


def spec(said: Mapping[str, Any]) -> ArraySpec:
    """One declared array, out of JSON. Its key is worked out from its names, never believed."""
    layer = said["layer"]
    return admission.sound(
        ArraySpec(
            str(said["name"]),
            tuple(map(str, said["dims"])),
            tuple(integer(n) for n in said["shape"]),
            None if layer is None else str(layer),
            str(said["dtype"]),
            tuple(Column(*(str(one[name]) for name in ("name", "merge", "weight", "mean"))) for one in said["columns"]),
            {str(dim): tuple(map(str, names)) for dim, names in said["labels"].items()},
        )
    )


def _grid(said: Mapping[str, Any], block: int) -> Grid:
    found, chunk, shard = spec(said), integer(said["chunk"]), integer(said["shard"])
    if not chunk or shard % chunk or not shard:
        raise ValueError(f"{found.key}: chunks of {chunk} do not fit shards of {shard}")
    return Grid(found, block, chunk, shard).bounded()
