"""The same weights in another framework: the same portraits."""

import numpy as np
import pytest

import nissl
from tests.adapters.twins import CLASSES, TWINS

NAMES = ["torch", "keras", "flax", "equinox", "tf_keras"]


@pytest.mark.parametrize("name", [pytest.param(name, marks=pytest.mark.framework(name)) for name in NAMES])
def test_the_same_weights_want_to_see_the_same(name):
    made = []
    for which in ("torch", name):
        twin = TWINS[which](False)
        found = nissl.portrait(twin.model, data=twin.x, classes=CLASSES, steps=24, progress=False)
        hidden = nissl.network(twin.model)
        hidden.probe(twin.x)
        units = nissl.portrait(hidden, [0, 1], of=hidden.layers[0].name, data=twin.x, steps=8, noise=0, progress=False)
        made.append((found, units))
    np.testing.assert_allclose(made[1][0].pictures, made[0][0].pictures, atol=2e-3)
    np.testing.assert_allclose(made[1][0].probabilities, made[0][0].probabilities, atol=1e-3)
    assert made[1][1].pictures.shape == made[0][1].pictures.shape


@pytest.mark.parametrize("name", [pytest.param("onnx", marks=pytest.mark.framework("onnx"))])
def test_a_framework_without_gradients_says_so(name):
    twin = TWINS[name](False)
    with pytest.raises(TypeError, match="gradient"):
        nissl.portrait(twin.model, data=twin.x, steps=2, progress=False)
