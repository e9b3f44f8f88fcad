"""A network wired by hand: disjoint pathways, and beside them whatever is known to mislead the search for pathways."""

from collections import defaultdict
from itertools import pairwise

import numpy as np
from torch import nn

from nissl.testing.truths.perceptron import perceptron
from nissl.testing.truths.truth import Array, Truth, Units

CLASSES, FEATURES, NOISE = 6, 4, 8
LAYERS = ("hidden_1", "hidden_2", "hidden_3")
WIDTH = 56
BREAKS = {
    "decoys": ("contrast", "selectivity"),
    "dormant": ("magnitude",),
    "constant": ("gradient x activation from zero",),
    "saturated": ("attribution patching", "exact ablation", "integrated gradients from the mean"),
    "redundant": ("attribution patching", "exact ablation"),
    "inhibitory": ("signed ranking",),
}


def traps(seed: int = 0, examples: int = 40) -> Truth:
    """Six classes, three hidden ReLU layers of 56 units, and `examples` inputs of each class.

    Classes 0 and 1 have plain pathways. Those of 2 and 3 pass a gate min(1.5, x) whose x is far beyond the bound, even
    at the mean of all inputs; those of 4 and 5 a gate min(1, a + b) to which either input suffices. Every class has
    inhibitory members. Decoys are active and more selective than any member, but nothing hears them; dormant units
    have the largest weights and are never on; constant units are always on and add as much to every class.
    """
    wiring = _Wiring(np.random.default_rng([seed, 1]))
    for label in range(CLASSES):
        if label < 2:
            wiring.plain(label)
        elif label < 4:
            wiring.gated(label, "saturated", gain=10.0, bound=1.5)
        else:
            wiring.gated(label, "redundant", gain=1.6, bound=1.0)
        wiring.decoys(label)
    wiring.constants()
    wiring.dormant()
    x, y = _inputs(np.random.default_rng([seed, 2]), examples)
    units = {label: wiring.named(f"class {label}") for label in range(CLASSES)}
    return Truth(wiring.model(), x, y, units, {name: wiring.named(name) for name in BREAKS}, BREAKS)


def _inputs(random: np.random.Generator, examples: int) -> tuple[Array, Array]:
    y = np.arange(CLASSES * examples) % CLASSES
    x = random.uniform(0, 0.3, (len(y), CLASSES * FEATURES))
    on = np.arange(CLASSES * FEATURES) // FEATURES == y[:, None]
    x = np.where(on, random.uniform(1.0, 1.4, x.shape), x)
    return np.concatenate([x, random.uniform(0, 1, (len(y), NOISE))], 1).astype(np.float32), y


class _Wiring:
    """Weights as they are laid, and which units were laid for what; where a unit lies in its layer is drawn at random."""

    def __init__(self, random: np.random.Generator):
        self.random = random
        widths = (CLASSES * FEATURES + NOISE, WIDTH, WIDTH, WIDTH, CLASSES)
        self.weights = [np.zeros((after, before)) for before, after in pairwise(widths)]
        self.biases = [np.zeros(width) for width in widths[1:]]
        self.free = [list(random.permutation(WIDTH)) for _ in LAYERS]
        self.laid: dict[str, set[tuple[int, int]]] = defaultdict(set)

    def unit(self, layer: int, inputs: dict[int, float], bias: float, *names: str) -> int:
        """A new unit of this layer that hears these units of the one before."""
        unit = int(self.free[layer].pop())
        for source, weight in inputs.items():
            self.weights[layer][unit, source] = weight
        self.biases[layer][unit] = bias
        for name in names:
            self.laid[name].add((layer, unit))
        return unit

    def gain(self) -> float:
        return float(self.random.uniform(0.8, 1.25))

    def plain(self, label: int) -> None:
        """Three detectors, mixed twice in pairs, and a chain that holds the class back."""
        name = f"class {label}"
        before = [self.detector(label, feature, self.gain(), name) for feature in range(3)]
        for layer in (1, 2):
            pairs = [(before[i], before[i - 1]) for i in range(3)]
            before = [self.unit(layer, {a: 0.6 * self.gain(), b: 0.6 * self.gain()}, 0.02, name) for a, b in pairs]
        self.ends(label, before)

    def gated(self, label: int, trap: str, gain: float, bound: float) -> None:
        """Two detectors meet in min(bound, their sum), built of two ReLUs; a third goes beside them."""
        name = f"class {label}"
        pair = [self.detector(label, feature, gain * self.gain(), name, trap) for feature in range(2)]
        third = self.detector(label, 2, self.gain(), name)
        both = dict.fromkeys(pair, 1.0)
        rises = self.unit(1, both, 0.0, name)
        holds = self.unit(1, both, -bound, name, "inhibitory")
        beside = self.unit(1, {third: self.gain()}, 0.02, name)
        ends = [
            self.unit(2, {rises: 1.0, holds: -1.0}, 0.02, name),
            self.unit(2, {rises: 0.5, holds: -0.5, beside: 0.5}, 0.02, name),
            self.unit(2, {beside: self.gain()}, 0.02, name),
        ]
        self.ends(label, ends)

    def detector(self, label: int, feature: int, gain: float, *names: str) -> int:
        return self.unit(0, {label * FEATURES + feature: gain}, -0.25 * gain, *names)

    def ends(self, label: int, ends: list[int]) -> None:
        """What speaks for the class, and a chain of one unit a layer that speaks against it."""
        name = f"class {label}"
        brake = self.detector(label, 3, self.gain(), name, "inhibitory")
        for layer in (1, 2):
            brake = self.unit(layer, {brake: self.gain()}, 0.02, name, "inhibitory")
        for unit in ends:
            self.weights[3][label, unit] = self.gain()
        self.weights[3][label, brake] = -0.5 * self.gain()

    def decoys(self, label: int) -> None:
        """Strong, and silent for every other class; only dormant units hear them."""
        before = [label * FEATURES + feature for feature in range(3)]
        for layer in range(3):
            scale = 3.0 if layer == 0 else 1.0
            bias = -0.6 * scale if layer == 0 else 0.0
            before = [self.unit(layer, {unit: scale * self.gain()}, bias, "decoys") for unit in before]

    def constants(self) -> None:
        before: list[int] = []
        for layer in range(3):
            inputs = dict.fromkeys(before, 0.1)
            before = [self.unit(layer, inputs, float(self.random.uniform(4, 6)), "constant") for _ in range(6)]
        self.weights[3][:, before] = 0.5

    def dormant(self) -> None:
        """All that is left."""
        for layer, free in enumerate(self.free):
            units = [self.unit(layer, {}, -1e5, "dormant") for _ in range(len(free))]
            self.weights[layer][units] = self.random.normal(0, 20, self.weights[layer][units].shape)
            self.weights[layer + 1][:, units] = self.random.normal(0, 20, self.weights[layer + 1][:, units].shape)

    def named(self, name: str) -> Units:
        return {layer: frozenset(u for at, u in self.laid[name] if at == i) for i, layer in enumerate(LAYERS)}

    def model(self) -> nn.Module:
        return perceptron(dict(zip((*LAYERS, "output"), zip(self.weights, self.biases, strict=True), strict=True)))
