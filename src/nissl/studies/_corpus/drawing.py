"""What is to be seen of a corpus: maps and projections of every layer, as views."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from nissl.core.map import Map
from nissl.core.view import View
from nissl.errors import BadValue
from nissl.studies._corpus import folders, mapping, projecting
from nissl.views.projected import Projected
from nissl.views.topomaps import Topomaps

MODES = ("individually", "all_in_row")


def topomaps(
    out: Path, laid: Mapping[str, Any], coloured: Mapping[str, Any], mode: str, ending: str
) -> dict[Path, View]:
    """By file; the interpolated maps are written beside what they are made of."""
    if mode not in MODES:
        raise BadValue(f"mode={mode!r}: {' or '.join(map(repr, MODES))}.")
    names = out / folders.CONTRASTIVE / folders.NAMES
    contrasts = coloured.get("from_contrastive_naps", names.is_file())
    groups = tuple(map(str, np.load(names))) if contrasts else folders.groups(out)
    titles, found = _titles(out), {}  # type: dict[str, str], dict[Path, View]
    for path in sorted((out / folders.MAPS).glob("*_coordinates.npy")):
        name = path.name.removesuffix("_coordinates.npy")
        places, values = np.load(path), np.load(path.with_name(f"{name}_activations.npy"))
        inner = mapping.interpolated(places, values)
        folders.put(path.with_name(f"{name}_interpolated_activations.npy"), inner)
        recipe = {
            "by": laid.get("by") or ("disc" if laid.get("distribute_in_circle", True) else "grid"),
            "measure": "contrast" if contrasts else "mean", "distance": "euclidean", "seed": laid.get("seed", 0),
        }  # fmt: skip
        one = Map(titles.get(name, name), places, groups, values[None], (), (values.T,), recipe)
        room = out / folders.MAP_PLOTS / name
        if mode == "all_in_row":
            found[room / f"overview.{ending}"] = Topomaps(one, groups=one.groups)
        else:
            for group, file in folders.file_names(groups).items():
                found[room / f"{file}.{ending}"] = Topomaps(one, groups=[group])
    return found


def projections(out: Path, ending: str) -> dict[Path, View]:
    titles = _titles(out)
    return {
        out / folders.POINT_PLOTS / f"{name}.{ending}": Projected(projecting.drawn(titles.get(name, name), *told))
        for name, *told in projecting.read(out)
    }


def _titles(out: Path) -> dict[str, str]:
    """What the layers are called in their network, where that is known."""
    told = out / folders.SUMS / "layers.json"
    return {folders.layer_id(k): str(name) for k, name in enumerate(folders.told(told))} if told.is_file() else {}
