"""Who is near whom, and what of it is kept: against brute force and scikit-learn."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nissl.core import neighbours
from nissl.core.neighbours import nearest, preserved
from nissl.errors import BadValue


def cloud(count, features, seed=0):
    return np.random.default_rng(seed).normal(size=(count, features))


def brute(x, k):
    apart = ((x[:, None] - x[None]) ** 2).sum(-1)
    np.fill_diagonal(apart, -1)
    return apart.argsort(1, kind="stable")[:, 1 : k + 1]


@pytest.mark.parametrize("piece", [7, 500, 4_000_000])
@pytest.mark.parametrize("k", [1, 5, 38, 39])
def test_the_nearest_are_those_of_brute_force(monkeypatch, piece, k):
    monkeypatch.setattr(neighbours, "PIECE", piece)
    x = cloud(40, 3) + 1000  # far from the origin
    np.testing.assert_array_equal(nearest(x, k), brute(x, k))
    np.testing.assert_array_equal(nearest(x, k, [3, 1]), brute(x, k)[[3, 1]])


@settings(max_examples=40, deadline=None)
@given(st.integers(2, 30), st.integers(1, 12), st.integers(0, 99))
def test_of_equally_near_ones_the_earlier_is_first(count, k, seed):
    x = np.random.default_rng(seed).integers(0, 3, (count, 2)).astype(float)
    found = nearest(x, k)
    np.testing.assert_array_equal(found, brute(x, min(k, count - 1)).reshape(found.shape))


@pytest.mark.parametrize("k", [3, 15])
def test_trustworthiness_is_scikit_learns(k):
    trustworthiness = pytest.importorskip("sklearn.manifold").trustworthiness
    x = cloud(120, 8)
    for y in (x[:, :2], cloud(120, 2, 1), x[:, :2] + 0.5 * cloud(120, 2, 2)):
        found = preserved(x, y, k)
        assert found.trustworthiness == pytest.approx(trustworthiness(x, y, n_neighbors=k), abs=1e-12)
        both = [len(set(a) & set(b)) / k for a, b in zip(brute(x, k), brute(y, k), strict=True)]
        assert found.kept == pytest.approx(np.mean(both))
        assert (found.k, found.looked_at) == (k, 120)


def test_all_is_kept_of_what_did_not_change_and_chance_of_what_was_shuffled():
    x = cloud(400, 2)
    assert preserved(x, 3 * x[:, ::-1] - 7, 8) == neighbours.Preserved(1.0, 1.0, 8, 400)
    mixed = preserved(x, x[np.random.default_rng(0).permutation(400)], 8)
    assert mixed.trustworthiness == pytest.approx(0.5, abs=0.02)
    assert mixed.kept == pytest.approx(8 / 399, abs=0.01)


def test_a_few_points_tell_of_all():
    x = cloud(2000, 5)
    whole, part = preserved(x, x[:, :2], 10), preserved(x, x[:, :2], 10, most=300)
    assert part.looked_at == 300
    assert part.trustworthiness == pytest.approx(whole.trustworthiness, abs=0.02)
    assert part.kept == pytest.approx(whole.kept, abs=0.02)
    assert part == preserved(x, x[:, :2], 10, most=300)


@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_of_few_points_nothing_can_be_lost(count):
    found = preserved(cloud(count, 4), cloud(count, 2, 1), 15)
    assert (found.trustworthiness, found.kept, found.k) == (1.0, 1.0, count - 1)


def test_points_that_are_all_alike_lose_nothing():
    x = np.full((50, 4), 0.1)
    assert preserved(x, cloud(50, 2), 5).trustworthiness == 1.0
    assert np.isfinite(preserved(cloud(50, 4), np.zeros((50, 2)), 5).kept)


def test_what_cannot_be_meant_is_refused():
    x = cloud(20, 3)
    with pytest.raises(BadValue, match="not the same points"):
        preserved(x, x[:10, :2])
    with pytest.raises(BadValue, match="NaN"):
        preserved(np.where(x > 1, np.nan, x), x[:, :2])
    with pytest.raises(BadValue, match="from 1 on"):
        preserved(x, x[:, :2], 0)
