"""Methods that cover parts of the input, by brute force."""

from itertools import permutations

import numpy as np
import pytest
import torch
from torch import nn

import nissl
from nissl.errors import BadValue, Unsupported
from nissl.testing.attribution import LABELS, convolving, images

SHAPE = (3, 8, 11)
MODEL, X = convolving(SHAPE).eval(), images(SHAPE)


def score(model, x, labels=LABELS):
    with torch.no_grad():
        return model(x).gather(1, torch.as_tensor(labels)[:, None])[:, 0]


def test_occlusion_is_the_mean_loss_over_the_windows_that_cover_a_value():
    found = nissl.attribute(MODEL, X, LABELS, by="occlusion", window=(3, 4), stride=(2, 3), fill=0.5)
    total, covered = torch.zeros_like(X), torch.zeros_like(X)
    for top in (0, 2, 4, 6):
        for left in (0, 3, 6, 9):
            if left - 3 + 4 >= 11 or top - 2 + 3 >= 8:
                continue
            shown = X.clone()
            shown[:, :, top : top + 3, left : left + 4] = 0.5
            total[:, :, top : top + 3, left : left + 4] += (score(MODEL, X) - score(MODEL, shown))[:, None, None, None]
            covered[:, :, top : top + 3, left : left + 4] += 1
    np.testing.assert_allclose(found, total / covered.clamp(min=1), rtol=1e-9, atol=1e-12)


def test_occlusion_asks_for_no_gradient_and_tables_are_covered_feature_by_feature():
    torch.manual_seed(2)
    model = nn.Sequential(nn.Linear(4, 9), nn.ReLU(), nn.Linear(9, 3)).double()
    x = torch.randn(5, 4, dtype=torch.float64)
    found = nissl.attribute(model, x, LABELS, by="occlusion")
    for feature in range(4):
        less = x.clone()
        less[:, feature] = 0
        np.testing.assert_allclose(found[:, feature], score(model, x) - score(model, less), rtol=1e-9, atol=1e-12)


def test_shapley_values_are_those_of_all_orders():
    torch.manual_seed(2)
    model = nn.Sequential(nn.Linear(4, 9), nn.ReLU(), nn.Linear(9, 3)).double()
    x, base = torch.randn(5, 4, dtype=torch.float64), -0.3
    exact = torch.zeros_like(x)
    for order in permutations(range(4)):
        now = torch.full_like(x, base)
        before = score(model, now)
        for feature in order:
            now[:, feature] = x[:, feature]
            after = score(model, now)
            exact[:, feature] += (after - before) / 24
            before = after
    found = nissl.attribute(model, x, LABELS, by="shapley", orders=400, baseline=base)
    np.testing.assert_allclose(found, exact, atol=0.03)
    np.testing.assert_allclose(found.gap, 0, atol=1e-9)
    few = nissl.attribute(model, x, LABELS, by="shapley", orders=1, baseline=base)
    np.testing.assert_allclose(few.gap, 0, atol=1e-9)


def test_parts_of_an_image_share_what_they_gain():
    found = nissl.attribute(MODEL, X, LABELS, by="shapley", orders=1, window=4)
    np.testing.assert_allclose(found.gap, 0, atol=1e-9)
    assert np.ptp(found[:, :, :4, :4], axis=(1, 2, 3)).max() < 1e-12
    assert np.ptp(found[0, 0, 0]) > 0


@pytest.mark.parametrize("window", [0, 12, (3,), (9, 2)])
def test_windows_that_do_not_fit_are_refused(window):
    with pytest.raises(BadValue, match="window"):
        nissl.attribute(MODEL, X, LABELS, by="occlusion", window=window)


def test_secants_add_up_to_the_score_less_the_baselines():
    for at in (None, "0", "3"):
        for baseline in (0.0, -1.0):
            found = nissl.attribute(MODEL, X, LABELS, by="secant", baseline=baseline, at=at)
            np.testing.assert_allclose(found.gap, 0, atol=1e-8)
    several = images(SHAPE).numpy()[:3] / 2
    found = nissl.attribute(MODEL, X, LABELS, by="secant", baseline=several)
    each = [nissl.attribute(MODEL, X, LABELS, by="secant", baseline=one) for one in several]
    np.testing.assert_allclose(found, np.mean(each, 0), rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(found.gap, 0, atol=1e-8)
    with pytest.raises(Unsupported, match="integrated_gradients"):
        nissl.attribute(MODEL, X, lambda out: out[:, 0], by="secant")
