"""Small networks wired by hand, of which it is known what deleting and keeping units does, and a method that is told the truth."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import nn

from nissl.core.finder import Finder

CLASSES, EACH, DECOYS = 6, 4, 30


@dataclass(frozen=True)
class Told(Finder):
    """Finds the members that it is told."""

    baselines = ("mean",)
    members: Mapping[str, Any] = field(default_factory=dict)

    def each(self, case, part):
        rows = {}
        for layer in case.layers:
            scores = np.linspace(0.01, 0, layer.units)
            scores[list(self.members.get(layer.name, ()))] += 1
            rows[layer.name] = np.tile(scores, (len(part), 1))
        return rows


@dataclass(frozen=True)
class Describing(Told):
    """The same, but only a description."""

    causal = False


def perceptron(*layers: tuple[np.ndarray, np.ndarray]) -> nn.Module:
    """Dense layers with ReLU between them."""
    found = nn.Sequential()
    for number, (weight, bias) in enumerate(layers, 1):
        dense = nn.Linear(weight.shape[1], weight.shape[0])
        dense.weight.data, dense.bias.data = torch.tensor(weight).float(), torch.tensor(bias).float()
        last = number == len(layers)
        found.add_module("output" if last else f"hidden_{number}", dense)
        if not last:
            found.add_module(f"relu_{number}", nn.ReLU())
    return found.eval()


def examples(seed: int = 0, each: int = 20, classes: int = CLASSES, noise: float = 0.05):
    """Inputs near one-hot."""
    draw = np.random.default_rng(seed)
    y = np.tile(np.arange(classes), each)
    return (np.eye(classes)[y] + draw.normal(0, noise, (len(y), classes))).astype(np.float32), y


def pathways():
    """Disjoint pathways of two layers of `EACH` units a class; beside them decoys, more active, that say nothing.

    Classes resemble one another: a class's first units also hear the class before, at .4. Without its own pathway a class
    is taken for the one behind it.
    """
    width = CLASSES * EACH + DECOYS
    own = np.concatenate([np.repeat(np.arange(CLASSES), EACH), np.arange(DECOYS) % CLASSES])
    first = np.eye(CLASSES)[own] + 0.4 * np.eye(CLASSES)[(own - 1) % CLASSES]
    first[CLASSES * EACH :] *= 1.2
    second = np.zeros((width, width))
    for unit in range(width):
        mine = np.flatnonzero((own == own[unit]) & (np.arange(width) < CLASSES * EACH))
        second[unit, mine] = (1 if unit < CLASSES * EACH else 1.2) / EACH
    out = np.zeros((CLASSES, width))
    out[own[: CLASSES * EACH], np.arange(CLASSES * EACH)] = 10 / EACH
    model = perceptron((first, np.zeros(width)), (second, np.zeros(width)), (out, np.zeros(CLASSES)))
    members = {
        c: {name: list(range(c * EACH, (c + 1) * EACH)) for name in ("hidden_1", "hidden_2")} for c in range(CLASSES)
    }
    decoys = {
        c: {
            name: [CLASSES * EACH + i for i in range(DECOYS) if i % CLASSES == c][:EACH]
            for name in ("hidden_1", "hidden_2")
        }
        for c in range(CLASSES)
    }
    return model, members, decoys


def twice():
    """Every class by two pathways of three units in `hidden_1`, either of which is enough; and decoys."""
    own = np.concatenate([np.repeat(np.arange(CLASSES), 6), np.arange(DECOYS) % CLASSES])
    width = len(own)
    ramp = np.zeros((2 * CLASSES, width))
    for c in range(CLASSES):
        ramp[[c, CLASSES + c], 6 * c : 6 * c + 6] = 2 / 3  # 2 s, where s is 2 with both pathways and 1 with one
    bias = np.concatenate([np.full(CLASSES, -1.0), np.full(CLASSES, -2.0)])
    out = 10 * np.concatenate([np.eye(CLASSES), -np.eye(CLASSES)], 1)
    model = perceptron((np.eye(CLASSES)[own], np.zeros(width)), (ramp, bias), (out, np.zeros(CLASSES)))
    return model, {c: ([6 * c, 6 * c + 1, 6 * c + 2], [6 * c + 3, 6 * c + 4, 6 * c + 5]) for c in range(CLASSES)}


def entangled():
    """Eight classes as three bits, four units each: no class has a unit of its own."""
    bits = np.arange(8)[:, None] >> np.repeat(np.arange(3), 4) & 1
    out = 10 * (2.0 * bits - 1)
    return perceptron((bits.T.astype(float), np.zeros(12)), (out, -out.sum(1) / 2))
