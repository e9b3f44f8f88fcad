"""Recurrent layers, attention, and modules that return more than a tensor."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils.rnn import pack_padded_sequence

from nissl.adapters.torch import Torch


def heard(net, x, **how):
    seen = {}
    with net.watch(lambda name, value: seen.setdefault(name, []).append(value.clone()), "*", **how):
        net.run(x)
    return seen


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


@pytest.mark.filterwarnings("ignore:The PyTorch API of nested tensors")
def test_an_encoder_with_a_padding_mask_is_heard_and_changed_in_evaluation_mode():
    class Encoder(nn.Module):
        def __init__(self):
            super().__init__()
            block = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True, dropout=0.0)
            self.words, self.encoder = nn.Embedding(20, 8), nn.TransformerEncoder(block, 2)

        def forward(self, x):
            return self.encoder(self.words(x), src_key_padding_mask=x == 0)

    torch.manual_seed(0)
    x = torch.randint(1, 20, (4, 7))
    x[:2, 5:] = 0
    net, real = Torch(Encoder().eval()), x != 0
    name, seen = "encoder.layers.1.linear2", {}
    with net.watch(lambda n, v: seen.setdefault(n, v.clone()), name, passes="training"):
        net.model.train()(x)  # what training passes compute: padded, not nested
    net.model.eval()
    probed = torch.from_numpy(net.probe(x, name)[name])
    torch.testing.assert_close(probed[real], seen[name][real])
    with torch.no_grad():
        plain = net.model(x)
        with net.change(name, [1], 9.0):
            changed, heard = net.model(x), net.probe(x, name)[name]
    assert (heard[real.numpy()][:, 1] == 9).all() and not torch.equal(changed, plain)
