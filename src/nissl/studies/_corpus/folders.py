"""Where the results of a corpus lie: the folders and names that iNNtrospect's scripts know."""

import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nissl.errors import DamagedData, MissingData

Array = NDArray[Any]
ACTS, GRADS, ALIGNED = "acts", "grads", "aligned"
NAPS, CONTRASTIVE = "naps", "contrastive_naps"
MAPS, MAP_PLOTS = "vis_data/topomap", "plots/topomap"
POINTS, POINT_PLOTS = "vis_data/instance_projection", "plots/instance_projection"
SUMS = "nissl"
"""Averages as they were summed, `plain` and `aligned`; and what was made from what."""
BY_FILES, BY_NAME, BY_INDEX = "group_name_to_files.json", "group_name_to_index.json", "index_to_group_name.json"
SIZES, NAMES = "group_sizes.npy", "group_names.npy"


def layer_id(number: int) -> str:
    return f"layer{number:03d}"


def put(path: Path, value: Any) -> None:
    """Numbers as .npy, all else as JSON; whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    if isinstance(value, np.ndarray):
        with part.open("wb") as file:
            np.save(file, value, allow_pickle=False)
    else:
        part.write_text(json.dumps(value, indent=1) + "\n")
    part.replace(path)


def told(path: Path) -> Any:
    """What a JSON file holds."""
    try:
        return json.loads(path.read_text())
    except FileNotFoundError as error:
        raise MissingData(f"There is no {path}: process_corpus_file writes it, or you do.") from error
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise DamagedData(f"{path} is no JSON: {error}.") from error


def put_groups(out: Path, files: Mapping[str, list[str]]) -> None:
    """The three dictionaries of groups."""
    numbers = {name: str(number) for number, name in enumerate(files)}
    put(out / BY_FILES, dict(files))
    put(out / BY_NAME, numbers)
    put(out / BY_INDEX, {number: name for name, number in numbers.items()})


def groups(out: Path) -> tuple[str, ...]:
    """All groups, in the order of their numbers."""
    by_name = told(out / BY_NAME)
    return tuple(sorted(by_name, key=lambda name: int(by_name[name])))


def layers(folder: Path) -> list[str]:
    """layer000, layer001 ... for which there are files or folders here."""
    found = {match[0] for path in folder.glob("layer*") if (match := re.match(r"layer\d+", path.name))}
    return sorted(found, key=lambda name: int(name[5:]))


def file_names(names: Iterable[str]) -> dict[str, str]:
    """What files about groups are called: the group's name where a file can be called so, and no two alike."""
    found: dict[str, str] = {}
    for name in names:
        plain = re.sub(r'[\x00-\x1f/\\:*?"<>|]', "_", name).strip(". ")[:100] or "_"
        taken = {one.lower() for one in found.values()}  # some file systems don't tell Cat from cat
        found[name] = plain if plain.lower() not in taken else f"{plain}~{sum(one.startswith(plain) for one in taken)}"
    return found
