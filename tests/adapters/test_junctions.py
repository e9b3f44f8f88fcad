"""What is done where several layers' values meet, as a pass of each framework shows it."""

import importlib

import numpy as np
import pytest
import torch
from torch import nn

import nissl

X = np.random.default_rng(0).normal(size=(12, 6, 6, 2)).astype(np.float32)


def met(net, name):
    """What a layer takes, with junctions written out: ("add", "a", "b")."""
    known = {one.name: one for layer in net.layers for one in layer.junctions}

    def written(one):
        return (known[one].kind, *sorted(map(written, known[one].sources), key=str)) if one in known else one

    layer = net.layer(name)
    return [written(one) for one in layer.takes or layer.inputs]


@pytest.mark.parametrize(
    "framework",
    [pytest.param(name, marks=pytest.mark.framework(name)) for name in ("flax", "equinox")],
)
def test_programs_of_jax(framework):
    training = importlib.import_module(f"tests.adapters.{framework}_loop").Loop()
    net = nissl.network(training.model)
    net.look(training.native(X))
    assert met(net, "out") == [("concatenate", "dense", "dense#2")]
    assert net.layer("dense").takes == ()


@pytest.mark.framework("keras")
def test_layers_of_keras_that_join():
    keras = pytest.importorskip("keras")
    layers = keras.layers
    given = layers.Input((6,))
    stream = layers.Dense(6, name="stem")(given)
    for number in range(2):
        inner = layers.Dense(6, activation="relu", name=f"up{number}")(stream)
        stream = layers.Add()([stream, layers.Dense(6, name=f"down{number}")(inner)])
    out = layers.Dense(3, name="out")(layers.Concatenate()([given, stream, inner]))
    net = nissl.network(keras.Model(given, out))
    net.look(X[:, 0, :3].reshape(12, 6))
    first = ("add", "down0", "stem")
    assert met(net, "up1") == [first]
    assert met(net, "out") == [("concatenate", ("add", first, "down1"), "up1")]
    assert [one.kind for one in net.layer("out").junctions] == ["add", "concatenate"]


@pytest.mark.framework("onnx")
def test_operators_of_onnx():
    pytest.importorskip("onnx")
    from tests.adapters.graphs import two_inputs

    net = nissl.network(two_inputs())
    assert met(net, "head") == [("add", "Gather_0", "fc")]


class Several(nn.Module):
    """A residual stream, a gate, a shared layer that is called twice, and heads that look at something else."""

    def __init__(self):
        super().__init__()
        self.stem, self.up, self.gate, self.shared = (nn.Linear(6, 6) for _ in range(4))
        self.heads, self.out = nn.MultiheadAttention(6, 2, batch_first=True), nn.Linear(6, 3)

    def forward(self, x):
        stem = self.stem(x)
        stream = stem + self.up(torch.relu(stem)) * torch.sigmoid(self.gate(stem))
        stream = stream + self.shared(self.shared(stream))
        heard, _ = self.heads(stem, stream, stream, need_weights=False)
        return self.out(torch.stack([heard, x]).sum(0))


def test_functions_of_torch():
    torch.manual_seed(0)
    model = Several()
    net, x = nissl.network(model), torch.randn(4, 5, 6)
    with net.watch(lambda *_: None, "*"):
        model(x).sum().backward()
    gated = ("add", ("multiply", "gate", "up"), "stem")
    assert met(net, "shared") == [gated]
    assert met(net, "shared#2") == ["shared"]
    assert set(net.layer("heads").inputs) == {"stem", "up", "gate", "shared#2"}
    assert met(net, "out") == ["heads"]


def test_a_pass_without_gradients_tells_nothing_of_it():
    net = nissl.network(Several())
    net.probe(torch.randn(4, 5, 6))
    assert all(layer.takes == () and layer.junctions == () for layer in net.layers)
