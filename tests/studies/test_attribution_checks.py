"""Checks of attributions: redrawn weights, erased inputs, methods compared; on networks of which the answer is known."""

import numpy as np
import pytest
import torch
from scipy.stats import spearmanr
from torch import nn

import nissl
from nissl.errors import BadValue
from nissl.testing.attribution import LABELS, convolving, images


def planted():
    """Class 0 is the sum of the first three of twelve features, class 1 of the last; others matter nothing."""
    model = nn.Sequential(nn.Linear(12, 2), nn.ReLU(), nn.Linear(2, 2)).double()
    with torch.no_grad():
        model[0].weight.zero_()
        model[0].weight[0, :3], model[0].weight[1, 11] = 1, 1
        model[2].weight.copy_(torch.eye(2))
        model[0].bias.zero_(), model[2].bias.zero_()
    return model, torch.rand(8, 12, dtype=torch.float64, generator=torch.Generator().manual_seed(0)) + 0.5


def test_redrawn_weights_move_what_depends_on_them_and_leave_the_model_as_it_was():
    torch.manual_seed(0)
    model, x = (
        nn.Sequential(nn.Linear(30, 20), nn.ReLU(), nn.Linear(20, 20), nn.ReLU(), nn.Linear(20, 4)).double(),
        torch.randn(6, 30).double(),
    )
    before = {name: value.clone() for name, value in model.state_dict().items()}
    found = nissl.attribution_sanity(model, x, by=["gradient", "smooth_grad"])
    assert found.layers == ("4", "2", "0") and found.likeness.shape == (2, 3)
    assert (found.likeness[:, -1] < 0.3).all() and found.unmoved == ()
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert "every method moves" in str(found)


def test_a_method_that_does_not_look_at_the_weights_is_named():
    from dataclasses import dataclass

    from nissl.core.method import Method

    @dataclass(frozen=True)
    class Edges(Method):
        def values(self, matter):
            return np.abs(matter.inputs)

    found = nissl.attribution_sanity(convolving(), images(), LABELS, by=["gradient", Edges()])
    assert len(found.unmoved) == 1 and "test_attribution_checks" in found.unmoved[0]
    np.testing.assert_allclose(found.likeness[1], 1)
    assert found.unmoved[0] in str(found)


def test_erasing_the_planted_features_first_takes_the_score_away():
    model, x = planted()
    labels = np.zeros(8, int)
    found = nissl.attribution_erasure(model, x, labels, by=["gradient_input"], steps=12)
    whole = x[:, :3].sum(1).mean().item()
    np.testing.assert_allclose(found.deletion["gradient_input"][[0, 3, 12]], [whole, 0, 0], atol=1e-12)
    np.testing.assert_allclose(found.insertion["gradient_input"][[0, 3, 12]], [0, whole, whole], atol=1e-12)
    assert found.areas["gradient_input"][0] < 0.5 * found.areas["random"][0]
    assert found.areas["gradient_input"][1] > 1.3 * found.areas["random"][1]
    assert "random" in str(found)
    with pytest.raises(BadValue, match="from 2"):
        nissl.attribution_erasure(model, x, labels, steps=1)


def test_the_order_is_over_positions_and_all_channels_go_together():
    model, x = convolving((3, 8, 11)), images((3, 8, 11))
    found = nissl.attribution_erasure(model, x, LABELS, by=["grad_cam", "gradient"], steps=4, fill=0.2)
    for curve in (*found.deletion.values(), *(c[::-1] for c in found.insertion.values())):
        assert curve[0] == pytest.approx(model.eval()(x)[range(5), LABELS].mean().item())
        assert curve[-1] == pytest.approx(model(torch.full_like(x, 0.2))[range(5), LABELS].mean().item())


def test_agreement_is_the_rank_correlation_of_the_pictures():
    model, x = convolving((3, 8, 11)), images((3, 8, 11))
    found = nissl.attribution_agreement(model, x, LABELS, by=["gradient", "integrated_gradients", "grad_cam"])
    np.testing.assert_allclose(np.diag(found.likeness), 1)
    np.testing.assert_allclose(found.likeness, found.likeness.T)
    a, b = (nissl.attribute(model, x, LABELS, by=by).values.sum(1).reshape(5, -1) for by in found.methods[:2])
    assert found.likeness[0, 1] == pytest.approx(np.mean([spearmanr(p, q)[0] for p, q in zip(a, b, strict=True)]))
    assert "grad_cam" in str(found)
