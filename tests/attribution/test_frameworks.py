"""The same weights in every framework: the same attributions; what a framework can't do is refused by name."""

import importlib

import numpy as np
import pytest

import nissl
from nissl.attribution.integrated_gradients import IntegratedGradients
from nissl.core.capabilities import Differentiable
from nissl.errors import Unsupported
from tests.adapters.twins import LABELS, TWINS

GRADIENTS = [
    "gradient", "gradient_input", "baseline_delta", IntegratedGradients(6), "grad_cam", "hires_cam", "grad_cam_plus_plus", "layer_cam",
]  # fmt: skip
FREE = ["occlusion", "score_cam"]
HERE = ["keras", "flax", "equinox", "onnx", "tf_keras"]


@pytest.mark.parametrize("name", [pytest.param(name, marks=pytest.mark.framework(name)) for name in HERE])
def test_methods_give_what_they_give_in_torch(name):
    pytest.importorskip(name)
    mine, theirs = TWINS[name](True), TWINS["torch"](True)
    net = nissl.network(mine.model)
    methods = [*(GRADIENTS if isinstance(net, Differentiable) else []), *FREE]
    found = nissl.attribute(net, mine.x, LABELS, by=methods)
    wanted = nissl.attribute(theirs.model, theirs.x, LABELS, by=methods)
    for by, one in found.items():
        turned = np.moveaxis(one.values, mine.channels, 1)
        np.testing.assert_allclose(turned, wanted[by].values, rtol=1e-3, atol=1e-5, err_msg=by)
    if not isinstance(net, Differentiable):
        with pytest.raises(Unsupported, match="occlusion"):
            nissl.attribute(net, mine.x, LABELS, by="gradient")


@pytest.mark.framework("keras")
def test_keras_on_torch_is_guided_and_other_back_ends_say_why_not():
    backend = importlib.import_module("keras").backend.backend()
    mine, theirs = TWINS["keras"](True), TWINS["torch"](True)
    for by in ("guided_backprop", "deconvnet"):
        if backend != "torch":
            with pytest.raises(Unsupported, match=f"Keras on {backend}"):
                nissl.attribute(mine.model, mine.x, LABELS, by=by)
            continue
        found = nissl.attribute(mine.model, mine.x, LABELS, by=by)
        assert found.notes == ("by the rule: 2 relu",)
        wanted = nissl.attribute(theirs.model, theirs.x, LABELS, by=by)
        np.testing.assert_allclose(np.moveaxis(found.values, -1, 1), wanted, rtol=1e-4, atol=1e-6)


@pytest.mark.framework("sklearn")
def test_a_perceptron_of_scikit_learn_is_explained_by_plain_gradients():
    twin = TWINS["sklearn"](False)
    found = nissl.attribute(twin.model, twin.x, LABELS, steps=64)
    assert np.abs(found.gap).max() < 0.01 * np.abs(found.values.sum(1)).max()
    assert nissl.attribute(twin.model, twin.x, at="hidden_1", unit="whole", by="gradient").values.any()
    with pytest.raises(Unsupported, match="calculus alone"):
        nissl.attribute(twin.model, twin.x, LABELS, by="guided_backprop")
