"""What a layer is, for torch: names, kinds, units, where it is heard, what feeds it, and its parameters."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from nissl.adapters.torch import Torch
from nissl.core.search import structure
from nissl.errors import UnknownName, Unsupported


def conv_net():
    return nn.Sequential(
        nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(36, 3)
    )


class Written(nn.Module):
    """Nothing here is a Sequential: only a pass shows what follows what."""

    def __init__(self):
        super().__init__()
        self.a, self.b, self.c, self.d = nn.Linear(3, 4), nn.Linear(4, 4), nn.Linear(4, 4), nn.Linear(4, 2)
        self.act = nn.ReLU()

    def forward(self, x):
        x = self.act(self.a(x))
        y = F.relu(self.b(x))
        return torch.sigmoid(self.d(x + self.act(self.c(y))))


def heard(net, x, **how):
    seen = {}
    with net.watch(lambda name, value: seen.setdefault(name, []).append(value.clone()), "*", **how):
        net.run(x)
    return seen


def test_units_are_told_by_kind_and_never_by_the_number_of_axes():
    parts = {
        "dense": nn.Linear(3, 5), "conv": nn.Conv1d(3, 5, 1), "up": nn.ConvTranspose3d(3, 5, 1), "words": nn.Embedding(9, 5),
        "two": nn.Bilinear(3, 3, 5), "lstm": nn.LSTM(3, 5, bidirectional=True), "gru": nn.GRU(3, 5, batch_first=True),
        "cell": nn.GRUCell(3, 5), "mha": nn.MultiheadAttention(6, 2),
    }  # fmt: skip
    layers = {layer.name: layer for layer in Torch(nn.ModuleDict(parts)).layers}
    told = {name: (n.kind, n.units, n.unit_axis, n.batch_axis, n.unit) for name, n in layers.items()}
    assert told == {
        "dense": ("dense", 5, -1, 0, "neuron"), "conv": ("conv", 5, 1, 0, "channel"), "up": ("conv", 5, 1, 0, "channel"),
        "words": ("embedding", 5, -1, 0, "feature"), "two": ("dense", 5, -1, 0, "neuron"),
        "lstm": ("recurrent", 10, -1, 1, "neuron"), "gru": ("recurrent", 5, -1, 0, "neuron"),
        "cell": ("recurrent", 5, -1, 0, "neuron"), "mha": ("attention", 6, -1, 1, "neuron"),
    }  # fmt: skip


def test_in_a_sequential_the_nonlinearity_is_known_before_any_pass_and_the_norm_passed_through():
    net = Torch(conv_net())
    first, last = net.layers
    assert (first.name, first.nonlinearity, last.name, last.nonlinearity) == ("0", "ReLU", "5", None)
    assert "BatchNorm2d" in first.remark
    x = torch.randn(2, 1, 8, 8)
    with torch.no_grad():
        wanted = net.model[:3](x)
    assert torch.equal(heard(net, x)["0"][0], wanted)


def test_a_pass_shows_the_nonlinearity_the_functions_and_the_edges():
    net, x = Torch(Written()), torch.randn(5, 3)
    for _ in range(2):  # the pass that teaches, and one after it
        seen = heard(net, x)
        m = net.model
        with torch.no_grad():
            a = torch.relu(m.a(x))
            b = m.b(a)
            c = torch.relu(m.c(torch.relu(b)))
            d = m.d(a + c)
        for name, wanted in {"a": a, "b": b, "c": c, "d": d}.items():
            assert len(seen[name]) == 1
            assert torch.equal(seen[name][0], wanted)
    layers = {layer.name: layer for layer in net.layers}
    assert {n: layer.nonlinearity for n, layer in layers.items()} == {"a": "ReLU", "b": None, "c": "ReLU", "d": None}
    assert "relu" in layers["b"].remark and "sigmoid" in layers["d"].remark
    assert {n: set(layer.inputs) for n, layer in layers.items()} == {
        "a": set(),
        "b": {"a"},
        "c": {"b"},
        "d": {"a", "c"},
    }


def test_functional_true_hears_plain_functions_too():
    net, x = Torch(Written(), functional=True), torch.randn(5, 3)
    for _ in range(2):
        seen, m = heard(net, x), net.model
        with torch.no_grad():
            a = torch.relu(m.a(x))
            b = torch.relu(m.b(a))
            c = torch.relu(m.c(b))
            d = torch.sigmoid(m.d(a + c))
        for name, wanted in {"a": a, "b": b, "c": c, "d": d}.items():
            assert len(seen[name]) == 1
            assert torch.equal(seen[name][0], wanted), name
    assert [layer.nonlinearity for layer in net.layers] == ["ReLU", "relu", "ReLU", "sigmoid"]
    assert torch.overrides._get_current_function_mode_stack() == []


def test_preactivations_are_the_computing_modules_own_outputs():
    net, x = Torch(Written()), torch.randn(5, 3)
    for _ in range(2):
        seen = heard(net, x, place="preactivation")
        assert torch.equal(seen["a"][0], net.model.a(x))
        assert all(len(values) == 1 for values in seen.values())


def test_edges_of_a_residual_net_skip_what_is_added():
    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.one, self.two, self.norm = nn.Conv2d(4, 4, 1), nn.Conv2d(4, 4, 1), nn.BatchNorm2d(4)

        def forward(self, x):
            return torch.relu(self.norm(self.two(torch.relu(self.one(x)))) + x)

    net = Torch(nn.Sequential(nn.Conv2d(1, 4, 1), Block(), Block(), nn.Flatten(), nn.Linear(16, 2)))
    heard(net, torch.randn(3, 1, 2, 2))
    assert {layer.name: set(layer.inputs) for layer in net.layers} == {
        "0": set(), "1.one": {"0"}, "1.two": {"1.one"}, "2.one": {"0", "1.two"}, "2.two": {"2.one"},
        "4": {"0", "1.two", "2.two"},
    }  # fmt: skip
    assert "norm" in net.layer("1.two").remark  # nothing bends it: heard where others take it


def test_without_gradients_the_order_of_execution_stands_in_until_a_pass_has_some():
    net, x = Torch(Written()), torch.randn(5, 3)
    with torch.no_grad():
        heard(net, x)
    assert net.layer("d").inputs == ("c",)
    heard(net, x)
    assert set(net.layer("d").inputs) == {"a", "c"}


def test_in_place_nonlinearities_and_additions_are_heard_at_the_right_moment():
    class InPlace(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b, self.act = nn.Linear(3, 4), nn.Linear(4, 4), nn.ReLU(inplace=True)

        def forward(self, x):
            y = self.act(self.a(x))
            z = self.b(y)
            z += y
            return z

    net, x = Torch(InPlace()), torch.randn(5, 3)
    m = net.model
    for _ in range(2):
        early, seen = heard(net, x, place="preactivation"), heard(net, x)
        with torch.no_grad():
            assert torch.equal(early["a"][0], m.a(x))
            assert torch.equal(seen["a"][0], m.a(x).relu())
            assert torch.equal(seen["b"][0], m.b(m.a(x).relu()))
    np.testing.assert_array_equal(net.probe(x)["b"], seen["b"][0].numpy())


@pytest.mark.parametrize("functional", [False, True])
@pytest.mark.parametrize("inplace", [False, True])
def test_what_an_addition_in_place_made_is_not_the_layers_own(functional, inplace):
    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.norm, self.b = nn.Linear(4, 4), nn.BatchNorm1d(4), nn.Linear(4, 4)
            self.act = nn.ReLU(inplace=inplace)

        def bend(self, x):
            return torch.relu(x) if functional else self.act(x)

        def forward(self, x):
            out = self.norm(self.b(self.bend(self.a(x))))
            out += x
            return self.bend(out)

    net, x = Torch(Block().eval(), functional=functional), torch.randn(5, 4)
    m = net.model
    for _ in range(2):
        seen = heard(net, x)
        with torch.no_grad():
            assert torch.equal(seen["a"][0], m.a(x).relu())
            assert torch.equal(seen["b"][0], m.norm(m.b(m.a(x).relu())))


def test_every_leaf_is_a_layer_when_asked():
    net = Torch(conv_net(), leaves=True)
    assert [(n.name, n.unit_axis, n.units) for n in net.layers] == [
        ("0", 1, 4), ("1", 1, 4), ("2", 1, 4), ("3", 1, None), ("4", -1, None), ("5", -1, 3)
    ]  # fmt: skip
    x = torch.randn(2, 1, 8, 8)
    seen = heard(net, x)
    assert torch.equal(seen["0"][0], net.model[0](x)) and torch.equal(seen["2"][0], seen["1"][0].relu())
    assert net.layer("5").inputs == ("4",)


def test_names_are_those_of_the_users_own_module():
    wrapped = nn.Sequential(nn.DataParallel(conv_net()))
    assert [layer.name for layer in Torch(wrapped).layers] == ["0.0", "0.5"]
    assert [layer.name for layer in Torch(nn.DataParallel(conv_net())).layers] == ["0", "5"]
    assert [layer.name for layer in Torch(torch.compile(conv_net(), backend="eager")).layers] == ["0", "5"]
    inner = conv_net()
    inner[0] = torch.compile(inner[0], backend="eager")
    assert [layer.name for layer in Torch(inner).layers] == ["0", "5"]
    assert [layer.name for layer in Torch(nn.Linear(2, 2)).layers] == ["model"]


@pytest.mark.filterwarnings("ignore:`torch.jit.trace:DeprecationWarning")  # of newer versions of torch
def test_what_cannot_be_heard_is_refused_by_name():
    scripted = torch.jit.trace(conv_net().eval(), torch.randn(1, 1, 8, 8))
    with pytest.raises(Unsupported, match="TorchScript"):
        Torch(scripted)
    with pytest.raises(Unsupported, match="lazy"):
        Torch(nn.Sequential(nn.LazyLinear(3)))
    with pytest.raises(Unsupported, match="no module that computes"):
        Torch(nn.Sequential(nn.ReLU()))
    with pytest.raises(UnknownName, match="conv"):
        Torch(nn.ModuleDict({"conv1": nn.Conv2d(1, 1, 1)})).layer("conv2")


class Residual(nn.Module):
    def __init__(self):
        super().__init__()
        self.enter, self.inner, self.back = nn.Linear(5, 8), nn.Linear(8, 8), nn.Linear(8, 8)
        self.bn, self.bend, self.out = nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 3)

    def forward(self, x):
        x = torch.relu(self.enter(x))
        return self.out(self.bend(self.bn(x + self.back(torch.relu(self.inner(x))))))


@pytest.mark.parametrize("before", [False, True])
def test_what_bends_a_sum_is_remarked_of_the_layer_that_was_added(before):
    net = Torch(Residual())
    if before:
        net.probe(torch.randn(4, 5))  # a pass without gradients shows less
    net.look(torch.randn(4, 5))
    remarks = {layer.name: layer.remark for layer in net.layers}
    assert "before relu" in remarks["enter"] and "before relu" in remarks["inner"]
    assert remarks["back"] == "recorded before it is added to others, ahead of relu"
    assert remarks["out"] is None


def test_structures_are_looked_for_in_every_layer_that_something_bends():
    x = torch.randn(60, 5)
    found = structure(Residual(), (x, torch.arange(60) % 3), 1, size=24, progress=False)
    assert {name: len(units) for name, units in found.members.items()} == {"enter": 8, "inner": 8, "back": 8}
