"""What reaches a unit directly from another: closed forms, brute force, and totals that are the target's own."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from nissl.adapters.torch import Torch
from nissl.errors import BadValue
from nissl.models.basic_cnn import BasicCnn
from nissl.models.resnet20 import Resnet20
from nissl.models.transformer import Transformer
from tests.adapters.secant_models import Attention, Gated, HandNorm, Mixed, encoder, mlp, rand


def secants(here, there):
    return np.cos(np.arange(here.size)).reshape(here.shape).astype(here.dtype)


def slopes(outputs):
    return secants(outputs, outputs)


def test_in_a_perceptron_an_edge_is_a_product_of_three():
    torch.manual_seed(0)
    model, x, other = mlp().double(), rand(5, 6, seed=1), rand(5, 6, seed=2)
    net = Torch(model)
    done = net.secant(x, other, secants, ["0", "2", "4"])
    moved = {name: done.values[name] - done.others[name] for name in done.values}
    with torch.no_grad():
        before, there = model[:3](x), model[:3](other)
    chord = (F.gelu(before) - F.gelu(there)) / (before - there)
    got = net.edges(x, secants, [("0", "2"), ("2", "4")], other=other)
    wanted = moved["0"][:, :, None] * model[2].weight.detach().T * (done.slopes["2"] * chord)[:, None]
    np.testing.assert_allclose(got["0", "2"], wanted, rtol=1e-9)
    np.testing.assert_allclose(
        got["2", "4"], moved["2"][:, :, None] * model[4].weight.detach().T * done.slopes["4"][:, None], rtol=1e-9
    )

    before.requires_grad_()
    model[3:](before).backward(torch.as_tensor(slopes(done.outputs)))
    rest = np.linspace(-1, 1, 8)
    got = net.edges(x, slopes, [("0", "2")], baseline={"0": rest})["0", "2"]
    wanted = (done.values["0"] - torch.as_tensor(rest))[:, :, None] * model[2].weight.detach().T * before.grad[:, None]
    np.testing.assert_allclose(got, wanted, rtol=1e-9)


@pytest.mark.parametrize("padding", ["zeros", "circular"])
def test_between_convolutions_as_by_brute_force(padding):
    torch.manual_seed(0)
    second = nn.Conv2d(3, 4, 3, stride=2, padding=1, padding_mode=padding)
    model = nn.Sequential(
        nn.Conv2d(2, 3, 3), nn.Tanh(), nn.AvgPool2d(2), second, nn.ReLU(), nn.Flatten(), nn.Linear(16, 3)
    )
    net, x, rest = Torch(model.double()), rand(5, 2, 10, 10), rand(8, 8, 3, seed=3)
    got = net.edges(x, slopes, [("0", "3"), ("3", "6")], baseline={"0": rest.numpy(), "3": np.zeros(4)})
    value = net.passage(x, slopes, ["0"]).values["0"]
    before = model[2:4](value).detach().requires_grad_()
    model[4:](before).backward(torch.as_tensor(slopes(net.forward(x))))
    with torch.no_grad():
        for unit in range(3):
            without = value.clone()
            without[:, unit] = rest[..., unit]
            wanted = ((before - model[2:4](without)) * before.grad).sum((2, 3))
            np.testing.assert_allclose(got["0", "3"][:, unit], wanted, rtol=1e-9, atol=1e-12)
        parts = model[4](before)[:, :, None] * model[6].weight.view(3, 4, 2, 2)[None].movedim(1, 2).flatten(
            3
        ).unflatten(3, (2, 2))
        wanted = parts.sum((3, 4)) * torch.as_tensor(slopes(net.forward(x)))[:, None]
    np.testing.assert_allclose(got["3", "6"], wanted, rtol=1e-9)


def test_a_residual_stream_leads_to_each_layer_from_every_one_before():
    class Stream(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b, self.c, self.out = nn.Linear(6, 5), nn.Linear(5, 5), nn.Linear(5, 5), nn.Linear(5, 2)

        def forward(self, x):
            x = self.a(x)
            x = x + self.b(x)
            x = x + 2 * self.c(x)
            return self.out(x)

    torch.manual_seed(0)
    model, x = Stream().double(), rand(4, 6)
    net = Torch(model)
    done = net.passage(x, slopes, ["a", "b", "c", "out"])
    pairs = [(s, t) for s, t in zip("aabcab", ["b", "c", "c", "out", "out", "out"], strict=True)]
    got = net.edges(x, slopes, pairs, baseline=dict.fromkeys("abc", np.zeros(5)))
    for (source, target), edges in got.items():
        factor = 2 if source == "c" else 1
        weight = factor * getattr(model, target).weight.detach().T
        wanted = done.values[source][:, :, None] * weight * done.slopes[target][:, None]
        np.testing.assert_allclose(edges, wanted, rtol=1e-9, err_msg=f"{source} {target}")


CASES = {
    "mlp": (mlp, (4, 6)),
    "gated": (Gated, (4, 6)),
    "mixed": (Mixed, (4, 2, 8, 8)),
    "norm": (lambda: HandNorm("rms"), (4, 6)),
    "attention": (lambda: Attention(30.0), (4, 5, 6)),
    "encoder": (lambda: encoder(batch_first=True), (4, 5, 6)),
    "basic_cnn": (lambda: BasicCnn((1, 12, 12), 3).build(), (4, 1, 12, 12)),
    "resnet20": (lambda: Resnet20((3, 8, 8), 3).build(), (2, 3, 8, 8)),
    "transformer": (lambda: Transformer((2, 8, 8), 3, patch=4, width=16, heads=2).build(), (4, 2, 8, 8)),
}


@pytest.mark.parametrize("case", CASES)
def test_what_leads_to_a_unit_is_all_that_it_adds(case):
    make, shape = CASES[case]
    torch.manual_seed(1)
    net, x, other = Torch(make().double()), rand(*shape, seed=1, scale=3), rand(*shape, seed=2, scale=3)
    done = net.secant(x, other, secants, [layer.name for layer in net.layers])
    layers = {layer.name: layer for layer in net.layers if layer.inputs}
    pairs = [(source, name) for name in layers for source in layers[name].inputs]
    assert len(pairs) >= len(net.layers) - 3
    got = net.edges(x, secants, pairs, other=other)
    for name, layer in layers.items():
        own = (done.values[name] - done.others[name]) * done.slopes[name]
        wanted = own.movedim(layer.unit_axis, -1).flatten(1, -2).sum(1) if own.dim() > 2 else own
        total = sum(got[pair].sum(1) for pair in pairs if pair[1] == name)
        np.testing.assert_allclose(total, wanted, rtol=1e-8, atol=1e-10, err_msg=name)


def test_baselines_are_asked_for_and_checked():
    net, x = Torch(mlp().double()), rand(4, 6)
    with pytest.raises(BadValue, match="baseline"):
        net.edges(x, slopes, [("0", "2")])
    with pytest.raises(BadValue, match=r"\(7,\)"):
        net.edges(x, slopes, [("0", "2")], baseline={"0": np.zeros(7)})
