"""Methods that look for structures, good and naive, written as plainly as can be for ReLU perceptrons: to prove truths by."""

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor, nn

Scores = dict[str, np.ndarray]
Metric = Callable[[Tensor], Tensor]


class Perceptron:
    """Alternating Linear and ReLU, run by hand in double precision."""

    def __init__(self, model: nn.Module):
        linears = {name: m for name, m in model.named_modules() if isinstance(m, nn.Linear)}
        self.weights = [m.weight.detach().double() for m in linears.values()]
        self.biases = [m.bias.detach().double() for m in linears.values()]
        self.hidden = list(linears)[:-1]

    def activations(self, x: np.ndarray) -> list[Tensor]:
        """The hidden activations, layer by layer, as leaves of the rest of the network, and what comes out."""
        value, seen = torch.as_tensor(np.asarray(x, np.float64)), []
        for weight, bias in zip(self.weights[:-1], self.biases[:-1], strict=True):
            value = torch.relu(value @ weight.T + bias)
            seen.append(value)
        return seen

    def outputs(self, x: np.ndarray) -> Tensor:
        return self.onward(self.activations(x)[-1], len(self.hidden) - 1)

    def onward(self, value: Tensor, layer: int) -> Tensor:
        """What comes out when this is a hidden layer's activation."""
        for weight, bias in zip(self.weights[layer + 1 : -1], self.biases[layer + 1 : -1], strict=True):
            value = torch.relu(value @ weight.T + bias)
        return value @ self.weights[-1].T + self.biases[-1]

    def named(self, scores: list[Tensor]) -> Scores:
        return {name: score.numpy() for name, score in zip(self.hidden, scores, strict=True)}


def logit(target: int) -> Metric:
    return lambda out: out[:, target]


def log_odds(target: int) -> Metric:
    def metric(out: Tensor) -> Tensor:
        rest = [i for i in range(out.shape[1]) if i != target]
        return out[:, target] - torch.logsumexp(out[:, rest], 1)

    return metric


def size(scores: Scores) -> Scores:
    return {name: np.abs(score) for name, score in scores.items()}


# statistics of activations and weights


def contrast(net: Perceptron, x: np.ndarray, own: np.ndarray) -> Scores:
    return net.named([a[own].mean(0) - a[~own].mean(0) for a in net.activations(x)])


def selectivity(net: Perceptron, x: np.ndarray, own: np.ndarray) -> Scores:
    pairs = [(a[own].mean(0), a[~own].mean(0)) for a in net.activations(x)]
    return net.named([(m - rest) / (m + rest + 1e-12) for m, rest in pairs])


def magnitude(net: Perceptron) -> Scores:
    ways = pairwise(net.weights)
    return net.named([before.norm(dim=1) * after.norm(dim=0) for before, after in ways])


# effects on the metric


def gradient(net: Perceptron, x: np.ndarray, metric: Metric, means: list[Tensor]) -> Scores:
    """(activation - mean) x gradient: attribution patching; with means of zero, gradient x activation."""
    found = []
    for layer, value in enumerate(net.activations(x)):
        value.requires_grad_(True)
        (slope,) = torch.autograd.grad(metric(net.onward(value, layer)).sum(), value)
        found.append(((value.detach() - means[layer]) * slope).mean(0))
    return net.named(found)


def integrated(net: Perceptron, x: np.ndarray, metric: Metric, means: list[Tensor], steps: int = 10) -> Scores:
    """Gradients averaged along the way of a layer's activation from its mean."""
    found = []
    for layer, value in enumerate(net.activations(x)):
        total = torch.zeros_like(value)
        for share in (np.arange(steps) + 0.5) / steps:
            point = (means[layer] + share * (value - means[layer])).requires_grad_(True)
            total += torch.autograd.grad(metric(net.onward(point, layer)).sum(), point)[0]
        found.append(((value - means[layer]) * total / steps).mean(0))
    return net.named(found)


def exact(net: Perceptron, x: np.ndarray, metric: Metric, means: list[Tensor]) -> Scores:
    """What is lost when one unit alone is set to its mean."""
    found = []
    for layer, value in enumerate(net.activations(x)):
        whole, score = metric(net.onward(value, layer)), torch.zeros(value.shape[1], dtype=torch.float64)
        for unit in range(value.shape[1]):
            cut = value.clone()
            cut[:, unit] = means[layer][unit]
            score[unit] = (whole - metric(net.onward(cut, layer))).mean()
        found.append(score)
    return net.named(found)


def secant(net: Perceptron, x: np.ndarray, other: np.ndarray, metric: Metric) -> Scores:
    """(value - other value) x slope, every ReLU by its chord between the two inputs and the metric by its mean slope."""
    values, others = net.activations(x), net.activations(other)
    out, out_other = net.outputs(x), net.outputs(other)
    slope = torch.zeros_like(out)
    steps = 20
    for share in (np.arange(steps) + 0.5) / steps:
        point = (out_other + share * (out - out_other)).requires_grad_(True)
        slope += torch.autograd.grad(metric(point).sum(), point)[0] / steps
    slope, found = slope @ net.weights[-1], []
    for layer in reversed(range(len(values))):
        found.append(((values[layer] - others[layer]) * slope).mean(0))
        if layer:
            z, z_other = (v[layer - 1] @ net.weights[layer].T + net.biases[layer] for v in (values, others))
            apart = (z - z_other).abs() > 1e-9
            chord = torch.where(
                apart, (values[layer] - others[layer]) / torch.where(apart, z - z_other, 1.0), (z > 0) * 1.0
            )
            slope = (slope * chord) @ net.weights[layer]
    return net.named(found[::-1])


def shapley(net: Perceptron, x: np.ndarray, other: np.ndarray, metric: Metric, orders: int, seed: int = 0) -> Scores:
    """What a unit's cut to its value for the other input costs, averaged over orders in which all units are cut."""
    others, random = net.activations(other), np.random.default_rng(seed)
    places = [(layer, unit) for layer, value in enumerate(others) for unit in range(value.shape[1])]
    found = [torch.zeros(value.shape[1], dtype=torch.float64) for value in others]
    start = torch.as_tensor(np.asarray(x, np.float64))
    for _ in range(orders):
        cut = [torch.zeros(value.shape[1], dtype=torch.bool) for value in others]
        before = metric(net.outputs(x)).mean()
        for i in random.permutation(len(places)):
            layer, unit = places[i]
            cut[layer][unit] = True
            value = start
            for at, (weight, bias) in enumerate(zip(net.weights[:-1], net.biases[:-1], strict=True)):
                value = torch.where(cut[at], others[at], torch.relu(value @ weight.T + bias))
            after = metric(net.onward(value, len(others) - 1)).mean()
            found[layer][unit] += (before - after) / orders
            before = after
    return net.named(found)


def strangers(x: np.ndarray, own: np.ndarray, seed: int = 0, times: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """The own examples, several times, and beside each one of another class."""
    random = np.random.default_rng(seed)
    mine = np.tile(np.flatnonzero(own), times)
    return x[mine], x[random.choice(np.flatnonzero(~own), len(mine))]


# edges


def edges(net: Perceptron, x: np.ndarray, target: int, fold: str) -> dict[tuple[str, str], np.ndarray]:
    """(activation - mean) x weight x gradient of an output, edge by edge: its `fold` over the examples."""
    values, out = net.activations(x), net.outputs(x)
    names, found = [*net.hidden, "output"], {}
    slope = torch.zeros_like(out)
    slope[:, target] = 1
    for layer in reversed(range(len(values))):
        away = values[layer] - values[layer].mean(0)
        each = away[:, :, None] * net.weights[layer + 1].T * slope[:, None, :]
        score = each.abs().mean(0) if fold == "mean size" else each.mean(0).abs()
        found[names[layer], names[layer + 1]] = score.numpy()
        slope = (slope @ net.weights[layer + 1]) * (values[layer] > 0)
    return found


def weights_between(net: Perceptron) -> dict[tuple[str, str], np.ndarray]:
    pairs = pairwise([*net.hidden, "output"])
    return {pair: weight.T.abs().numpy() for pair, weight in zip(pairs, net.weights[1:], strict=True)}
