"""Samples whose groups are known."""

import numpy as np

from nissl.data.digits import Digits


def clusters(count=150, groups=3, features=8, apart=6.0, seed=0):
    """(sample, feature) and the group of each."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, groups, count)
    centres = apart * np.eye(groups, features)
    return (centres[labels] + rng.normal(size=(count, features))).astype(np.float32), labels


def drifting(moments=4, count=250):
    """Digits that come nearer to the mean of their class from moment to moment, as they do in a network that learns."""
    x, y = Digits().load().train
    x, y = x[:count].reshape(count, -1), y[:count]
    means = np.stack([x[y == k].mean(0) for k in range(10)])[y]
    return [(1 - 0.06 * t) * x + 0.06 * t * means for t in range(moments)], y


def agreement(positions, labels, k=5):
    """The share of samples whose k nearest in the picture are mostly of their own group."""
    apart = np.linalg.norm(positions[:, None] - positions, axis=2)
    np.fill_diagonal(apart, np.inf)
    near = labels[apart.argsort(1)[:, :k]]
    return float(((near == labels[:, None]).mean(1) > 0.5).mean())
