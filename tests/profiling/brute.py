"""What profiles are, spelled out one example and one place at a time; and networks to make them of."""

import numpy as np
import torch
from torch import nn

from nissl.core.network import network

CLASSES = 4
X = np.random.default_rng(0).normal(size=(60, 1, 12, 10)).astype(np.float32)
Y = np.random.default_rng(1).integers(0, CLASSES, 60)


def cnn():
    """Two maps, not square, and outputs; most of its answers are wrong."""
    torch.manual_seed(3)
    return nn.Sequential(
        nn.Conv2d(1, 6, 3, 2), nn.ReLU(), nn.Conv2d(6, 5, 3), nn.ReLU(), nn.Flatten(), nn.Linear(30, CLASSES)
    ).eval()


def answers(model, x=X):
    with torch.no_grad():
        return model(torch.from_numpy(x)).argmax(1).numpy()


def values(model, x=X):
    """By layer, example first, in float64."""
    return {name: value.astype(np.float64) for name, value in network(model).probe(x).items()}


def slopes(model, which, x=X):
    """Of each example's class, by layer, one example at a time."""
    found = {}
    for example, k in zip(torch.from_numpy(x), which, strict=True):
        first = model[1](model[0](example[None])).detach().requires_grad_()
        second = model[3](model[2](first))
        score = model[5](model[4](second))[0, k]
        for name, grad in zip("02", torch.autograd.grad(score, [first, second]), strict=True):
            found.setdefault(name, []).append(grad[0].numpy())
    return {name: np.stack(some) for name, some in found.items()}


def centred(value, slope, unit):
    """One example: its most salient place goes to the middle, place by place."""
    spatial = [axis for axis in range(value.ndim) if axis != unit]
    salience = np.abs(slope).mean(unit)
    if not salience.max() > salience.min():
        return value.copy()
    peak = np.unravel_index(salience.argmax(), salience.shape)
    found = np.zeros_like(value)
    for place in np.ndindex(value.shape):
        to = list(place)
        for axis, at in zip(spatial, peak, strict=True):
            to[axis] += value.shape[axis] // 2 - at
        if all(0 <= t < n for t, n in zip(to, value.shape, strict=True)):
            found[tuple(to)] = value[place]
    return found


def moments(value, groups, names):
    """(count, mean, variance) by group, of those whose value is finite."""
    found = []
    for name in names:
        some = value[np.array([g == name for g in groups])]
        fine = np.isfinite(some)
        count = fine.sum(0).astype(float)
        with np.errstate(all="ignore"):
            mean = np.where(fine, some, 0).sum(0) / count
            spread = (np.where(fine, some - mean, 0) ** 2).sum(0) / (count - 1)
        found.append((count, np.where(count > 0, mean, np.nan), np.where(count > 1, spread, np.nan)))
    return [np.stack(part) for part in zip(*found, strict=True)]
