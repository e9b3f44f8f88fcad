"""Maps of the CAM family, by their formulae written in torch."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

import nissl
from nissl.errors import BadValue, Unsupported
from nissl.testing.attribution import LABELS, convolving, images

SHAPE = (3, 8, 11)
MODEL, X = convolving(SHAPE).eval(), images(SHAPE)


def at_layer(end=5):
    value = MODEL[:end](X).detach().requires_grad_()
    score = MODEL[end:](value).gather(1, torch.as_tensor(LABELS)[:, None]).sum()
    return value.detach(), torch.autograd.grad(score, value)[0]


def over(cam):
    return F.interpolate(cam.clamp(min=0)[:, None], X.shape[2:], mode="bilinear")


def plus_plus(value, slope):
    below = 2 * slope**2 + value.sum((2, 3), keepdim=True) * slope**3
    alpha = torch.where(below.abs() > 1e-30, slope**2 / torch.where(below == 0, 1, below), 0)
    return ((alpha * slope.clamp(min=0)).sum((2, 3), keepdim=True) * value).sum(1)


FORMULAE = {
    "grad_cam": lambda a, g: (g.mean((2, 3), keepdim=True) * a).sum(1),
    "hires_cam": lambda a, g: (g * a).sum(1),
    "layer_cam": lambda a, g: (g.clamp(min=0) * a).sum(1),
    "grad_cam_plus_plus": plus_plus,
}


@pytest.mark.parametrize("by", FORMULAE)
@pytest.mark.parametrize(("layer", "end"), [(None, 5), ("0", 3)])
def test_it_is_its_formula_laid_over_the_input(by, layer, end):
    found = nissl.attribute(MODEL, X, LABELS, by=by, layer=layer)
    np.testing.assert_allclose(found, over(FORMULAE[by](*at_layer(end))), rtol=1e-7, atol=1e-12)


def test_at_a_layer_they_are_what_each_value_adds_to_the_map():
    value, slope = at_layer(3)
    found = nissl.attribute(MODEL, X, LABELS, by="grad_cam", at="0")
    np.testing.assert_allclose(found, slope.mean((2, 3), keepdim=True) * value, rtol=1e-9, atol=1e-12)


def test_all_of_them_share_one_pass_forth_and_back():
    passes = []

    class Counting(nn.Module):
        def __init__(self):
            super().__init__()
            self.inside = MODEL

        def forward(self, x):
            if len(x) > 2:
                passes.append(len(x))
            return self.inside(x)

    found = nissl.attribute(Counting(), X, LABELS, by=list(FORMULAE))
    assert passes == [5]
    for by, one in found.items():
        np.testing.assert_array_equal(one, nissl.attribute(MODEL, X, LABELS, by=by))


def test_the_map_of_scores_is_its_formula():
    value = at_layer()[0]
    low, high = value.amin((2, 3), keepdim=True), value.amax((2, 3), keepdim=True)
    masks = F.interpolate((value - low) / torch.where(high > low, high - low, 1), X.shape[2:], mode="bilinear")
    with torch.no_grad():
        told = [MODEL(X * masks[:, k : k + 1]).gather(1, torch.as_tensor(LABELS)[:, None]) for k in range(4)]
    weights = torch.where(high[..., 0, 0] > low[..., 0, 0], torch.cat(told, 1), -torch.inf).softmax(1)
    wanted = over((weights[..., None, None] * value).sum(1))
    np.testing.assert_allclose(nissl.attribute(MODEL, X, LABELS, by="score_cam"), wanted, rtol=1e-7, atol=1e-12)


def test_guided_maps_are_the_product():
    parts = nissl.attribute(MODEL, X, LABELS, by=["grad_cam", "guided_backprop", "guided_grad_cam"])
    np.testing.assert_allclose(parts["guided_grad_cam"], parts["grad_cam"] * parts["guided_backprop"])


def test_signals_have_maps_too():
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Conv1d(2, 4, 3, stride=2), nn.ReLU(), nn.AdaptiveAvgPool1d(1), nn.Flatten(), nn.Linear(4, 3)
    ).double()
    x = torch.randn(5, 2, 21, dtype=torch.float64)
    found = nissl.attribute(model, x, LABELS, by="grad_cam")
    value = model[:2](x)
    weights = model[4].weight[torch.as_tensor(LABELS)] / value.shape[2]
    small = (weights[..., None] / 1 * value).sum(1).clamp(min=0) / 1
    wanted = F.interpolate(small[:, None], 21, mode="linear").detach()
    np.testing.assert_allclose(found / found.values.max(), wanted / wanted.max(), rtol=1e-7, atol=1e-12)


def test_layers_without_positions_and_maps_that_do_not_lie_over_the_input_are_refused():
    with pytest.raises(BadValue, match="7 has no positions"):
        nissl.attribute(MODEL, X, LABELS, by="grad_cam", layer="7")

    class Tokens(nn.Module):
        def __init__(self):
            super().__init__()
            self.patch, self.mix, self.out = nn.Conv2d(3, 6, 4, 4), nn.Linear(6, 6), nn.Linear(6, 3)

        def forward(self, x):
            return self.out(self.mix(self.patch(x).flatten(2).transpose(1, 2)).mean(1))

    with pytest.raises(Unsupported, match="axes of positions"):
        nissl.attribute(Tokens().double(), X, LABELS, by="grad_cam", layer="mix")
    assert nissl.attribute(Tokens().double(), X, LABELS, by="grad_cam", layer="patch").shape == (5, 1, 8, 11)
