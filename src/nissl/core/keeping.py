"""Profiles in one .npz file: everything that was summed, to the last bit, without the network."""

import json
import zipfile
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nissl.core.answers import Answers
from nissl.core.layer import Layer
from nissl.core.tally import Moments
from nissl.errors import BadValue, DamagedData, MissingData

if TYPE_CHECKING:
    from nissl.core.profiles import Profiles

VERSION = 1
PARTS = ("count", "mean", "m2")
HEADER = "nissl_profiles"


def save(profiles: "Profiles", path: str | Path) -> Path:
    """Nothing is overwritten."""
    file = Path(path)
    if file.suffix != ".npz":
        raise BadValue(f"{file}: profiles are kept in a file that ends in .npz.")
    if file.exists():
        raise BadValue(f"{file} is there already; nothing is overwritten: choose another name.")
    held: dict[str, Any] = {"counts": profiles.counts}
    layers = []
    for number, one in enumerate(profiles.answers.values()):
        layers.append({"layer": asdict(one.layer), "shape": one.shape, "unit": one.unit, "aligned": one.aligned})
        for kind, moments in (("units", one.units), ("places", one.places)):
            if moments is not None and (kind == "units" or moments is not one.units):
                held |= {f"{number}/{kind}/{part}": _brief(getattr(moments, part)) for part in PARTS}
    told = {"version": VERSION, "factors": profiles.factors, "levels": profiles.levels, "recipe": dict(profiles.recipe)}
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("xb") as out:
        held[HEADER] = np.array(json.dumps(told | {"layers": layers}, default=str))
        np.savez(out, **held)
    return file


def load(path: str | Path) -> dict[str, Any]:
    """The fields of the profiles that were saved there."""
    if not Path(path).is_file():
        raise MissingData(f"There is no file {path}.")
    try:
        with np.load(path, allow_pickle=False) as held:
            told = json.loads(str(held[HEADER]))
            answers = {}
            for number, said in enumerate(told["layers"]):
                shape, layer = tuple(said["shape"]), Layer.of(said["layer"])
                units = _moments(held, f"{number}/units")
                apart = f"{number}/places/mean" in held
                places = _moments(held, f"{number}/places") if apart else units if len(shape) == 1 else None
                answers[layer.name] = Answers(layer, shape, said["unit"], units, places, said["aligned"])
            levels = tuple(map(tuple, told["levels"]))
            fields = {"factors": tuple(told["factors"]), "levels": levels, "counts": held["counts"]}
            return fields | {"answers": answers, "recipe": told["recipe"]}
    except (zipfile.BadZipFile, ValueError, KeyError, TypeError, OSError) as error:
        raise DamagedData(f"{path} holds no profiles that nissl saved: {type(error).__name__}: {error}.") from error


def _brief(table: Any) -> Any:
    """One column of a table whose columns are alike, as counts mostly are."""
    return table[:, :1] if table.shape[1] > 1 and (table == table[:, :1]).all() else table


def _moments(held: Any, name: str) -> Moments:
    return Moments(*np.broadcast_arrays(*(held[f"{name}/{part}"] for part in PARTS)))
