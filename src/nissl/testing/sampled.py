"""A small trace that kept the probe example by example, made without a network: `sampled()`."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from nissl.core.layer import Layer
from nissl.core.store import ArraySpec, Column, Record
from nissl.core.trace import Trace
from nissl.data.digits import Digits
from nissl.stores.memory import Memory
from nissl.testing.specimens import ONLY, chain

CLASSES = 10


def sampled(
    widths: Sequence[int] = (12, 8, 10), epochs: Sequence[int] = (0, 1, 2, 5), *, config: bool = True, bad: int | None = None
) -> Trace:  # fmt: skip
    """Digits shown to a perceptron: each class drives its own units, from epoch to epoch more clearly.

    `config`: the header says which data they are; `bad`: an epoch at which a value of the first layer is not-a-number.
    """
    rng = np.random.default_rng(3)
    labels = Digits().load().test.y
    layers = chain(*widths)
    store = Memory("sampled")
    head: dict[str, Any] = {"model": "Sampled", "framework": "none", "settings": {"quantities": []}}
    if config:
        head["config"] = {"data": {"name": "Digits", "test_share": 0.2}}
    names = [str(k) for k in range(CLASSES)]
    store.create(head | {"classes": names, "layers": [asdict(layer) for layer in layers]})
    store.declare([spec for layer in layers for spec in _specs(layer, len(labels))] + _answers(len(labels)))
    drives = {layer.name: rng.gamma(0.5, 1.0, (CLASSES, layer.units or 0)) for layer in layers[:-1]}
    drives[layers[-1].name] = 3.0 * np.eye(CLASSES)
    noise = {layer.name: rng.normal(size=(len(labels), layer.units or 0)) for layer in layers}
    for place, epoch in enumerate(epochs):
        grown = (place + 1) / len(epochs)
        held: dict[str, Any] = {}
        for layer in layers:
            values = grown * drives[layer.name][labels] + (2.1 - grown) * noise[layer.name]
            if layer is not layers[-1]:
                values = np.maximum(values, 0)
            held |= _heard(layer.name, values, labels)
        if epoch == bad:
            held[f"layers/{layers[0].name}/samples"][4, 2] = np.nan
        said = held[f"layers/{layers[-1].name}/samples"].argmax(1)
        counts = np.zeros((CLASSES, CLASSES), np.int64)
        np.add.at(counts, (labels, said), 1)
        held |= {"network/probe_confusion": counts, "network/probe_prediction": said, "network/probe_label": labels}
        right = float((said == labels).mean())
        store.append(Record(epoch, _typed(store, held), {"probe_loss": 2 - 1.5 * grown, "probe_accuracy": right}))
    store.close()
    return Trace(store)


def _heard(layer: str, values: Any, labels: Any) -> dict[str, Any]:
    means = np.stack([values[labels == k].mean(0) for k in range(CLASSES)], 1)
    told = {"probe_class_mean": means, "stats": values.mean(0)[:, None], "samples": values.astype(np.float16)}
    return {f"layers/{layer}/{name}": table for name, table in told.items()}


def _typed(store: Memory, held: dict[str, Any]) -> dict[str, Any]:
    return {key: np.asarray(value).astype(store.specs[key].dtype) for key, value in held.items()}


def _specs(layer: Layer, count: int) -> list[ArraySpec]:
    units = layer.units or 0
    labels = {"class": tuple(str(k) for k in range(CLASSES))}
    mean = (Column("probe_mean", "first"),)
    return [
        ArraySpec("stats", ("neuron", "stat"), (units, 1), layer.name, columns=mean),
        ArraySpec("probe_class_mean", ("neuron", "class"), (units, CLASSES), layer.name, columns=ONLY, labels=labels),
        ArraySpec("samples", ("sample", "neuron"), (count, units), layer.name, columns=ONLY, dtype="float16"),
    ]


def _answers(count: int) -> list[ArraySpec]:
    summed = (Column("confusion", "sum"),)
    answers = [
        ArraySpec(name, ("sample",), (count,), columns=(Column(name, "first"),), dtype="int32")
        for name in ("probe_prediction", "probe_label")
    ]
    return [
        ArraySpec("probe_confusion", ("class", "predicted"), (CLASSES, CLASSES), dtype="int64", columns=summed),
        *answers,
    ]
