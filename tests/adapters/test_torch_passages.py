"""One pass forth and back: values, gradients, outputs; with the scales of norms held, if asked."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.utils import parametrize

from nissl.adapters.torch import Torch
from nissl.errors import BadValue


def rand(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_a_passage_is_the_gradient_and_what_was_heard():
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Conv2d(2, 3, 3), nn.ReLU(), nn.Flatten(), nn.Linear(48, 5), nn.GELU(), nn.Linear(5, 4)
    ).double()
    net, x, weights, asked = Torch(model), rand(6, 2, 6, 6), rand(6, 4, seed=1).numpy(), []

    def slopes(outputs):
        asked.append(outputs.copy())
        return weights

    done = net.passage(x, slopes, ["input", "0", "3", "5"])
    np.testing.assert_array_equal(done.outputs, net.forward(x))
    np.testing.assert_array_equal(asked, [done.outputs])
    heard, wanted = net.probe(x), net.gradient(x, weights, at=["input", "0", "3", "5"])
    for name, slope in done.slopes.items():
        torch.testing.assert_close(slope, wanted[name])
        np.testing.assert_array_equal(done.values[name], x if name == "input" else heard[name])
    model(x).backward(torch.as_tensor(weights))
    np.testing.assert_allclose(done.slopes["5"].sum(0), model[5].bias.grad)
    assert not done.others
    with pytest.raises(BadValue, match="shape"):
        net.passage(x, lambda out: out[:, :3], ["3"])


def test_no_gradient_of_a_weight_is_computed():
    computed = []

    class Told(nn.Module):
        def forward(self, w):
            w = w.clone()
            if w.requires_grad:
                w.register_hook(lambda g: computed.append(g.shape))
            return w

    model = nn.Sequential(nn.Linear(6, 5), nn.ReLU(), nn.Linear(5, 4), nn.ReLU(), nn.Linear(4, 3)).double()
    for i in (0, 2, 4):
        parametrize.register_parametrization(model[i], "weight", Told())
    net, x, slopes = Torch(model), rand(7, 6), lambda *out: np.ones_like(out[0])
    net.passage(x, slopes, ["0", "2"])
    net.secant(x, -x, slopes, ["0", "2"])
    assert not computed
    model(x).sum().backward()
    assert len(computed) == 3


class Hand(nn.Module):
    def __init__(self, how):
        super().__init__()
        self.how = how

    def forward(self, x):
        return self.how(x)


class HandLayerNorm(Hand):
    pass


def centred(x):
    return x - x.mean(-1, keepdim=True)


def rms(x):
    return x / (x.square().mean(-1, keepdim=True) + 1e-3).sqrt()


NORMS = {
    "module": (
        lambda: nn.LayerNorm(6, 1e-3),
        centred,
        lambda x: (x.var(-1, keepdim=True, correction=0) + 1e-3).rsqrt(),
    ),
    "function": (
        lambda: Hand(lambda x: F.layer_norm(x, (6,), eps=1e-3)),
        centred,
        lambda x: (x.var(-1, keepdim=True, correction=0) + 1e-3).rsqrt(),
    ),
    "group": (
        lambda: Hand(lambda x: F.group_norm(x, 1, eps=1e-3)),
        centred,
        lambda x: (x.var(-1, keepdim=True, correction=0) + 1e-3).rsqrt(),
    ),
    "rms": (lambda: nn.RMSNorm(6, 1e-3), lambda x: x, lambda x: (x.square().mean(-1, keepdim=True) + 1e-3).rsqrt()),
    "rms function": (
        lambda: Hand(lambda x: F.rms_norm(x, (6,), eps=1e-3)),
        lambda x: x,
        lambda x: (x.square().mean(-1, keepdim=True) + 1e-3).rsqrt(),
    ),
    "hand, std": (
        lambda: HandLayerNorm(lambda x: centred(x) / (x.std(-1, keepdim=True) + 1e-3)),
        centred,
        lambda x: 1 / (x.std(-1, keepdim=True) + 1e-3),
    ),
    "hand, root": (
        lambda: HandLayerNorm(rms),
        lambda x: x,
        lambda x: (x.square().mean(-1, keepdim=True) + 1e-3).rsqrt(),
    ),
    "hand, power": (
        lambda: HandLayerNorm(lambda x: x * (x.pow(2).mean(-1, keepdim=True) + 1e-3) ** -0.5),
        lambda x: x,
        lambda x: (x.square().mean(-1, keepdim=True) + 1e-3).rsqrt(),
    ),
}


@pytest.mark.parametrize("name", NORMS)
def test_frozen_scales_are_constants(name):
    make, centre, scale = NORMS[name]
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(6, 6), make(), nn.Linear(6, 6), nn.Tanh(), nn.Linear(6, 2)).double()
    if getattr(model[1], "weight", None) is not None:
        nn.init.normal_(model[1].weight)
    net, x, weights = Torch(model), rand(5, 6), rand(5, 2, seed=1)
    value = model[0](x).detach().requires_grad_()
    affine = getattr(model[1], "weight", None)
    normed = centre(value) * scale(value).detach() * (1 if affine is None else affine)
    bias = getattr(model[1], "bias", None)
    model[2:](normed if bias is None else normed + bias).backward(weights)
    done = net.passage(x, lambda _: weights.numpy(), ["0"], frozen=True)
    torch.testing.assert_close(done.slopes["0"], value.grad)
    np.testing.assert_array_equal(done.outputs, net.forward(x))
    free = net.passage(x, lambda _: weights.numpy(), ["0"])
    torch.testing.assert_close(free.slopes["0"], net.gradient(x, weights.numpy(), at="0"))
    assert not torch.allclose(free.slopes["0"], done.slopes["0"], rtol=1e-3)
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in model.modules())


def test_a_root_outside_of_norms_keeps_its_slope():
    model = nn.Sequential(nn.Linear(6, 6), Hand(lambda x: (x.square() + 1).sqrt()), nn.Linear(6, 2)).double()
    net, x, slopes = Torch(model), rand(5, 6), np.ones_like
    frozen, free = (net.passage(x, slopes, ["0"], frozen=f).slopes["0"] for f in (True, False))
    torch.testing.assert_close(frozen, free, rtol=0, atol=0)
