"""By captum, where it is installed."""

import numpy as np
import pytest
import torch
from torch import nn

import nissl
from nissl.testing.attribution import LABELS, convolving, images

attr = pytest.importorskip("captum.attr")
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")  # captum tells that it hooks the model
SHAPE = (3, 8, 11)
MODEL, X, TARGETS = convolving(SHAPE).eval(), images(SHAPE), torch.as_tensor(LABELS)
CLOSE = {"rtol": 1e-6, "atol": 1e-9}


def test_gradients_are_captums():
    theirs = attr.Saliency(MODEL).attribute(X.clone(), TARGETS, abs=False)
    np.testing.assert_allclose(nissl.attribute(MODEL, X, LABELS, by="gradient"), theirs, **CLOSE)
    theirs = attr.InputXGradient(MODEL).attribute(X.clone().requires_grad_(), TARGETS)
    np.testing.assert_allclose(nissl.attribute(MODEL, X, LABELS, by="gradient_input"), theirs.detach(), **CLOSE)


def test_integrated_gradients_are_captums():
    base = torch.full_like(X, -1.0)
    theirs, gap = attr.IntegratedGradients(MODEL).attribute(X, base, TARGETS, n_steps=32, return_convergence_delta=True)
    mine = nissl.attribute(MODEL, X, LABELS, steps=32, baseline=-1.0)
    np.testing.assert_allclose(mine, theirs.detach(), rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(mine.gap, gap.detach(), atol=1e-6)
    theirs = attr.LayerIntegratedGradients(MODEL, MODEL[2]).attribute(X, base, TARGETS, n_steps=32)
    np.testing.assert_allclose(
        nissl.attribute(MODEL, X, LABELS, steps=32, baseline=-1.0, at="0"), theirs.detach(), rtol=1e-5, atol=1e-7
    )


def test_guided_and_deconvolved_gradients_are_captums():
    for by, theirs in (("guided_backprop", attr.GuidedBackprop), ("deconvnet", attr.Deconvolution)):
        told = theirs(convolving(SHAPE).eval()).attribute(X.clone().requires_grad_(), TARGETS)
        np.testing.assert_allclose(nissl.attribute(MODEL, X, LABELS, by=by), told.detach(), **CLOSE)


def test_maps_are_captums():
    theirs = attr.LayerGradCam(MODEL, MODEL[4]).attribute(X, TARGETS, relu_attributions=True)
    theirs = attr.LayerAttribution.interpolate(theirs, X.shape[2:], "bilinear")
    np.testing.assert_allclose(nissl.attribute(MODEL, X, LABELS, by="grad_cam"), theirs.detach(), **CLOSE)


def test_occlusion_is_captums():
    theirs = attr.Occlusion(MODEL).attribute(X, (3, 3, 4), (3, 2, 3), 0.5, TARGETS)
    mine = nissl.attribute(MODEL, X, LABELS, by="occlusion", window=(3, 4), stride=(2, 3), fill=0.5)
    np.testing.assert_allclose(mine, theirs, **CLOSE)


def test_secants_are_deep_lifts_rescale_rule_without_pooling():
    theirs = attr.DeepLift(MODEL).attribute(X, torch.full_like(X, 0.2), TARGETS)
    np.testing.assert_allclose(
        nissl.attribute(MODEL, X, LABELS, by="secant", baseline=0.2), theirs.detach(), rtol=1e-5, atol=1e-7
    )


def test_relevance_is_captums():
    torch.manual_seed(4)
    model = nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 3)).double()
    x = torch.randn(5, 6, dtype=torch.float64)
    mine = nissl.attribute(model, x, LABELS, by="lrp", rule="epsilon", epsilon=1e-9)
    theirs = attr.LRP(model).attribute(x.clone().requires_grad_(), TARGETS)
    np.testing.assert_allclose(mine, theirs.detach(), rtol=1e-5, atol=1e-7)


def test_conductance_is_captums():
    theirs = attr.LayerConductance(MODEL, MODEL[2]).attribute(X, torch.full_like(X, -1.0), TARGETS, n_steps=200)
    mine = nissl.attribute(MODEL, X, LABELS, by="conductance", steps=200, baseline=-1.0, at="0")
    np.testing.assert_allclose(mine, theirs.detach(), atol=0.02 * np.abs(mine.values).max())


def test_secants_over_several_baselines_are_deep_lift_shap():
    base = images(SHAPE)[:3] / 2
    theirs = attr.DeepLiftShap(MODEL).attribute(X, base, TARGETS)
    mine = nissl.attribute(MODEL, X, LABELS, by="secant", baseline=base.numpy())
    np.testing.assert_allclose(mine, theirs.detach(), rtol=1e-5, atol=1e-7)
