"""The corpus pipeline whole, pictures too: iNNtrospect's functions under their names, and its configurations as they are."""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nissl.apps.figure import paint
from nissl.core.view import View
from nissl.errors import BadValue, DamagedData, MissingData, listing, near
from nissl.studies.corpus import (
    align_data,
    compute_contrastive_naps,
    compute_instance_projections,
    compute_naps,
    compute_topomap_activations,
    compute_topomap_layout,
    create_model_with_layer_outputs,
    load_model,
    process_corpus_file,
    projection_pictures,
    topomap_pictures,
)

__all__ = [
    "TOPOMAP_METHODS", "TOPOMAP_PLOTTING_MODES", "align_data", "compute_contrastive_naps", "compute_instance_projections",
    "compute_naps", "compute_topomap_activations", "compute_topomap_layout", "create_model_with_layer_outputs", "load_model",
    "plot_instance_projections", "plot_topomaps", "process_corpus_file", "run",
]  # fmt: skip


class TOPOMAP_METHODS:  # noqa: N801 - as scripts call it
    """Ways to lay out units by the names that scripts know."""

    UMAP = "UMAP"
    TSNE = "tSNE"


class TOPOMAP_PLOTTING_MODES:  # noqa: N801 - as scripts call it
    """A picture for each group, or one of all."""

    SINGLE = "individually"
    ROW = "all_in_row"


def plot_topomaps(processed_corpus_path: str | Path, mode: str = "all_in_row", *, ending: str = "pdf") -> list[Path]:
    """Draw the maps of all layers: a picture for each group ("individually"), or one of all groups; says which files."""
    return _painted(topomap_pictures(processed_corpus_path, mode, ending))


def plot_instance_projections(processed_corpus_path: str | Path, *, ending: str = "pdf") -> list[Path]:
    """Draw the projections of all layers, a point for each example in the colour of its group; says which files."""
    return _painted(projection_pictures(processed_corpus_path, ending))


def _painted(pictures: Mapping[Path, View]) -> list[Path]:
    for path, view in pictures.items():
        paint(view.describe(), path)
    return list(pictures)


@dataclass(frozen=True)
class Ran:
    """One step of a run."""

    name: str
    seconds: float
    made: bool
    """False: it was up to date."""
    files: tuple[Path, ...] = ()
    """Pictures that it drew."""


KEYS: Mapping[str, Any] = {
    "model_path": None, "model_name": None, "layer_names_of_interest": None, "data_path": None, "processed_corpus_path": None,
    "use_aligned_naps": False, "align_to": "prediction", "contrastive_naps": True, "group_names_of_interest": None,
    "weight_by_group_size": False, "drop_other_groups": True, "layouting_method": None, "distribute_in_circle": True,
    "instance_projections": True, "n_batches_per_group": 1, "seed": 0,
}  # fmt: skip
"""What a configuration may say, and what is meant where it doesn't."""


def run(
    config: str | Path, *, pictures: bool = True, ending: str = "pdf", progress: bool = True,
    ignored: Callable[[str], None] = lambda _: None,
) -> Iterator[Ran]:  # fmt: skip
    """All steps of a configuration, each told when it is done; what is up to date is not made again.

    Paths are looked for from here, and from the configuration's folder and those above it. `ignored` is told about keys that
    mean nothing.
    """
    path = Path(config)
    given = _read(path, ignored)
    out = _place(path, given, "processed_corpus_path", found=False)
    anew = False
    for name, step in _steps(path, given, out, progress):
        began = time.perf_counter()
        made = step()
        anew |= made
        yield Ran(name, time.perf_counter() - began, made)
    for name, views in _drawn(out, given, ending) if pictures else ():
        began = time.perf_counter()
        missing = {path: view for path, view in views.items() if anew or not path.is_file()}
        files = tuple(_painted(missing))
        yield Ran(name, time.perf_counter() - began, bool(missing), files)


def _steps(
    path: Path, given: Mapping[str, Any], out: Path, progress: bool
) -> list[tuple[str, Callable[[], bool]]]:  # fmt: skip
    contrast = bool(given["contrastive_naps"])
    steps: list[tuple[str, Callable[[], bool]]] = []
    if given["data_path"] is not None and (given["model_path"] is not None or not (out / "acts").is_dir()):
        steps.append(("profiles", lambda: _passed(path, given, out, progress)))
    elif given["use_aligned_naps"]:
        steps.append(("alignment", lambda: align_data(out, progress=progress)))
    steps.append(("means", lambda: compute_naps(out, bool(given["use_aligned_naps"]))))
    if contrast:
        names = ("group_names_of_interest", "weight_by_group_size", "drop_other_groups")
        steps.append(("contrasts", lambda: compute_contrastive_naps(out, *(given[name] for name in names))))
    steps += [
        ("layout", lambda: compute_topomap_layout(
            out, given["layouting_method"], given["distribute_in_circle"], contrast, seed=given["seed"])),
        ("map values", lambda: compute_topomap_activations(out, contrast)),
    ]  # fmt: skip
    if given["instance_projections"]:
        steps.append(("projections", lambda: compute_instance_projections(
            out, given["group_names_of_interest"], given["n_batches_per_group"], seed=given["seed"], progress=progress)))  # fmt: skip
    return steps


def _drawn(out: Path, given: Mapping[str, Any], ending: str) -> Iterator[tuple[str, dict[Path, View]]]:
    yield "maps of all groups", topomap_pictures(out, TOPOMAP_PLOTTING_MODES.ROW, ending)
    yield "maps of each group", topomap_pictures(out, TOPOMAP_PLOTTING_MODES.SINGLE, ending)
    if given["instance_projections"]:
        yield "projected", projection_pictures(out, ending)


def _read(path: Path, ignored: Callable[[str], None]) -> dict[str, Any]:
    try:
        said = json.loads(path.read_text())
    except FileNotFoundError as error:
        raise MissingData(f"There is no configuration at {path}.") from error
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise DamagedData(f"{path} is no JSON: {error}.") from error
    if not isinstance(said, dict) or not isinstance(said.get("processed_corpus_path"), str):
        raise BadValue(
            f"{path} is no configuration: it says at least processed_corpus_path, where results go, data_path and model_path. It "
            f"may say: {listing(KEYS, 20)}."
        )
    for key in sorted(set(said) - set(KEYS)):
        ignored(f"{path.name} says {key!r}, which means nothing here.{near(key, KEYS)}")
    return {**KEYS, **said}


def _passed(path: Path, given: Mapping[str, Any], out: Path, progress: bool) -> bool:
    if given["model_path"] is None:
        name = (
            f" The weights of {given['model_name']} are downloaded by nobody here: save the model to a file."
            if given["model_name"]
            else ""
        )
        raise BadValue(f"{path} names no model_path: the model that the corpus is passed through.{name}")
    where = str(given["model_path"])
    model = load_model(where if ":" in where else _place(path, given, "model_path"))
    watched = create_model_with_layer_outputs(model, given["layer_names_of_interest"])
    data = _place(path, given, "data_path")
    aligned = bool(given["use_aligned_naps"])
    return process_corpus_file(data, watched, out, aligned=aligned, align_to=given["align_to"], progress=progress)


def _place(path: Path, given: Mapping[str, Any], key: str, *, found: bool = True) -> Path:
    """A path as it is from here; where nothing is there, from the configuration's folder or one above it."""
    place = Path(given[key])
    if place.is_absolute() or place.exists():
        return place
    for above in path.absolute().parents:
        if (above / place).exists():
            return above / place
    if found:
        raise MissingData(
            f"{path} says {key} {given[key]!r}: nothing is there, neither from here nor from {path.absolute().parent}."
        )
    return place
