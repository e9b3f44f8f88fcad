"""Keras in `fit`: what is heard, and that the weights are those of a training that nobody hears, bit for bit."""

from contextlib import nullcontext

import numpy as np
import pytest

from nissl.core.network import network
from nissl.errors import NisslWarning
from tests.adapters import keras_models
from tests.adapters.keras_models import (
    Blocks,
    Functions,
    Own,
    X,
    Y,
    fit,
    functional,
    heard,
    keras,
    layers,
    residual,
    sequential,
)

pytestmark = pytest.mark.framework("keras")


@pytest.fixture(autouse=True)
def fresh():
    keras.config.set_floatx("float32")
    keras.utils.set_random_seed(4)


def test_a_nonlinearity_that_is_a_function_ends_its_layer_however_it_is_held():
    model = Functions()
    model(X[:1])
    before = keras.ops.relu, keras_models.imported, dict(vars(model))
    net = network(model)
    values, inner = net.probe(X), net.probe(X, place="preactivation")
    assert [layer.nonlinearity for layer in net.layers] == ["ReLU", "Tanh", "GELU", "SiLU", None, None]
    for layer, bend in zip(net.layers, ["relu", "tanh", "gelu", "silu"], strict=False):
        if layer.name != "conv":  # a norm is in between
            wanted = net.to_numpy(getattr(keras.ops, bend)(inner[layer.name]))
            np.testing.assert_allclose(values[layer.name], wanted, rtol=1e-5, atol=1e-6)
    assert values["conv"].min() == 0
    with net.change("dense.0", [1], 0.5):
        assert (net.probe(X)["dense.0"][:, 1] == 0.5).all()
    gradient = net.gradient(X, 0, at="dense.0")
    assert gradient.shape == (24, 6)
    assert (keras.ops.relu, keras_models.imported) == before[:2]
    assert dict(vars(model)).keys() == before[2].keys()
    assert model.act is keras.activations.tanh
    graph = network(functional())
    graph.probe(X)
    assert [layer.nonlinearity for layer in graph.layers] == ["ReLU", "Tanh", None]


def test_where_the_last_digit_cannot_be_kept_it_is_said_before_a_step_runs():
    given = keras.Input((8, 8, 1))
    x = layers.Dense(6, activation="relu")(layers.Flatten()(given))
    model = keras.Model(given, layers.Dense(3)(Own()(x) + x))
    told = keras.backend.backend() == "tensorflow"
    with (
        pytest.warns(NisslWarning, match="computes own and what") if told else nullcontext(),
        heard(network(model), [], passes="training"),
    ):
        fit(model)


@pytest.mark.parametrize("make", [sequential, functional, residual, Functions, Blocks])
def test_fit_is_heard_once_a_step_with_its_labels_first_and_trains_the_same(make):
    alone = fit(make(), 2).get_weights()
    keras.utils.set_random_seed(4)
    model, order = make(), []
    model(X[:1])
    net = network(model)
    net.probe(X[:2])
    with (
        net.watch_labels(lambda y: order.append(("labels", net.to_numpy(y)))),
        net.watch_outputs(lambda _, v: order.append(("output", net.to_numpy(v).shape)), passes="training"),
        heard(net, order, passes="training"),
    ):
        fit(model, 2)
        net.settle()
    each = ["labels", *[layer.name for layer in net.layers], "output"]
    assert [name for name, _ in order] == each * 6
    assert "blocks.1#2" in each or make is not Blocks
    labels = np.concatenate([value for name, value in order if name == "labels"])
    np.testing.assert_array_equal(labels.ravel(), np.tile(Y, 2))
    for one, other in zip(alone, model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    assert "call" not in vars(model)
    assert "train_step" not in vars(model)
