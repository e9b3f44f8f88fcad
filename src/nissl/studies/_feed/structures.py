"""`structures/...`: the units behind each class as they were recorded or saved; how they come about; whose each unit is."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from nissl import plugins
from nissl.core import traced
from nissl.core.belonging import owners
from nissl.core.events import COLUMNS, told
from nissl.core.structure import Structure
from nissl.errors import BadValue, MissingData, UnknownKey
from nissl.studies._feed.dyeing import dye
from nissl.studies._feed.members import columns
from nissl.studies._feed.packing import packed
from nissl.studies._feed.part import Part, number

KINDS = ("birth", "death", "owner", "freeze")
NONE = 65535
"""What stands for no layer, or no class."""
FILES = "EPOCH.bin, events.bin, owners.PLACE.bin, saved.NUMBER.bin and dye.NUMBER.bin"
LASTING = 3
EVENTS = 200_000
ABSENT = (
    "No structures were recorded of this run, and none were saved beside it. `nissl train RUN --quantities structures,...` follows "
    "them while the network learns; `nissl structure RUN --out structures/RUN` finds them afterwards."
)


def saved(where: str) -> list[Path]:
    """Files of structures in the folder structures/RUN beside the trace RUN."""
    run = Path(where)
    return sorted((run.parent / "structures" / run.name).glob("*.json")) if where and "://" not in where else []


def named(files: Sequence[str | Path]) -> list[Path]:
    """These files, and those in these folders."""
    found: list[Path] = []
    for file in map(Path, files):
        if not file.exists():
            raise MissingData(f"There is no structure at {file}.")
        inside = sorted(file.glob("*.json")) if file.is_dir() else [file]
        if not inside:
            raise MissingData(f"The folder {file} holds no structures, which end in .json.")
        found += inside
    return found


class Members(Part):
    """EPOCH.bin, saved.NUMBER.bin: structures; dye.NUMBER.bin: a saved one as a dye; events.bin: when units came and went; owners.PLACE.bin: whose they were."""

    def told(self) -> dict[str, Any] | None:
        files = [file.stem for file in self.stage.saved]
        known: dict[str, Any] = {"by": list(plugins.names("finders")), "saved": files}
        nothing = not (self.stage.slides.followed or files or self.stage.alive)
        return known | ({"absent": ABSENT} if nothing else {})

    def names(self) -> Iterator[str]:
        followed = self.stage.slides.followed
        yield from (f"{epoch}.bin" for epoch in followed)
        for place in range(len(self.stage.saved)):
            yield from (f"saved.{place}.bin", f"dye.{place}.bin")
        if followed:
            yield from (f"owners.{place}.bin" for place in self._places())
            yield "events.bin"

    def file(self, rest: str) -> bytes:
        name, _, place = rest.removesuffix(".bin").partition(".")
        at = number(place)
        if not rest.endswith(".bin"):
            raise self.unknown(rest, FILES)
        if name == "events" and not place:
            return self._events()
        if name == "owners" and at in self._places():
            return self._owners(at)
        if name == "saved" and at is not None and at < len(self.stage.saved):
            return packed(*columns([self._saved(self.stage.saved[at])]))
        if name == "dye" and at is not None and at < len(self.stage.saved):
            return dye(self._saved(self.stage.saved[at]), self.stage.slides.shown, self.trace.classes)
        epoch = number(name)
        if epoch is None or place:
            raise self.unknown(rest, FILES)
        self.stage.there(epoch)
        if epoch not in self.stage.slides.followed:
            raise UnknownKey(f"No structures were recorded at epoch {epoch}.")
        family = self.trace.structures(epoch)
        said, arrays = columns([*family.values(), family.backbone])
        return packed({"epoch": epoch, **said}, arrays)

    def _saved(self, file: Path) -> Structure:
        if not file.is_file():
            raise MissingData(f"There is no file {file} any more.")
        one = Structure.load(file)
        for name, count in one.every().items():
            if name not in self.trace.layers or self.trace.units(name) != count:
                raise BadValue(
                    f"{file.name} was found in another network: this one has no layer {name} of {count} units."
                )
        return one

    def _places(self) -> list[int]:
        """The slides whose units were followed."""
        known = traced.layers(self.trace, needed=False)
        return [place for place, name in enumerate(self.stage.slides.shown) if name in known]

    def _owners(self, place: int | None) -> bytes:
        glass = list(self.stage.slides.shown.values())[place or 0]
        rows = []
        for epoch in self.stage.slides.followed:
            table = np.asarray(self.trace.read(glass.layer, traced.SCORES, [epoch])[0], np.float64)
            rows.append(owners(table if glass.alone else glass.table(table).T))
        return packed(
            {"layer": glass.layer, "epochs": self.stage.slides.followed}, {"owner": np.stack(rows).astype(np.int16)}
        )

    def _events(self) -> bytes:
        followed = self.stage.slides.followed
        if not followed:
            raise UnknownKey("No structures were recorded in this trace.")
        lasting = min(LASTING, len(followed))
        rows = self.trace.undamaged(lambda: told(self.trace, lasting=lasting))  # pandas need not be there
        table = dict(zip(COLUMNS, zip(*rows, strict=True), strict=True)) if rows else dict.fromkeys(COLUMNS, ())
        layers, classes = list(self.trace.layers), list(self.trace.classes)

        def places(column: str, among: list[Any]) -> Any:
            where = {name: place for place, name in enumerate(among)}
            return np.array([where.get(name, NONE) for name in table[column]], np.uint16)

        arrays = {
            "epoch": np.array(table["epoch"], np.uint32), "kind": places("event", list(KINDS)), "class": places("class", classes),
            "layer": places("layer", layers), "unit": np.array([unit or 0 for unit in table["neuron"]], np.uint32),
            "before": places("before", classes),
        }  # fmt: skip
        return packed(
            {"kinds": KINDS, "layers": layers, "lasting": lasting, "every": len(rows)},
            {name: array[:EVENTS] for name, array in arrays.items()},
        )
