"""Single examples of a corpus as points."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nissl.core.features import Scale
from nissl.core.layout import layout, principal
from nissl.core.moments import Moment, Samples
from nissl.core.network import Network
from nissl.core.progress import progress as shown
from nissl.core.projection import Frame, Projection, projection
from nissl.studies._corpus import folders
from nissl.studies._corpus.reading import corpus, loaded

Array = NDArray[Any]
Answers = list[tuple[str, Array, Array]]
"""By layer: its number's name, (example, feature), and each example's group."""
FLAT, OF, POINTS = "_features.npy", "_inst_group_names.npy", "_projection.npy"
"""What points were placed by (their principal components, not all activations over again), their groups, and where they are."""


def of_files(out: Path, files: Mapping[str, Sequence[str]]) -> Answers:
    """From activations that lie in files; the last layer's, which are the outputs, too."""
    found = []
    for name in folders.layers(out / folders.ACTS):
        parts = [(group, loaded(out / folders.ACTS / name / file)) for group, some in files.items() for file in some]
        found.append((name, _flat([part for _, part in parts]), _groups(parts)))
    return found


def of_network(network: Network, told: Mapping[str, Any], files: Mapping[str, Sequence[str]]) -> Answers:
    """By passing these files' examples once more."""
    given = corpus(told["data_path"])
    rows = {row.file: row for row in given.rows}
    parts = [
        (group, loaded(given.folder / file, f"row {rows[file].number}"))
        for group, some in files.items()
        for file in some
    ]
    seen: dict[str, list[Array]] = {"input": [x for _, x in parts]}
    for _, x in parts:
        for name, value in network.probe(x, list(told["names"])).items():
            axis = network.layer(name).batch_axis
            seen.setdefault(name, []).append(value if axis == 0 else value.swapaxes(0, axis))
    return [(folders.layer_id(k), _flat(values), _groups(parts)) for k, values in enumerate(seen.values())]


def _flat(parts: Sequence[Array]) -> Array:
    whole = np.concatenate(list(parts))
    return whole.reshape(len(whole), -1)


def _groups(parts: Sequence[tuple[str, Array]]) -> Array:
    return np.concatenate([np.full(len(part), group) for group, part in parts])


def written(out: Path, answers: Answers, method: str, seed: int, progress: bool) -> None:
    with shown("projections", progress) as tick:
        for number, (name, flat, groups) in enumerate(answers, 1):
            classes, numbers = np.unique(groups, return_inverse=True)
            made = projection(flat, labels=numbers, classes=classes.tolist(), by=method, seed=seed, progress=False)
            folders.put(out / folders.POINTS / f"{name}{FLAT}", principal(made.features).astype(np.float32))
            folders.put(out / folders.POINTS / f"{name}{OF}", groups)
            folders.put(out / folders.POINTS / f"{name}{POINTS}", np.asarray(made.positions))
            tick(number / len(answers))


def read(out: Path) -> Iterator[tuple[str, Array, Array, Array]]:
    """By layer: its name, features, groups, points."""
    for path in sorted((out / folders.POINTS).glob(f"*{POINTS}")):
        name = path.name.removesuffix(POINTS)
        yield name, np.load(path.with_name(name + FLAT)), np.load(path.with_name(name + OF)), np.load(path)


def drawn(layer: str, flat: Array, groups: Array, points: Array) -> Projection:
    """What was written, as it was made."""
    classes, numbers = np.unique(groups, return_inverse=True)
    frame = Frame(Moment("", flat), Scale.fitted(flat), flat, points)
    return Projection(Samples(layer, numbers, tuple(map(str, classes))), (frame,), layout("tsne", {}), 0)
