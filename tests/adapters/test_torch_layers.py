"""What a layer is, for torch: names, kinds, units, where it is heard, what feeds it, and its parameters."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils import parametrizations, prune
from torch.nn.utils.rnn import pack_padded_sequence

from nissl.adapters.torch import Torch
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


def test_a_module_called_again_is_a_layer_of_its_own():
    class Twice(nn.Module):
        def __init__(self):
            super().__init__()
            self.lin, self.act, self.out = nn.Linear(4, 4), nn.Tanh(), nn.Linear(4, 2)
            self.times = 2

        def forward(self, x):
            for _ in range(self.times):
                x = self.act(self.lin(x))
            return self.out(x)

    net, x = Torch(Twice()), torch.randn(3, 4)
    first = torch.tanh(net.model.lin(x))
    second = torch.tanh(net.model.lin(first))
    for _ in range(2):
        seen = heard(net, x)
        assert {name: len(v) for name, v in seen.items()} == {"lin": 1, "lin#2": 1, "out": 1}
        assert torch.equal(seen["lin"][0], first) and torch.equal(seen["lin#2"][0], second)
    assert net.layer("lin#2").inputs == ("lin",) and net.layer("out").inputs == ("lin#2",)
    assert [layer.name for layer in net.layers] == ["lin", "lin#2", "out"]
    net.model.times = 3
    heard(net, x)
    assert set(heard(net, x)) == {"lin", "lin#2", "lin#3", "out"}
    with net.watch(lambda name, value: only.append(name), ["lin"]):  # a name is that call and no other
        only = []
        net.run(x)
    assert only == ["lin"]


def test_one_module_under_two_names_and_tied_weights():
    class Tied(nn.Module):
        def __init__(self):
            super().__init__()
            self.words, self.head = nn.Embedding(7, 4), nn.Linear(4, 7, bias=False)
            self.head.weight = self.words.weight
            self.again = self.head

        def forward(self, x):
            return self.head(self.words(x))

    net = Torch(Tied())
    assert [layer.name for layer in net.layers] == ["words", "head"]
    assert "again" in net.layer("head").remark
    net.edit("head", {"weight": np.arange(28.0).reshape(7, 4)})
    np.testing.assert_array_equal(net.weights("words")["weight"], np.arange(28).reshape(7, 4).T)


@pytest.mark.parametrize("first", [True, False])
def test_recurrent_layers_also_with_packed_sequences(first):
    class Reader(nn.Module):
        def __init__(self):
            super().__init__()
            self.rnn, self.out = nn.LSTM(3, 5, batch_first=first), nn.Linear(5, 2)

        def forward(self, x):
            return self.out(self.rnn(x)[1][0][-1])

    net = Torch(Reader())
    x = torch.randn(4, 6, 3) if first else torch.randn(6, 4, 3)
    seen = heard(net, x)["rnn"][0]
    assert seen.shape == ((4, 6, 5) if first else (6, 4, 5))
    assert net.layer("out").inputs == ("rnn",)
    packed = pack_padded_sequence(x, torch.tensor([6, 4, 3, 1]), batch_first=first)
    value = heard(net, packed)["rnn"][0]
    layer = net.layer("rnn")
    assert value.shape[layer.batch_axis] == 14 and value.shape[layer.unit_axis] == 5
    sums = net.accumulator(layer)
    sums.fold(value)
    wanted = net.model.rnn(packed)[0].data.detach().double()
    np.testing.assert_allclose(sums.read().mean, wanted.mean(0).numpy(), atol=1e-7)
    with torch.no_grad(), net.change("rnn", [2], 0.25):
        assert (heard(net, packed)["rnn"][0][..., 2] == 0.25).all()


def test_tuples_and_dicts_are_heard_at_their_first_tensor():
    class Pair(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(torch.ones(3))

        def forward(self, x):
            return {"none": None, "out": x * self.weight, "other": x}

    class Whole(nn.Module):
        def __init__(self):
            super().__init__()
            self.pair, self.out = Pair(), nn.Linear(3, 2)

        def forward(self, x):
            return (self.out(self.pair(x)["out"]), "text")

    net, x = Torch(Whole()), torch.randn(4, 3)
    assert torch.equal(heard(net, x)["pair"][0], x)
    assert net.layer("pair").kind == "other"
    np.testing.assert_array_equal(net.forward(x), net.model.out(x).detach().numpy())
    with net.change("pair", [1], 7.0):
        changed = x.clone()
        changed[:, 1] = 7
        np.testing.assert_array_equal(net.forward(x), net.model.out(changed).detach().numpy())


def test_attention_blocks_have_heads_where_they_can_be_seen():
    class Attention(nn.Module):
        def __init__(self):
            super().__init__()
            self.num_heads = 2
            self.qkv, self.proj = nn.Linear(8, 24), nn.Linear(8, 8)

        def forward(self, x):
            q, k, v = (t.unflatten(-1, (2, 4)).transpose(1, 2) for t in self.qkv(x).chunk(3, -1))
            return self.proj(F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(-2))

    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.attn, self.out = Attention(), nn.Linear(8, 3)

        def forward(self, x):
            return self.out(self.attn(x)[:, 0])

    net, x = Torch(Block()), torch.randn(2, 5, 8)
    heads = net.layer("attn")
    assert (heads.kind, heads.unit, heads.units, heads.unit_axis) == ("attention", "head", 2, -2)
    for _ in range(2):
        seen = heard(net, x)
        assert seen["attn"][0].shape == (2, 5, 2, 4)
        assert torch.allclose(net.model.attn.proj(seen["attn"][0].flatten(-2)), seen["attn.proj"][0])
    assert net.layer("attn.proj").inputs == ("attn",) and net.layer("attn").inputs == ("attn.qkv",)
    with net.change("attn", [1]):
        cut = net.forward(x)
    before = net.weights("attn.proj")
    without = before["weight"].copy()
    without[:, 4:] = 0  # the second head's columns
    net.edit("attn.proj", {"weight": without})
    np.testing.assert_allclose(net.forward(x), cut, atol=1e-6)


def test_torchs_own_transformer_layer():
    net = Torch(nn.TransformerEncoderLayer(8, 2, 16, activation=nn.GELU(), batch_first=True, norm_first=True))
    x = torch.randn(3, 5, 8)
    seen = heard(net, x)
    assert {layer.name: layer.nonlinearity for layer in net.layers} == {
        "self_attn": None, "linear1": "GELU", "linear2": None,
    }  # fmt: skip
    assert seen["self_attn"][0].shape == (3, 5, 8)
    probed = net.probe(x)
    assert probed["linear1"].shape == (3, 5, 16)
    assert net.weights("self_attn")["weight"].shape == (8, 8)


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


def test_what_cannot_be_heard_is_refused_by_name():
    with pytest.warns(DeprecationWarning, match="trace"):
        scripted = torch.jit.trace(conv_net().eval(), torch.randn(1, 1, 8, 8))
    with pytest.raises(Unsupported, match="TorchScript"):
        Torch(scripted)
    with pytest.raises(Unsupported, match="lazy"):
        Torch(nn.Sequential(nn.LazyLinear(3)))
    with pytest.raises(Unsupported, match="no module that computes"):
        Torch(nn.Sequential(nn.ReLU()))
    with pytest.raises(UnknownName, match="conv"):
        Torch(nn.ModuleDict({"conv1": nn.Conv2d(1, 1, 1)})).layer("conv2")


def test_parameters_stand_unit_first_whatever_torchs_order():
    up, words = nn.ConvTranspose2d(4, 6, 3, groups=2), nn.Embedding(9, 5)
    net = Torch(nn.ModuleDict({"up": up, "words": words}))
    weight = net.weights("up")["weight"]
    assert weight.shape == (6, 2, 3, 3)
    for out in range(6):  # output channel `out` is column out % 3 of group out // 3, whose inputs are two of the four
        group = out // 3
        wanted = up.weight[2 * group : 2 * group + 2, out % 3].detach().numpy()
        np.testing.assert_array_equal(weight[out], wanted)
    np.testing.assert_array_equal(net.weights("words")["weight"], words.weight.detach().numpy().T)


@pytest.mark.parametrize("kind", [nn.LSTM, nn.GRU, nn.RNN])
def test_a_recurrent_units_row_holds_all_its_gates(kind):
    rnn = kind(3, 4, num_layers=2, bidirectional=True, bias=True)
    net = Torch(nn.ModuleDict({"rnn": rnn}))
    gates = rnn.weight_ih_l1.shape[0] // 4
    found = net.weights("rnn")
    assert found["weight_ih_l1"].shape == (8, gates * 8)
    for unit in range(4):
        rows = rnn.weight_ih_l1_reverse[unit::4].detach().numpy()
        np.testing.assert_array_equal(found["weight_ih_l1"][4 + unit], rows.ravel())
    net.edit("rnn", {key: np.arange(v.size, dtype=np.float32).reshape(v.shape) for key, v in found.items()})
    again = net.weights("rnn")
    for value in again.values():
        np.testing.assert_array_equal(value.ravel(), np.arange(value.size))


def test_parametrized_weights_are_read_and_written_as_the_weight_that_they_make():
    spectral, normed = parametrizations.spectral_norm(nn.Linear(3, 4)), parametrizations.weight_norm(nn.Linear(3, 4))
    net = Torch(nn.ModuleDict({"s": spectral, "n": normed}).train())
    assert [layer.name for layer in net.layers] == ["s", "n"]
    before = {k: v.clone() for k, v in spectral.state_dict().items()}
    net.weights("s")
    assert all(torch.equal(before[k], v) for k, v in spectral.state_dict().items())
    new = np.random.default_rng(0).normal(size=(4, 3)).astype(np.float32)
    net.edit("n", {"weight": new})
    np.testing.assert_allclose(net.weights("n")["weight"], new, rtol=1e-6)


def test_weights_that_are_made_anew_in_each_pass_are_not_edited():
    pruned = nn.Linear(3, 4)
    prune.random_unstructured(pruned, "weight", 0.5)
    net = Torch(nn.ModuleDict({"p": pruned}))
    assert net.weights("p")["weight"].shape == (4, 3)
    with pytest.raises(Unsupported, match="remove"):
        net.edit("p", {"weight": np.zeros((4, 3))})


def test_one_nonlinearity_for_all_layers_is_told_apart_by_what_it_is_given():
    class Deep(nn.Module):
        """Depth differs from pass to pass, as in stochastic depth or with heads that only training has."""

        def __init__(self):
            super().__init__()
            self.act, self.blocks = nn.ReLU(inplace=True), nn.ModuleList(nn.Linear(4, 4) for _ in range(3))
            self.skip = None

        def forward(self, x):
            for i, block in enumerate(self.blocks):
                if i != self.skip:
                    x = self.act(block(x))
            return x

    net, x = Torch(Deep()), torch.randn(3, 4)
    assert set(heard(net, x)) == {"blocks.0", "blocks.1", "blocks.2"}
    net.model.skip = 1
    first = torch.relu(net.model.blocks[0](x))
    wanted = {"blocks.0": first, "blocks.2": torch.relu(net.model.blocks[2](first))}
    seen = heard(net, x)
    assert seen.keys() == wanted.keys()
    assert all(torch.equal(seen[name][0], value) for name, value in wanted.items())
    gradients = {}
    with net.watch(gradients.__setitem__, "*", place="gradient"), net.change("blocks.2", [0], 5.0):
        assert (net.model(x)[:, 0] == 5).all()
        net.model(x).sum().backward()
    assert gradients.keys() == wanted.keys() and (gradients["blocks.2"][:, 0] == 1).all()
    assert not net.model.act._forward_hooks
