"""Small traces of every shape that a view may meet, made without a network: `specimen("binary")`."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nissl.core.layer import Layer
from nissl.core.store import ArraySpec, Column, Record
from nissl.core.trace import Trace
from nissl.stores.memory import Memory

ONLY = (Column("", "first"),)
LONG = "encoder.layers.11.intermediate.very_long_name_of_a_block.dense_projection"


def dense(name: str, units: int, before: Layer | None = None, *, fan: int = 8, bends: str | None = "ReLU") -> Layer:
    """A dense layer on `fan` inputs, or on the layer before it."""
    fan = before.units or 0 if before else fan
    return Layer(
        name, "dense", units, parameters={"weight": (units, fan)}, nonlinearity=bends, inputs=(before.name,) if before else ()
    )  # fmt: skip


def conv(name: str, units: int, before: Layer | None = None, *, groups: int = 1) -> Layer:
    """A convolution of 3 x 3 kernels."""
    shape = (units, (before.units or 0) // groups if before else 1, 3, 3)
    inputs = (before.name,) if before else ()
    return Layer(
        name, "conv", units, 1, unit="channel", parameters={"weight": shape}, nonlinearity="ReLU", inputs=inputs
    )


def chain(*widths: int, bends: str | None = None) -> list[Layer]:
    """A perceptron: hidden_1, hidden_2 ... output."""
    layers: list[Layer] = []
    for number, units in enumerate(widths, 1):
        last = number == len(widths)
        name = "output" if last else f"hidden_{number}"
        layers.append(dense(name, units, layers[-1] if layers else None, bends=bends if last else "ReLU"))
    return layers


def network() -> list[Layer]:
    """Convolutions, one of them in groups, a dense layer on their flattened channels, and outputs."""
    first = conv("features.conv1", 8)
    second = conv("features.conv2", 16, first)
    third = conv("features.conv3", 16, second, groups=4)
    flat = Layer("dense", "dense", 24, parameters={"weight": (24, 64)}, nonlinearity="ReLU", inputs=(third.name,))
    return [first, second, third, flat, dense("output", 10, flat, bends=None)]


def residual(blocks: int) -> list[Layer]:
    """A deep network in which every layer also hears the one before the last."""
    layers = [conv("stem", 8)]
    for number in range(blocks):
        layer = conv(f"block{number}.conv", 8, layers[-1])
        layers.append(Layer(**vars(layer) | {"inputs": tuple(x.name for x in layers[-2:])}))
    return [*layers, dense("fc", 10, layers[-1], bends=None)]


def trace(
    layers: Sequence[Layer], classes: Sequence[str] = tuple("0123456789"), epochs: Sequence[int] = (0, 1, 2, 5), *,
    weights: bool = True, unheard: Sequence[int] = (), several: bool = False, judged: bool = True, silent: bool = False,
    followed: Sequence[int] = (),
) -> Trace:  # fmt: skip
    """A trace with random but plausible contents; epoch 0 is heard on the probe only.

    `unheard`: classes without an example; `several`: labels that may be true at once; `silent`: no unit ever answers;
    `followed`: the epochs at which attribution was taken of all layers but the last.
    """
    rng = np.random.default_rng(7)
    store = Memory("specimen")
    settings = {"quantities": ["Structures(examples=300)"] if followed else []}
    head = {"model": "Specimen", "framework": "none", "settings": settings}
    store.create(head | {"classes": list(classes), "layers": [asdict(x) for x in layers]})
    arrays = {x.name: _arrays(rng, x, len(classes), weights=weights, unheard=unheard, silent=silent) for x in layers}
    for layer in layers[:-1] if followed else ():
        arrays[layer.name]["attribution"] = _added(layer.units or 0, len(classes), unheard, silent=silent)
    known = [spec for layer in layers for spec in _specs(layer, tuple(classes), arrays[layer.name])]
    shape = (len(classes), 2, 2) if several else (len(classes),) * 2
    dims = ("class", "true", "predicted") if several else ("class", "predicted")
    counts = ArraySpec("probe_confusion", dims, shape, dtype="int64", columns=(Column("confusion", "sum"),))
    store.declare([*known, counts] if classes and judged else known)
    for place, epoch in enumerate(epochs):
        grown = (place + 1) / len(epochs)
        then = [spec for spec in known if spec.name != "attribution" or epoch in followed]
        held: dict[str, Any] = {spec.key: _then(spec, arrays[str(spec.layer)][spec.name], grown) for spec in then}
        if classes and judged:
            held["network/probe_confusion"] = _confusion(rng, shape, grown, unheard)
        scalars = {"probe_loss": 2 - 1.5 * grown, "probe_accuracy": 0.1 + 0.85 * grown} if judged else {}
        scalars |= {"loss": 1.9 - 1.6 * grown, "accuracy": 0.1 + 0.88 * grown} if judged and epoch else {}
        store.append(Record(epoch, held, scalars))
    store.close()
    return Trace(store)


def _arrays(
    rng: np.random.Generator, layer: Layer, classes: int, *, weights: bool, unheard: Sequence[int], silent: bool
) -> dict[str, NDArray[np.float64]]:
    units = layer.units or 0
    level = rng.gamma(0.6, 1.0, (units, 1)) * (0.0 if silent else 1.0)
    mean = level * rng.gamma(0.5, 1.0, (units, max(classes, 1)))
    mean[rng.random(units) < 0.1] = 0.0
    mean[:, list(unheard)] = np.nan
    found = {"stats": np.nan_to_num(mean).mean(1, keepdims=True)}
    if classes:
        found |= {"probe_class_mean": mean, "probe_class_std": 0.5 * mean + 0.1}
    if weights:
        shape = layer.parameters["weight"]
        found["weight"] = rng.normal(size=(units, int(np.prod(shape[1:])))) / np.sqrt(np.prod(shape[1:]))
    return found


def _specs(layer: Layer, classes: tuple[str, ...], arrays: dict[str, Any]) -> list[ArraySpec]:
    labels = {"class": classes}
    specs = [
        ArraySpec(
            "stats", ("neuron", "stat"), (layer.units or 0, 1), layer.name, columns=(Column("probe_mean", "first"),)
        )
    ]
    for name in [name for name in arrays if name != "stats"]:
        dims = ("neuron", "input") if name == "weight" else ("neuron", "class")
        specs.append(
            ArraySpec(
                name, dims, arrays[name].shape, layer.name, columns=ONLY, labels={} if name == "weight" else labels
            )
        )
    return specs


def _added(units: int, classes: int, unheard: Sequence[int], *, silent: bool) -> NDArray[np.float64]:
    """What each unit adds to each class: a class's own units, some that many share, some that only take away."""
    rng = np.random.default_rng(units)
    table = rng.normal(0, 0.05, (units, classes))
    table[range(units), rng.integers(0, classes, units)] += rng.gamma(0.7, 1.0, units)
    table += np.where(rng.random((units, 1)) < 0.2, rng.gamma(2.0, 0.2, (units, 1)), 0.0)
    table[rng.random(units) < 0.1] *= -1
    table[:, list(unheard)] = np.nan
    return -np.abs(table) if silent else table


def _then(spec: ArraySpec, last: NDArray[np.float64], grown: float) -> NDArray[Any]:
    """Weaker than at the last epoch; what adds to a class was also partly something else."""
    if spec.name == "attribution" and grown < 1:
        last = grown * last + (1 - grown) * np.roll(last, 1, 0)
    return (last * grown).astype(spec.dtype)


def _confusion(
    rng: np.random.Generator, shape: tuple[int, ...], grown: float, unheard: Sequence[int]
) -> NDArray[np.int64]:
    counts = rng.poisson(3 * (1.2 - grown), shape)
    counts[..., range(shape[-1]), range(shape[-1])] += int(40 * grown)
    counts[list(unheard)] = 0
    return counts.astype(np.int64)


SPECIMENS = {
    "mlp": lambda: trace(chain(64, 32, 10)),
    "cnn": lambda: trace(network()),
    "binary": lambda: trace(chain(10, 10, 10, 1, bends="Sigmoid"), ("negative", "positive"), range(12)),
    "one epoch": lambda: trace(chain(16, 10), epochs=(3,)),
    "one unit": lambda: trace(chain(1, 1, 2), ("no", "yes")),
    "one layer": lambda: trace(chain(10)),
    "no weights": lambda: trace(chain(64, 32, 10), weights=False),
    "no classes": lambda: trace(chain(64, 32, 10), (), judged=False),
    "unheard classes": lambda: trace(chain(64, 32, 10), unheard=(0, 7)),
    "silent": lambda: trace(chain(30, 20, 10), silent=True),
    "unjudged": lambda: trace(chain(64, 32, 10), judged=False),
    "several labels": lambda: trace(chain(32, 5), ("sky", "sea", "boat", "harbour at night", "man"), several=True),
    "bins": lambda: trace(chain(32, 1), ("< 0.25", "[0.25, 0.5)", ">= 0.5")),
    "many classes": lambda: trace(chain(64, 100), [f"class number {i}" for i in range(100)], range(3)),
    "twelve classes": lambda: trace(chain(64, 12), [f"species {i}" for i in range(12)], range(3)),
    "wide": lambda: trace(chain(5000, 40, 10), epochs=(0, 1)),
    "deep": lambda: trace(residual(18)),
    "long names": lambda: trace(
        [dense(LONG + "_in", 20), dense(LONG, 10, dense(LONG + "_in", 20), bends=None)],
        [f"{word} of the northern hemisphere in autumn" for word in "abcdefghij"],
    ),
    "many epochs": lambda: trace(chain(12, 10), epochs=range(0, 900, 3)),
    "followed": lambda: trace(chain(64, 32, 10), followed=(0, 1, 2, 5)),
    "followed cnn": lambda: trace(network(), epochs=range(7), followed=range(7)),
    "followed binary": lambda: trace(
        chain(10, 10, 1, bends="Sigmoid"), ("negative", "positive"), range(12), followed=range(12)
    ),
    "followed at last": lambda: trace(chain(16, 10), epochs=(3, 4, 5), followed=(5,)),
    "followed one unit": lambda: trace(chain(1, 2), ("no", "yes"), (1, 2), followed=(1, 2), weights=False),
    "followed unheard": lambda: trace(chain(64, 32, 10), unheard=(0, 7), followed=(0, 1, 2, 5)),
    "followed silent": lambda: trace(chain(30, 10), silent=True, followed=(0, 1, 2, 5)),
    "followed unjudged": lambda: trace(chain(64, 32, 10), judged=False, followed=(0, 1, 2, 5)),
    "followed many classes": lambda: trace(
        chain(400, 100), [f"class number {i}" for i in range(100)], range(8), followed=range(8)
    ),
    "followed long": lambda: trace(
        [dense(LONG + "_in", 20), dense(LONG, 3, dense(LONG + "_in", 20), bends=None)],
        [f"{word} of the northern hemisphere in autumn" for word in "abc"], range(0, 900, 3), followed=range(0, 900, 3),
    ),
}  # fmt: skip
"""Each by what is special about it."""


def specimen(name: str) -> Trace:
    """One of SPECIMENS, made afresh."""
    return SPECIMENS[name]()
