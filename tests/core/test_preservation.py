"""Measures of pictures over time, against plain loops."""

from itertools import pairwise

import numpy as np
import pytest

from nissl.core.preservation import boundary, jump, temporal

RNG = np.random.default_rng(0)


def near(points, who, k, among=None):
    among = range(len(points)) if among is None else among
    others = [j for j in among if j != who]
    return set(sorted(others, key=lambda j: np.linalg.norm(points[j] - points[who]))[:k])


def test_temporal_is_the_mean_correlation_of_change_and_movement():
    features = [RNG.normal(size=(25, 4)) for _ in range(5)]
    positions = [RNG.normal(size=(25, 2)) for _ in range(5)]
    found = []
    for i in range(25):
        alike = [len(near(a, i, 4) & near(b, i, 4)) / 4 for a, b in pairwise(features)]
        moved = [np.linalg.norm(b[i] - a[i]) for a, b in pairwise(positions)]
        found.append(np.corrcoef(alike, moved)[0, 1] if np.std(alike) else 0.0)
    assert temporal(features, positions, 4, np.arange(25)) == pytest.approx(np.mean(found))


def test_temporal_is_minus_one_where_movement_follows_change():
    still = RNG.normal(size=(40, 3))
    moments = [still + t * RNG.normal(size=still.shape) for t in (0, 0.02, 2.0, 0.02, 2.0)]
    assert temporal(moments, moments, 5, np.arange(40)) < -0.5
    frozen = [still[:, :2]] * 5
    assert temporal(moments, frozen, 5, np.arange(40)) == 0
    assert temporal(moments[:3], moments[:3], 5, np.arange(40)) is None


def test_boundary_against_loops():
    features, positions = RNG.normal(size=(60, 4)), RNG.normal(size=(60, 2))
    outputs = RNG.normal(size=(60, 3))
    top = np.sort(outputs, 1)
    edge = np.argsort(top[:, -1] - top[:, -2])[:10]
    rows = np.arange(60)

    def nearest(points, i):
        return set(edge[np.argsort(np.linalg.norm(points[edge] - points[i], axis=1), kind="stable")[:5]].tolist())

    shares = [len(nearest(features, i) & nearest(positions, i)) / 5 for i in rows]
    assert boundary(features, positions, outputs, 5, rows) == pytest.approx(np.mean(shares))
    assert boundary(features[:, :2], features[:, :2], outputs, 5, rows) == 1
    assert boundary(features, positions, None, 5, rows) is None
    assert boundary(features[:12], positions[:12], outputs[:12], 5, rows[:12]) is None


def test_jump_is_in_units_of_the_radius():
    circle = np.stack([np.cos(np.arange(90)), np.sin(np.arange(90))], 1)
    circle -= circle.mean(0)
    assert jump([circle]) is None
    assert jump([circle, circle]) == 0
    moved = jump([1000 * circle, 1000 * circle + [10, 0]])
    assert moved == pytest.approx(0.01, rel=0.01)
