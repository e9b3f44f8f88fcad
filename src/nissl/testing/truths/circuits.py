"""Boolean circuits drawn at random and compiled into perceptrons: it is known which edges are behind every output."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from torch import nn

from nissl.errors import BadValue
from nissl.testing.truths.perceptron import perceptron
from nissl.testing.truths.truth import Array, Edge, Truth, Units

BITS, GATES, OUTPUTS, WIDTH = 8, 5, 4, 11
LAYERS = ("bits", "hidden_1", "hidden_2", "hidden_3", "output")
KINDS: Mapping[str, tuple[tuple[float, ...], tuple[float, ...]]] = {
    "and": ((1.0,), (-1.0,)),
    "or": ((1.0, -1.0), (0.0, -1.0)),
    "xor": ((1.0, -2.0), (0.0, -1.0)),
}
"""A gate is a sum of coefficient * relu(a + b + bias): the coefficients, and the biases."""


def circuits(seed: int = 0, noise: float = 0.02, examples: int = 256) -> Truth:
    """Four outputs, each a gate of three levels of AND, OR and XOR over eight random bits; outputs share gates.

    Layer `bits` hands the inputs on, so that edges from them have a name. Units that no gate needs hear the others as
    strongly as gates do, and `noise` (normal) lies on every weight, so that every unit hears all and is heard by all.
    Before there is noise, cutting any edge of an output's alone makes it wrong for some input, and cutting any other
    never does.
    """
    if noise < 0:
        raise BadValue(f"circuits(noise={noise}): noise can't be less than 0.")
    random = np.random.default_rng(seed)
    while True:
        levels = _draw(random)
        cones = [_cone(levels, output) for output in range(OUTPUTS)]
        if all(_counts(levels, output, cone) for output, cone in enumerate(cones)):
            compiled = _Compiled(levels, random)
            if all(compiled.needs(compiled.edges(output, cone), output) for output, cone in enumerate(cones)):
                break
    x = random.integers(0, 2, (examples, BITS))
    rows = (x << np.arange(BITS)).sum(1).tolist()
    tables = _tables(levels)[-1]
    y = np.array([[table >> row & 1 for table in tables] for row in rows])
    return Truth(
        compiled.model(noise, random), x.astype(np.float32), y.astype(np.float32),
        units={output: compiled.units(cone) for output, cone in enumerate(cones)},
        edges={output: compiled.edges(output, cone) for output, cone in enumerate(cones)},
        wired=tuple(pairwise(LAYERS)),
    )  # fmt: skip


@dataclass(frozen=True)
class _Gate:
    kind: str
    inputs: tuple[int, int]

    def value(self, a: int, b: int) -> int:
        return {"and": a & b, "or": a | b, "xor": a ^ b}[self.kind]


Levels = list[list[_Gate]]
Cone = list[list[int]]
"""The gates, level by level, that an output hears of; the first level is the bits."""


def _draw(random: np.random.Generator) -> Levels:
    widths = (BITS, GATES, GATES, OUTPUTS)

    def gate(before: int) -> _Gate:
        a, b = random.permutation(before)[:2]
        return _Gate(list(KINDS)[random.integers(len(KINDS))], (int(a), int(b)))

    return [[gate(before) for _ in range(now)] for before, now in pairwise(widths)]


def _cone(levels: Levels, output: int) -> Cone:
    cone = [[output]]
    for level in reversed(levels):
        cone.insert(0, sorted({source for gate in cone[0] for source in level[gate].inputs}))
    return cone


def _bits() -> list[int]:
    """By turns 2**bit noes and as many ayes."""
    return [(2**2**BITS - 1) // (2**2**bit + 1) << 2**bit for bit in range(BITS)]


def _tables(levels: Levels, forced: tuple[int, int, int] | None = None) -> list[list[int]]:
    """What every gate says, level by level, for all inputs at once: one bit of a number for each input.

    `forced`: a level, its gate, and its table instead.
    """
    found = [_bits()]
    for number in range(len(levels) + 1):
        if number:
            found.append([gate.value(*(found[-1][source] for source in gate.inputs)) for gate in levels[number - 1]])
        if forced and forced[0] == number:
            found[-1][forced[1]] = forced[2]
    return found


def _counts(levels: Levels, output: int, cone: Cone) -> bool:
    """Whether each gate and bit of the cone decides the output often enough, over all inputs, to be called a cause."""
    for level, gates in enumerate(cone):
        for gate in gates:
            off, on = (_tables(levels, (level, gate, table))[-1][output] for table in (0, 2**2**BITS - 1))
            if (off ^ on).bit_count() < 0.2 * 2**BITS:
                return False
    return True


def _every() -> Array:
    return np.arange(2**BITS)[:, None] >> np.arange(BITS) & 1


class _Compiled:
    """A place for every gate's units, and the weights between them."""

    def __init__(self, levels: Levels, random: np.random.Generator):
        self.levels = levels
        self.of: list[list[list[tuple[int, float]]]] = [[[(bit, 1.0)] for bit in range(BITS)]]
        """Level by level, gate by gate: its units and their coefficients."""
        self.weights, self.biases = [np.eye(BITS)], [np.zeros(BITS)]
        for before, level in zip((BITS, WIDTH, WIDTH), levels, strict=True):
            self._level(before, level, random)
        self.weights.append(np.zeros((OUTPUTS, WIDTH)))
        self.biases.append(np.zeros(OUTPUTS))
        for output, units in enumerate(self.of[-1]):
            for unit, coefficient in units:
                self.weights[-1][output, unit] = coefficient

    def _level(self, before: int, level: list[_Gate], random: np.random.Generator) -> None:
        weight, bias = np.zeros((WIDTH, before)), np.zeros(WIDTH)
        free, laid = list(random.permutation(WIDTH)), []
        for gate in level:
            coefficients, biases = KINDS[gate.kind]
            units = [int(free.pop()) for _ in coefficients]
            for unit, offset in zip(units, biases, strict=True):
                bias[unit] = offset
                for source, coefficient in (pair for gate_in in gate.inputs for pair in self.of[-1][gate_in]):
                    weight[unit, source] = coefficient
            laid.append(list(zip(units, coefficients, strict=True)))
        weight[free] = random.choice([-1.0, 0.0, 1.0], (len(free), before))
        self.of.append(laid)
        self.weights.append(weight)
        self.biases.append(bias)

    def model(self, noise: float, random: np.random.Generator) -> nn.Module:
        weights = [self.weights[0], *(w + random.normal(0, noise, w.shape) for w in self.weights[1:])]
        return perceptron(dict(zip(LAYERS, zip(weights, self.biases, strict=True), strict=True)))

    def needs(self, edges: frozenset[Edge], output: int) -> bool:
        """Whether the output goes wrong for some input whichever of its edges is cut."""
        layers = list(zip(self.weights, self.biases, strict=True))
        values: list[Array] = [_every()]
        for weight, bias in layers[1:]:
            values.append(np.maximum(values[-1] @ weight.T + bias, 0))
        for _, unit, later, reached in edges:
            level = LAYERS.index(later)
            cut = self.weights[level].copy()
            cut[reached, unit] = 0
            value = values[level - 1]
            for weight, bias in [(cut, self.biases[level]), *layers[level + 1 :]]:
                value = np.maximum(value @ weight.T + bias, 0)
            if (value[:, output] == values[-1][:, output]).all():
                return False
        return True

    def units(self, cone: Cone) -> Units:
        """The hidden layers' alone: all bits are inputs, and outputs are what is asked about."""
        return {
            LAYERS[level]: frozenset(unit for gate in cone[level] for unit, _ in self.of[level][gate])
            for level in (1, 2, 3)
        }

    def edges(self, output: int, cone: Cone) -> frozenset[Edge]:
        found: set[Edge] = {(LAYERS[3], unit, LAYERS[4], output) for unit, _ in self.of[3][output]}
        for level in (1, 2, 3):
            for gate in cone[level]:
                sources = [unit for i in self.levels[level - 1][gate].inputs for unit, _ in self.of[level - 1][i]]
                for unit, _ in self.of[level][gate]:
                    found |= {(LAYERS[level - 1], source, LAYERS[level], unit) for source in sources}
        return frozenset(found)
