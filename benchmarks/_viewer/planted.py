"""Two large runs, written to disk as any recording is: a layer of a million units; 1,000 classes, 300 layers, 500 epochs."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from nissl.core.layer import Layer
from nissl.core.store import ArraySpec, Column, Record
from nissl.stores.disk import Disk
from nissl.testing.specimens import chain

ONLY = (Column("", "first"),)
STATS = ("probe_mean", "probe_magnitude", "gradient_magnitude", "weight_update", "weight_norm")
ANSWERS = ("probe_prediction", "probe_label")


def wide(folder: Path, units: int, epochs: int) -> None:
    """One layer of so many units, what they answer to ten classes moving from one pattern to another."""
    layers, classes = chain(units, 10), tuple("0123456789")
    store = _begun(folder, layers, classes)
    specs = [_by_class("probe_class_mean", layer, classes) for layer in layers]
    store.declare(specs)
    rng = np.random.default_rng(0)
    first = {spec.key: rng.gamma(0.5, 1, spec.shape).astype(np.float32) for spec in specs}
    last = {key: rng.permuted(table, axis=0) for key, table in first.items()}
    for epoch, grown in _times(epochs):
        held = {key: (1 - grown) * table + grown * last[key] for key, table in first.items()}
        store.append(Record(epoch, {key: table.astype(np.float32) for key, table in held.items()}, _scalars(grown)))
    store.close()


def many(folder: Path, classes: int, layers: int, epochs: int, told: int = 12, units: int = 32) -> None:
    """So many of each. Responses and attribution are kept of the last `told` layers, statistics of all; confusion at every epoch."""
    names = tuple(f"class {k:04d} {('fish', 'bird', 'house', 'ship', 'cup')[k % 5]}" for k in range(classes))
    places = chain(*[units] * (layers - 1), classes)
    store, rng, probe = _begun(folder, places, names), np.random.default_rng(0), 4 * classes
    specs = [_stats(layer) for layer in places]
    specs += [_by_class("probe_class_mean", layer, names) for layer in places[-told:]]
    specs += [_by_class("attribution", layer, names) for layer in places[-told:-1]]
    whole = [
        ArraySpec("probe_confusion", ("class", "predicted"), (classes, classes), None, "int64", (Column("", "sum"),)),
        *(ArraySpec(name, ("sample",), (probe,), None, "int32", (Column(name, "first"),)) for name in ANSWERS),
        ArraySpec("samples", ("sample", "neuron"), (probe, units), places[-2].name, "float16", ONLY),
    ]
    store.declare([*specs, *whole])
    last = {spec.key: rng.gamma(0.5, 1, spec.shape).astype(np.float32) for spec in specs}
    truth = np.arange(probe, dtype=np.int32) % classes
    samples = rng.normal(0, 1, (probe, units)) + rng.normal(0, 2, (classes, units))[truth]
    for epoch, grown in _times(epochs):
        held: dict[str, Any] = {key: table * np.float32(grown) for key, table in last.items()}
        if epoch % 10 != 9:  # structures cost the most to record, and are recorded the most rarely
            held = {key: table for key, table in held.items() if not key.endswith("attribution")}
        said = np.where(rng.random(probe) < 0.1 + 0.85 * grown, truth, rng.integers(0, classes, probe)).astype(np.int32)
        counts = np.zeros((classes, classes), np.int64)
        np.add.at(counts, (truth, said), 1)
        held |= {"network/probe_confusion": counts, "network/probe_prediction": said, "network/probe_label": truth}
        held[whole[-1].key] = (samples * grown).astype(np.float16)
        store.append(Record(epoch, held, _scalars(grown)))
    store.close()


def _begun(folder: Path, layers: Sequence[Layer], classes: Sequence[str]) -> Disk:
    store = Disk(folder)
    known = {"quantities": ["Structures(examples=300)"]}
    store.create(
        {"model": "Planted", "framework": "none", "settings": known, "classes": list(classes), "layers": [asdict(x) for x in layers]}
    )  # fmt: skip
    return store


def _by_class(name: str, layer: Layer, classes: tuple[str, ...]) -> ArraySpec:
    shape = (layer.units or 0, len(classes))
    return ArraySpec(name, ("neuron", "class"), shape, layer.name, columns=ONLY, labels={"class": classes})


def _stats(layer: Layer) -> ArraySpec:
    columns = tuple(Column(name, "first") for name in STATS)
    return ArraySpec("stats", ("neuron", "stat"), (layer.units or 0, len(STATS)), layer.name, columns=columns)


def _times(epochs: int) -> Iterator[tuple[int, float]]:
    return ((epoch, (epoch + 1) / epochs) for epoch in range(epochs))


def _scalars(grown: float) -> dict[str, float]:
    return {"probe_loss": 2 - 1.5 * grown, "probe_accuracy": 0.1 + 0.85 * grown, "loss": 1.9 - 1.6 * grown, "accuracy": 0.1 + 0.88 * grown}  # fmt: skip
