"""Structures of many shapes, made without a network."""

import numpy as np

from nissl.core.deletions import Deletions
from nissl.core.structure import Structure
from nissl.core.structures import Structures

LONG = "encoder.layers.11.intermediate.very_long_name_of_a_block.dense_projection"
SHAPES = {
    "mlp": ({"hidden_1": 64, "hidden_2": 32}, [str(k) for k in range(10)]),
    "one unit": ({"hidden": 1}, ["no", "yes"]),
    "two classes of long names": (
        {LONG: 300},
        ["a class with a very long name indeed", "another such class of things"],
    ),
    "a hundred classes": ({"conv": 256, "dense": 512}, [f"class {k}" for k in range(100)]),
    "many layers": ({f"layer{k}.conv": 16 for k in range(20)}, ["cat", "dog", "ship"]),
    "large": ({"dense": 12_000}, ["a", "b", "c"]),
}


def family(name, *, causal=True, silent=False):
    layers, classes = SHAPES[name]
    draw = np.random.default_rng(0)
    found = {}
    for number, title in enumerate(classes):
        scores = {}
        for layer, units in layers.items():
            own = np.arange(units) % len(classes) == number
            scores[layer] = np.zeros(units) if silent else draw.normal(0, 0.1, units) + own
        members = {layer: tuple(np.flatnonzero(table > 0.5).tolist()) for layer, table in scores.items()}
        means = {layer: np.zeros((units, 1)) for layer, units in layers.items()}
        recipe = {"by": "Secant(pairs=3)", "causal": causal, "metric": "logodds"}
        found[title] = Structure(title, members, scores, scores, scores, scores, means, recipe, "0123456789abcdef")
    return Structures(found)


def table(name, *, held_out=True):
    layers, classes = SHAPES[name]
    draw = np.random.default_rng(1)
    count, total = len(classes), sum(layers.values())
    accuracy = draw.uniform(0.8, 1, (count, count))
    np.fill_diagonal(accuracy, draw.uniform(0, 0.1, count))
    if count > 2:
        accuracy[0, 1] = np.nan  # a class without examples
    units = tuple(draw.integers(1, total + 1, count).tolist())
    return Deletions(tuple(classes), tuple(classes), draw.uniform(0.9, 1, count), accuracy, units, total, held_out)
