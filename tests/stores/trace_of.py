"""Runs for the tests of the disk: what each epoch holds is known from its number."""

import time

import numpy as np

from nissl.core.store import ArraySpec, Column, Record
from nissl.stores.disk import Disk

STATS = ArraySpec(
    "stats", ("neuron", "stat"), (300, 4), "hidden_1", columns=tuple(Column(f"s{i}") for i in range(4)), labels={}
)
PROFILE = ArraySpec("class_mean", ("neuron", "class"), (300, 3), "hidden_1", labels={"class": ("cat", "dog", "owl")})
WEIGHT = ArraySpec("weight", ("neuron", "input"), (8, 300), "output")
CONFUSION = ArraySpec("confusion", ("class", "predicted"), (3, 3), dtype="int64", columns=(Column("c", "sum"),))
SPECS = (STATS, PROFILE, WEIGHT, CONFUSION)
KEYS = tuple(spec.key for spec in SPECS)


def values(epoch):
    rng = np.random.default_rng(epoch)
    return {spec.key: rng.normal(0, 9, spec.shape).astype(spec.dtype) for spec in SPECS}


def begun(path, epochs=0, made=Disk, **options):
    store = made(path, **options)
    store.create({"classes": ["cat", "dog", "owl"]})
    store.declare(SPECS)
    for epoch in range(epochs):
        append(store, epoch)
    return store


def append(store, epoch, **more):
    return store.append(Record(epoch, values(epoch), {"loss": 1 / (1 + epoch)}, **more))


def whole(store, epochs, keys=KEYS):
    """Everything of these epochs is there, to the last bit, and no other epoch is."""
    assert [entry.epoch for entry in store.entries()] == list(epochs)
    for key in keys:
        expected = np.stack([values(epoch)[key] for epoch in epochs]) if epochs else None
        assert not len(epochs) or np.array_equal(store.read(key, epochs), expected), key
    return True


def until(true, seconds=20.0):
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.005)
