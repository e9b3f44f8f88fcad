"""Particles that spread evenly and, if they know who is like whom, order themselves (Krug, Ratul, Olson and Stober, 2023)."""

import numpy as np

from nissl.core.layout import Array

PIECE = 2_000_000


def settled(points: Array, steps: int, seed: int, unlike: Array | None = None) -> Array:
    """`points` after so many steps; `unlike` (unit, unit), 0 to 1: at first, units are drawn to those that are like them."""
    rng = np.random.default_rng(seed)
    points = points.copy()
    for s in np.linspace(-3, 6, steps):
        calm = (np.tanh(s) + 1) / 2
        points += _pull(points, calm, unlike) + rng.normal(0, 1e-6, points.shape)
    return points


def _pull(points: Array, calm: float, unlike: Array | None) -> Array:
    """Where each particle is drawn to by all others, on average."""
    count = len(points)
    found = np.empty_like(points)
    rows = max(1, PIECE // count)
    for first in range(0, count, rows):
        some = slice(first, first + rows)
        step = points[None] - points[some, None]
        apart = np.maximum(np.sqrt((step**2).sum(-1)), 0.01)
        near = np.exp(-apart / 2)
        force = calm * (1.5 / (apart + 1) ** 3 - 15 * near)
        if unlike is not None:
            force += (1 - calm) * (1.5 * (1 - unlike[some] ** 3) - 0.5 * near)
        found[some] = np.einsum("ab,abx->ax", force, step) / (2 * count)
    return found


def unlikeness(features: Array) -> Array:
    """Distances of all pairs, as shares of the largest."""
    square = (features**2).sum(1)
    apart = np.sqrt(np.maximum(square[:, None] + square - 2 * features @ features.T, 0))
    np.fill_diagonal(apart, 0)
    found: Array = apart / max(float(apart.max()), 1e-300)
    return found
