"""A real training run to measure storage with: a numpy network on scikit-learn's digits, its statistics by epoch."""

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
STATS = ("count", "mean", "std", "min", "max", "active", "magnitude", "weight_norm", "weight_mean", "bias", "update")


def epochs(number: int, widths: tuple[int, ...] = (512, 256, 128), seed: int = 0) -> Iterator[dict[str, Array]]:
    """Train and yield, after each epoch, (neuron, stat) and (neuron, class) arrays of every layer, by trace key."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    x, y = (digits.data / 16).astype(np.float32), digits.target
    net = _Network((x.shape[1], *widths, 10), np.random.default_rng(seed))
    for _ in range(number):
        before = [w.copy() for w in net.weights]
        heard: list[list[Array]] = [[] for _ in net.weights]
        order = net.rng.permutation(len(x))
        for batch in np.array_split(order, len(x) // 64):
            for layer, value in enumerate(net.step(x[batch], y[batch])):
                heard[layer].append(value)
        yield _arrays(net, before, [np.concatenate(h) for h in heard], y[order])


def _arrays(net: "_Network", before: list[Array], heard: list[Array], labels: Array) -> dict[str, Array]:
    found = {}
    for k, (value, weight, old) in enumerate(zip(heard, net.weights, before, strict=True)):
        stats = [np.full(value.shape[1], len(value)), value.mean(0), value.std(0), value.min(0), value.max(0)]
        stats += [(value > 0).mean(0), np.abs(value).mean(0), np.linalg.norm(weight, axis=0), weight.mean(0)]
        stats += [net.biases[k], np.linalg.norm(weight - old, axis=0)]
        found[f"layers/dense_{k + 1}/stats"] = np.stack(stats, 1).astype(np.float32)
        means = [value[labels == c].mean(0) for c in range(10)]
        found[f"layers/dense_{k + 1}/class_mean"] = np.stack(means, 1).astype(np.float32)
    return found


class _Network:
    """Dense layers with ReLU, softmax cross-entropy, Adam."""

    def __init__(self, sizes: tuple[int, ...], rng: np.random.Generator):
        self.rng, self.time = rng, 0
        pairs = list(itertools.pairwise(sizes))
        self.weights = [rng.standard_normal((a, b), np.float32) * np.float32(np.sqrt(2 / a)) for a, b in pairs]
        self.biases = [np.zeros(b, np.float32) for _, b in pairs]
        self.moments = [(np.zeros_like(p), np.zeros_like(p)) for p in (*self.weights, *self.biases)]

    def step(self, x: Array, y: Array) -> list[Array]:
        values = [x]
        for k, (w, b) in enumerate(zip(self.weights, self.biases, strict=True)):
            value = values[-1] @ w + b
            values.append(value if k == len(self.weights) - 1 else np.maximum(value, 0))
        chance = np.exp(values[-1] - values[-1].max(1, keepdims=True))
        chance /= chance.sum(1, keepdims=True)
        chance[np.arange(len(y)), y] -= 1
        self._descend(values, chance / len(y))
        return values[1:]

    def _descend(self, values: list[Array], error: Array) -> None:
        gradients: list[tuple[Array, Array]] = []
        for k in reversed(range(len(self.weights))):
            gradients.insert(0, (values[k].T @ error, error.sum(0)))
            error = (error @ self.weights[k].T) * (values[k] > 0)
        self.time += 1
        flat = [g for g, _ in gradients] + [g for _, g in gradients]
        for parameter, gradient, (m, v) in zip((*self.weights, *self.biases), flat, self.moments, strict=True):
            m += 0.1 * (gradient - m)
            v += 0.001 * (gradient * gradient - v)
            rate = 1e-3 * np.sqrt(1 - 0.999**self.time) / (1 - 0.9**self.time)
            parameter -= (rate * m / (np.sqrt(v) + 1e-8)).astype(np.float32)


def rounded(values: Array, bits: int = 10) -> Array:
    """Float32 with so many bits of mantissa, the rest zero (round half up), so that compression has less to keep."""
    drop = 23 - bits
    raw = np.ascontiguousarray(values, np.float32).view(np.uint32)
    return ((raw + np.uint32(1 << (drop - 1))) & np.uint32(~((1 << drop) - 1) & 0xFFFFFFFF)).view(np.float32)
