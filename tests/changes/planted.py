"""Runs whose every change is known: paths of units (epoch, unit, class), recorded by the public recorder or put into a store."""

import numpy as np

import nissl
from nissl.core.store import ArraySpec, Column, Record
from nissl.core.trace import Trace
from nissl.stores.memory import Memory

CLASSES = tuple("abcd")


def recorded(path, epochs=None):
    """As `nissl.record` makes it, with one example of each class an epoch."""
    units = path.shape[1]
    network = nissl.Arrays({"hidden": units})
    labels = np.arange(path.shape[2])
    with nissl.record(
        network, None, classes=CLASSES[: path.shape[2]], quantities=["activation", "profile"], progress=False,
        epoch_intervals=None if epochs is None else list(epochs),
    ) as recorder:  # fmt: skip
        for epoch in recorder.epochs(len(path) if epochs is None else max(epochs)):
            row = epoch - 1 if epochs is None else int(np.searchsorted(epochs, epoch))
            for _ in recorder.batches([(labels, labels)]):
                network.hear({"hidden": path[row].T})
    return recorder.trace


def stored(layers, epochs=None, more=None, classes=CLASSES, store=None, header=None):
    """`layers`: paths by name; `more`: {(layer, name): ((dims), array (epoch, ...))}."""
    store = store or Memory("stored")
    store.create({"classes": list(classes), "layers": [], **(header or {})})
    one = (Column("", "first"),)
    arrays = {}
    for name, path in layers.items():
        labels = {"class": tuple(classes)}
        spec = ArraySpec("probe_class_mean", ("neuron", "class"), path.shape[1:], name, columns=one, labels=labels)
        arrays[spec.key] = (spec, path)
    for (layer, name), (dims, array) in (more or {}).items():
        if dims == ("neuron",):
            spec = ArraySpec("stats", ("neuron", "stat"), (array.shape[1], 1), layer, columns=(Column(name, "first"),))
            array = array[..., None]
        else:
            spec = ArraySpec(name, dims, array.shape[1:], layer, columns=one)
        arrays[spec.key] = (spec, array)
    store.declare([spec for spec, _ in arrays.values()])
    count = len(next(iter(arrays.values()))[1])
    for place, epoch in enumerate(range(count) if epochs is None else epochs):
        held = {key: np.asarray(array[place], spec.dtype) for key, (spec, array) in arrays.items()}
        store.append(Record(epoch, held, {"loss": 1 / (1 + place)}))
    store.close()
    return Trace(store)


def motion(kind, rng, epochs, units, classes=4):
    """Paths on which nothing changes."""
    new = rng.normal(size=(epochs, units, classes))
    level = 3 * rng.normal(size=(1, units, classes))
    if kind == "walk":
        return level + 0.3 * new.cumsum(0)
    if kind == "memory":
        for at in range(1, epochs):
            new[at] += 0.6 * new[at - 1]
        return level + new
    if kind == "learning":
        time = np.arange(epochs)[:, None, None]
        return level * (1 - np.exp(-time / 5)) + 0.05 * new
    if kind == "line":
        return level * np.arange(epochs)[:, None, None] / epochs + new
    return level + new


def shifted(path, units, at, by, rng):
    """From this epoch's place on these units lie elsewhere, by `by` in root mean square."""
    found = path.copy()
    way = rng.normal(size=(len(units), path.shape[2]))
    found[at:, units] += by * way / np.sqrt((way**2).mean(1, keepdims=True))
    return found
