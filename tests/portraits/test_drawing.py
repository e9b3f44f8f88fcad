"""Warps against brute force and their transposes, penalties against finite differences, realism against a planted truth."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import nissl
from nissl.core.drawing.distortion import Distortion, blurred, blurring
from nissl.core.drawing.penalties import roughness, sameness
from nissl.core.drawing.realism import Realism

SIDES = st.integers(1, 9)


def sloped(score, x, step=1e-6):
    found = np.zeros_like(x)
    for place in np.ndindex(x.shape):
        shift = np.zeros_like(x)
        shift[place] = step
        found[place] = (score(x + shift) - score(x - shift)) / (2 * step)
    return found


@settings(deadline=None, max_examples=60)
@given(
    st.integers(1, 3),
    st.integers(1, 3),
    SIDES,
    SIDES,
    st.floats(0, 3),
    st.floats(0, 90),
    st.floats(0, 1),
    st.integers(0, 99),
)
def test_a_warps_way_back_is_its_transpose(count, channels, rows, columns, shift, turn, zoom, seed):
    draw = np.random.default_rng(seed)
    warp = Distortion(shift, turn, zoom).drawn(count, (rows, columns), draw)
    x, slopes = draw.normal(size=(2, count, channels, rows, columns))
    assert (slopes * warp(x)).sum() == pytest.approx((warp.back(slopes) * x).sum(), rel=1e-9, abs=1e-9)
    np.testing.assert_allclose(warp.weights.sum(1), 1)


def test_a_warp_is_what_bilinear_interpolation_by_hand_gives():
    rows, columns = 6, 9
    how = Distortion(1.5, 30, 0.3)
    warp = how.drawn(1, (rows, columns), np.random.default_rng(7))
    draw = np.random.default_rng(7)
    angle, scale = np.deg2rad(30) * draw.uniform(-1, 1), 1.3 ** draw.uniform(-1, 1)
    down, along = 1.5 * draw.uniform(-1, 1, (2, 1))[:, 0]
    picture = np.random.default_rng(8).normal(size=(rows, columns))
    wanted = np.zeros_like(picture)
    for r in range(rows):
        for c in range(columns):
            y, x = r - (rows - 1) / 2, c - (columns - 1) / 2
            y, x = (
                scale * (np.cos(angle) * y - np.sin(angle) * x) + down + (rows - 1) / 2,
                scale * (np.sin(angle) * y + np.cos(angle) * x) + along + (columns - 1) / 2,
            )
            y, x = min(max(y, 0), rows - 1), min(max(x, 0), columns - 1)
            top, left = int(y), int(x)
            for i in range(2):
                for j in range(2):
                    share = (1 - abs(y - top - i)) * (1 - abs(x - left - j))
                    if share > 0:
                        wanted[r, c] += share * picture[top + i, left + j]
    np.testing.assert_allclose(warp(picture[None, None])[0, 0], wanted, atol=1e-12)


def test_no_distortion_changes_nothing():
    x = np.random.default_rng(0).normal(size=(2, 3, 5, 7))
    np.testing.assert_allclose(Distortion(0, 0, 0).drawn(2, (5, 7), np.random.default_rng(0))(x), x, atol=1e-12)


def test_blurring_keeps_what_is_flat_and_is_a_gaussian_inside():
    assert np.allclose(blurred(np.full((1, 2, 6, 5), 3.0), 2), 3)
    middle = blurring(41, 2.0)[20]
    assert (middle @ (np.arange(41) - 20) ** 2) == pytest.approx(4, rel=1e-3)
    np.testing.assert_allclose(blurring(5, 0), np.eye(5))


def test_roughness_is_total_variation_and_its_slopes_are_finite_differences():
    x = np.random.default_rng(1).normal(size=(2, 2, 4, 5))
    by_hand = np.zeros(2)
    for n, c, r, k in np.ndindex(x.shape):
        here = x[n, c, r, k]
        down = x[n, c, r + 1, k] - here if r < 3 else 0
        along = x[n, c, r, k + 1] - here if k < 4 else 0
        by_hand[n] += np.hypot(down, along) / 40
    value, slopes = roughness(x)
    np.testing.assert_allclose(value, by_hand, atol=1e-3)
    np.testing.assert_allclose(slopes, sloped(lambda p: roughness(p)[0].sum(), x), atol=1e-6)


def test_sameness_is_the_mean_cosine_and_its_slopes_are_finite_differences():
    x, which = np.random.default_rng(2).normal(size=(5, 1, 2, 3)), np.array([0, 0, 0, 1, 1])
    value, slopes = sameness(x, which)
    flat = x.reshape(5, -1)
    cosine = np.array([[a @ b / np.linalg.norm(a) / np.linalg.norm(b) for b in flat] for a in flat])
    assert value[0] == pytest.approx((cosine[0, 1] + cosine[0, 2]) / 2)
    assert value[4] == pytest.approx(cosine[3, 4])
    np.testing.assert_allclose(slopes, sloped(lambda p: sameness(p, which)[0].sum(), x), atol=1e-6)
    alone = sameness(x, np.arange(5))
    assert not alone[0].any() and not alone[1].any()


def test_realism_is_even_for_real_inputs_and_none_for_strange_ones():
    draw = np.random.default_rng(3)
    sample, fresh = draw.normal(size=(400, 3)), draw.normal(size=(300, 3))
    real = Realism(nissl.network(torch.nn.Linear(3, 2)), None, sample, 64)
    found = real(fresh)
    assert found.mean() == pytest.approx(0.5, abs=0.06)
    np.testing.assert_allclose(np.quantile(found, [0.1, 0.5, 0.9]), [0.1, 0.5, 0.9], atol=0.08)
    assert (real(fresh + 20) == 0).all()
