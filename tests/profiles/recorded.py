"""Runs with class statistics on disk: every number is known from its epoch."""

import numpy as np

from nissl.core.store import ArraySpec, Column, Record
from nissl.stores.disk import Disk

CLASSES = ("cat", "dog", "owl")
LAYERS = {"conv/1": 70, "output": 3}


def specs(dtype="float32", layers=None):
    found = []
    for layer, units in (layers or LAYERS).items():
        stats = tuple(map(Column, ("mean", "std")))
        found.append(ArraySpec("stats", ("neuron", "stat"), (units, 2), layer, dtype, stats))
        named = {"class": CLASSES}
        found.append(ArraySpec("class_count", ("class",), (3,), layer, dtype, (Column("class_count"),), named))
        for name in ("class_mean", "class_std"):
            shape, column = (units, len(CLASSES)), (Column(name),)
            found.append(ArraySpec(name, ("neuron", "class"), shape, layer, dtype, column, named))
    return found


def values(spec, epoch):
    """From epoch 3 on owls are seen too."""
    found = np.random.default_rng([epoch, len(spec.key)]).normal(0, 5, spec.shape)
    if spec.name == "class_count":
        found = np.array([5.0, 8.0, 2.0 if epoch > 2 else 0.0])
    elif "class" in spec.dims and epoch <= 2:
        found[..., 2] = np.nan
    return found.astype(spec.dtype)


def written(path, epochs=10, dtype="float32", layers=None, block=4):
    """Closed by the caller; until then the last epochs are not sealed."""
    store, known = Disk(path, block=block), specs(dtype, layers)
    store.create({"classes": list(CLASSES)})
    store.declare(known)
    for epoch in range(epochs):
        store.append(Record(epoch, {spec.key: values(spec, epoch) for spec in known}, {"loss": 1 / (1 + epoch)}))
    return store


def whole(name, layer="conv/1", epochs=range(10), dtype="float32"):
    spec = next(spec for spec in specs(dtype) if (spec.layer, spec.name) == (layer, name))
    return np.stack([values(spec, epoch) for epoch in epochs])
