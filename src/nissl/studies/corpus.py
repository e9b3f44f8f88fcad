"""`corpus`: profiles and maps of batches in files, step by step under the names and folders that iNNtrospect gave them.

What a network says is summed in one pass, and only results are written. Every step says whether it had to be made: what is
there is kept while its source is the same, and what has an outdated source is made again. Nothing is asked, and nothing deleted.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nissl.core.fingerprint import fingerprint
from nissl.core.network import Network
from nissl.core.view import View
from nissl.errors import BadValue, MissingData, UnknownName, Unsupported, listing
from nissl.studies._corpus import averaging, drawing, folders, mapping, models, projecting, raw
from nissl.studies._corpus.models import Watched, create_model_with_layer_outputs, load_model
from nissl.studies._corpus.reading import corpus
from nissl.studies._corpus.steps import Ledger

Array = NDArray[Any]
BATCH = 128
__all__ = [
    "align_data", "compute_contrastive_naps", "compute_instance_projections", "compute_naps", "compute_topomap_activations",
    "compute_topomap_layout", "create_model_with_layer_outputs", "load_model", "process_corpus_file", "projection_pictures",
    "topomap_pictures",
]  # fmt: skip


def process_corpus_file(
    data_path: str | Path, model: Any, output_path: str | Path, *, aligned: bool | None = None, align_to: str = "prediction",
    raw_activations: bool = False, batch: int = BATCH, progress: bool = True,
) -> bool:  # fmt: skip
    """Pass the corpus of `data_path` through the model, and keep the sums of every group.

    `aligned`: sums of aligned activations (True), of activations as they are (False), or of both. `align_to`: the gradient of
    the class that an example is taken for ("prediction"), or of the output in the third column ("label").
    `raw_activations`: also write every activation and gradient, file by file.
    """
    given, out = corpus(data_path), Path(output_path)
    watched = model if isinstance(model, Watched) else create_model_with_layer_outputs(model)
    if align_to not in ("prediction", "label") or (align_to == "label" and not given.labelled):
        raise BadValue(
            f"align_to={align_to!r}: 'prediction', or 'label' where every row of corpus.csv names its output in a third column."
        )
    if aligned:
        averaging.able_to_align(watched.network)
    ledger, source = _ledger(out), f"{given.digest()} {fingerprint(watched.network)}"
    parameters = {
        "aligned": aligned, "align_to": align_to, "raw": raw_activations, "data_path": str(given.folder.absolute()),
        "model": watched.origin, "names": list(watched.names),
    }  # fmt: skip
    if ledger.current("sums", source, parameters):
        return False
    means = averaging.streamed(watched.network, watched.names, given, None, batch, progress) if not aligned else None
    if aligned or (aligned is None and _spatial(watched.network, means)):
        found = averaging.streamed(watched.network, watched.names, given, align_to, batch, progress)
        _put_means(out, "aligned", found)
    if means is not None:
        _put_means(out, "plain", means)
    folders.put_groups(out, given.files())
    if raw_activations:
        raw.written(watched.network, watched.names, given, out, align_to, progress)
    ledger.note("sums", source, parameters)
    return True


def _spatial(network: Network, means: averaging.Means | None) -> bool:
    try:
        averaging.able_to_align(network)
    except Unsupported:
        return False
    return means is None or any(table.ndim > 2 for table in means.layers.values())


def _put_means(out: Path, kind: str, means: averaging.Means) -> None:
    for number, table in enumerate(means.layers.values()):
        folders.put(out / folders.SUMS / kind / f"{folders.layer_id(number)}.npy", table.astype(np.float32))
    folders.put(out / folders.SUMS / folders.SIZES, np.asarray(means.counts).astype(np.int64))
    folders.put(out / folders.SUMS / "layers.json", list(means.layers))


def align_data(processed_corpus_path: str | Path, *, progress: bool = True) -> bool:
    """Move every example so that its most salient place lies in the middle: of activations and gradients that lie in files.

    Where the network itself was passed through, its sums are aligned already, and nothing is left to do.
    """
    out = Path(processed_corpus_path)
    ledger = _ledger(out)
    if (out / folders.SUMS / folders.ALIGNED).is_dir():
        return False
    if ledger.need("acts", "sums") == "sums":
        raise MissingData(f"{out} holds no gradients: process_corpus_file(..., aligned=True) aligns what it sums.")
    ledger.need("grads")
    if ledger.current("aligned", "acts", {}):
        return False
    averaging.align_files(out, folders.told(out / folders.BY_FILES), progress)
    ledger.note("aligned", "acts", {})
    return True


def compute_naps(processed_corpus_path: str | Path, use_aligned_acts: bool = True) -> bool:
    """The mean of every group and layer, (group, position ..., unit), and how many examples each group has.

    Layers that can't be aligned are taken as they are.
    """
    out = Path(processed_corpus_path)
    ledger = _ledger(out)
    kind = "aligned" if use_aligned_acts else "plain"
    source, parameters = ledger.need("sums", "acts"), {"use_aligned_acts": use_aligned_acts}
    if ledger.current("naps", source, parameters):
        return False
    if source == "sums":
        held = out / folders.SUMS / kind
        if not held.is_dir():
            raise MissingData(
                f"{out} holds no {kind} sums: process_corpus_file(..., aligned={use_aligned_acts}) makes them."
            )
        layers = {name: np.load(held / f"{name}.npy") for name in folders.layers(held)}
        counts = np.load(out / folders.SUMS / folders.SIZES)
    else:
        files = folders.told(out / folders.BY_FILES)
        found = averaging.of_files(out / folders.ACTS, files)
        layers, counts = dict(found.layers), found.counts
        if use_aligned_acts:
            ledger.need("aligned")
            layers |= averaging.of_files(out / folders.ALIGNED, files).layers
    for name, table in layers.items():
        folders.put(out / folders.NAPS / f"{name}.npy", table)
    folders.put(out / folders.SIZES, counts)
    ledger.note("naps", source, parameters)
    return True


def compute_contrastive_naps(
    processed_corpus_path: str | Path, group_names_of_interest: Sequence[str] | None = None, weight_by_group_size: bool = False,
    drop_other_groups: bool = True,
) -> bool:  # fmt: skip
    """How each group differs from the mean of the groups of interest, itself among them; None: of all.

    The mean is over groups, or with `weight_by_group_size` over examples. `drop_other_groups=False` also compares the others.
    """
    out = Path(processed_corpus_path)
    ledger = _ledger(out)
    ledger.need("naps")
    every, chosen = _chosen(out, group_names_of_interest)
    parameters = {
        "group_names_of_interest": None if group_names_of_interest is None else chosen,
        "weight_by_group_size": weight_by_group_size, "drop_other_groups": drop_other_groups,
    }  # fmt: skip
    if ledger.current("contrastive", "naps", parameters):
        return False
    rows = [every.index(name) for name in chosen]
    weights = np.load(out / folders.SIZES)[rows] if weight_by_group_size else np.ones(len(rows))
    kept = rows if drop_other_groups else list(range(len(every)))
    for name in folders.layers(out / folders.NAPS):
        table = np.load(out / folders.NAPS / f"{name}.npy")
        mean = np.tensordot(weights / weights.sum(), table[rows].astype(np.float64), 1)
        folders.put(out / folders.CONTRASTIVE / f"{name}.npy", (table[kept] - mean).astype(table.dtype))
    folders.put(out / folders.CONTRASTIVE / folders.NAMES, np.array([every[row] for row in kept]))
    ledger.note("contrastive", "naps", parameters)
    return True


def _chosen(out: Path, names: Sequence[str] | None) -> tuple[tuple[str, ...], list[str]]:
    """All groups, and those of interest."""
    every = folders.groups(out)
    chosen = list(every) if names is None else [str(name) for name in names]
    strange = [name for name in chosen if name not in every]
    if strange or not chosen:
        raise UnknownName(f"No group is called {listing(strange) or 'nothing'}. There are: {listing(every, 20)}.")
    return every, chosen


def compute_topomap_layout(
    processed_corpus_path: str | Path, layouting_method: str | None = None, distribute_in_circle: bool = True,
    from_contrastive_naps: bool | None = None, *, seed: int = 0,
) -> bool:  # fmt: skip
    """A place in the unit square for every unit of every layer, so that units that answer alike lie side by side.

    `layouting_method`: one of `nissl list layouts`, "UMAP" and "tSNE" too; None: the way that serves best.
    `distribute_in_circle` spreads them evenly over a disc. `from_contrastive_naps=None`: where there are any.
    """
    out = Path(processed_corpus_path)
    ledger, source = _ledger(out), _profiles(out, from_contrastive_naps)
    made, by = mapping.layouting(layouting_method, disc=distribute_in_circle)
    parameters = {
        "layouting_method": layouting_method, "distribute_in_circle": distribute_in_circle,
        "from_contrastive_naps": source == "contrastive", "seed": seed,
    }  # fmt: skip
    if ledger.current("layout", source, parameters, by):
        return False
    held = out / _FOLDER[source]
    for name in folders.layers(held):
        places = mapping.places(np.load(held / f"{name}.npy"), made, seed)
        folders.put(out / folders.MAPS / f"{name}_coordinates.npy", places)
    ledger.note("layout", source, parameters, by)
    return True


def compute_topomap_activations(processed_corpus_path: str | Path, from_contrastive_naps: bool | None = None) -> bool:
    """What each unit's place is coloured by: its mean over all positions, (group, unit)."""
    out = Path(processed_corpus_path)
    ledger, source = _ledger(out), _profiles(out, from_contrastive_naps)
    parameters = {"from_contrastive_naps": source == "contrastive"}
    if ledger.current("activations", source, parameters):
        return False
    held = out / _FOLDER[source]
    for name in folders.layers(held):
        table = np.load(held / f"{name}.npy")
        values = table.mean(tuple(range(1, table.ndim - 1)), dtype=np.float64).astype(table.dtype)
        folders.put(out / folders.MAPS / f"{name}_activations.npy", values)
    ledger.note("activations", source, parameters)
    return True


def compute_instance_projections(
    processed_corpus_path: str | Path, group_names_of_interest: Sequence[str] | None = None, n_batches_per_group: int = 1,
    *, model: Any = None, method: str = "tsne", seed: int = 0, progress: bool = True,
) -> bool:  # fmt: skip
    """Every example of some files as a point, near those that a layer answers to alike; a projection for each layer.

    `model`: what the corpus was passed through, where it was not loaded from a file and no activations were written.
    `method`: one of `nissl list layouts`.
    """
    out = Path(processed_corpus_path)
    if n_batches_per_group < 1:
        raise BadValue(
            f"n_batches_per_group={n_batches_per_group}: how many files of each group, a whole number from 1."
        )
    ledger, chosen = _ledger(out), _chosen(out, group_names_of_interest)[1]
    files = {name: folders.told(out / folders.BY_FILES)[name][:n_batches_per_group] for name in chosen}
    source = ledger.need("acts", "sums")
    parameters = {
        "group_names_of_interest": None if group_names_of_interest is None else chosen,
        "n_batches_per_group": n_batches_per_group, "method": method, "seed": seed,
    }  # fmt: skip
    if ledger.current("projections", source, parameters):
        return False
    if source == "acts":
        answers = projecting.of_files(out, files)
    else:
        answers = projecting.of_network(models.again(ledger.known("sums"), model), ledger.known("sums"), files)
    projecting.written(out, answers, method, seed, progress)
    ledger.note("projections", source, parameters)
    return True


def topomap_pictures(
    processed_corpus_path: str | Path, mode: str = "all_in_row", ending: str = "pdf"
) -> dict[Path, View]:
    """The maps of all layers, by the files that they are painted into: one for each group, or one of all groups."""
    out = Path(processed_corpus_path)
    ledger = _ledger(out)
    ledger.need("layout")
    ledger.need("activations")
    return drawing.topomaps(out, ledger.known("layout"), ledger.known("activations"), mode, ending)


def projection_pictures(processed_corpus_path: str | Path, ending: str = "pdf") -> dict[Path, View]:
    """The projections of all layers, by the files that they are painted into."""
    out = Path(processed_corpus_path)
    _ledger(out).need("projections")
    return drawing.projections(out, ending)


_FOLDER = {"naps": folders.NAPS, "contrastive": folders.CONTRASTIVE}


def _profiles(out: Path, contrastive: bool | None) -> str:
    """Which profiles a map is of, made sure to be up to date."""
    steps = {None: ("contrastive", "naps"), True: ("contrastive",), False: ("naps",)}[contrastive]
    return _ledger(out).need(*steps)


def _ledger(out: Path) -> Ledger:
    makers: Mapping[str, Any] = {
        "aligned": align_data, "naps": compute_naps, "contrastive": compute_contrastive_naps,
        "layout": compute_topomap_layout, "activations": compute_topomap_activations,
        "projections": compute_instance_projections,
    }  # fmt: skip
    return Ledger(out, makers)
