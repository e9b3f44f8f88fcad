"""Mean slopes between two inputs: they tell the whole difference, example by example, and one operation's are integrals."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.checkpoint import checkpoint

from nissl.adapters.torch import Torch
from nissl.errors import BadValue, NisslWarning, Unsupported
from nissl.models.basic_cnn import BasicCnn
from nissl.models.resnet20 import Resnet20
from nissl.models.simple_net import SimpleNet
from nissl.models.transformer import Transformer
from tests.adapters.secant_models import Attention, Gated, HandNorm, Mixed, Only, Recurrent, encoder, mlp, rand


def linear(*outs):
    """Slopes of a score that is linear in the outputs."""
    return np.broadcast_to(np.linspace(-1, 1, outs[0][0].size).reshape(outs[0].shape[1:]), outs[0].shape)


def told(net, x, other, at, slopes=linear, batch=0):
    """By layer: what (value - other value) * slope sums to, for every example."""
    done = net.secant(x, other, slopes, at)
    axes = {layer.name: layer.batch_axis for layer in net.layers} | {"input": batch}
    summed = {
        name: ((done.values[name] - done.others[name]) * done.slopes[name]).movedim(axes[name], 0).flatten(1).sum(1)
        for name in at
    }
    return done, {name: s.detach().numpy() for name, s in summed.items()}


def complete(model, x, other, at, rtol=1e-9, batch=0):
    net = Torch(model.double() if x.dtype != torch.float32 else model)
    done, sums = told(net, x, other, at, batch=batch)
    there = net.forward(other)
    wanted = (
        ((done.outputs - there) * linear(there)).swapaxes(0, batch).reshape(len(there.swapaxes(0, batch)), -1).sum(1)
    )
    assert np.abs(wanted).max() > 1e-3 * np.abs(there).max()
    for name in at:
        np.testing.assert_allclose(sums[name], wanted, rtol=rtol, atol=rtol * np.abs(wanted).max(), err_msg=name)
    return done


ROWS, STEPS, IMAGES = (4, 6), (4, 5, 6), (4, 2, 8, 8)
CASES = {
    "mlp": (mlp, ROWS, ["input", "0", "2", "4"]),
    "gated": (Gated, ROWS, ["input", "out"]),
    "mixed": (Mixed, IMAGES, ["input", "conv", "out"]),
    "mixed, tanh": (lambda: Mixed(nn.Tanh()), IMAGES, ["input", "conv", "out"]),
    "attention": (lambda: Attention(1.0), STEPS, ["input", "out"]),
    "attention, saturated": (lambda: Attention(1e4), STEPS, ["input", "out"]),
    "attention, causal": (lambda: Attention(30.0, causal=True), STEPS, ["input", "out"]),
    "encoder": (lambda: encoder(batch_first=True), STEPS, ["input", "0", "2"]),
    "encoder, norm first": (lambda: encoder(batch_first=True, norm_first=True, activation="gelu"), STEPS, ["input", "0"]),
    "std norm": (lambda: HandNorm("std"), ROWS, ["input", "a"]),
    "var norm": (lambda: HandNorm("var"), ROWS, ["input", "a"]),
    "unit norm": (lambda: HandNorm("unit"), ROWS, ["input", "a"]),
    "rms norm": (lambda: HandNorm("rms"), ROWS, ["input", "a"]),
    "lstm": (lambda: Recurrent(nn.LSTM), STEPS, ["input", "out"]),
    "gru": (lambda: Recurrent(nn.GRU), STEPS, ["input", "out"]),
    "basic_cnn": (lambda: BasicCnn((1, 12, 12), 3).build(), (4, 1, 12, 12), ["input", "conv1", "conv3", "output"]),
    "resnet20": (lambda: Resnet20((3, 8, 8), 3).build(), (4, 3, 8, 8), ["input", "conv1", "linear"]),
    "transformer": (
        lambda: Transformer((2, 8, 8), 3, patch=4, width=16, heads=2).build(), (4, 2, 8, 8), ["input", "embed.cut", "output"],
    ),
    "transformer, every": (
        lambda: Transformer((2, 8, 8), 3, patch=4, width=16, heads=2, every=True).build(), (4, 2, 8, 8), ["input"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_slopes_tell_the_whole_difference_at_every_cut(case):
    make, shape, at = CASES[case]
    torch.manual_seed(1)
    complete(make(), rand(*shape, seed=1, scale=3), rand(*shape, seed=2, scale=3), at)


def test_simple_net_is_complete_too():
    torch.manual_seed(0)
    complete(SimpleNet((3, 32, 32), 3).build(), rand(2, 3, 32, 32, seed=1), rand(2, 3, 32, 32, seed=2), ["input"])


def test_sequence_first_and_dictionaries_and_tuples():
    torch.manual_seed(0)
    x, other = rand(5, 4, 6, seed=1), rand(5, 4, 6, seed=2)
    model = encoder(batch_first=False)
    complete(model, x, other, ["input"], batch=1)

    class Two(nn.Module):
        def __init__(self):
            super().__init__()
            self.embed, self.mix, self.out = nn.Embedding(9, 6), mlp(), nn.Linear(3, 3)

        def forward(self, tokens, rows):
            return self.out(self.mix(self.embed(tokens) * rows).tanh())

    net, tokens = Torch(Two().double()), torch.arange(8)
    pairs = (tokens[:4], rand(4, 6)), (tokens[4:], rand(4, 6, seed=1))
    first, _ = told(net, *pairs, ["out", "mix.2"])
    named = [dict(zip(("tokens", "rows"), pair, strict=True)) for pair in pairs]
    second, sums = told(net, *named, ["out", "mix.2", "mix.4"])
    wanted = ((net.forward(named[0]) - net.forward(named[1])) * linear(first.outputs)).sum(1)
    for name, got in sums.items():
        np.testing.assert_allclose(got, wanted, rtol=1e-9, err_msg=name)
    torch.testing.assert_close(first.slopes["mix.2"], second.slopes["mix.2"])
    at_input = net.secant(*named, linear, ["input"]).slopes["input"]
    assert set(at_input) == {"rows"}


def test_every_input_may_have_slopes_of_its_own_and_a_chord_of_the_score():
    torch.manual_seed(0)
    net, x, other = Torch(mlp().double()), rand(*ROWS, seed=1), rand(*ROWS, seed=2)
    _, sums = told(net, x, other, ["0"], lambda a, b: a + b)  # of the sum of squares
    wanted = (net.forward(x) ** 2).sum(1) - (net.forward(other) ** 2).sum(1)
    np.testing.assert_allclose(sums["0"], wanted, rtol=1e-9)


def test_single_and_half_precision():
    torch.manual_seed(0)
    x, other = rand(*STEPS, seed=1).float(), rand(*STEPS, seed=2).float()
    complete(encoder(batch_first=True), x, other, ["input", "0"], rtol=1e-4)
    exact = Torch(encoder(batch_first=True).double())
    half = Torch(encoder(batch_first=True).bfloat16())
    half.model.load_state_dict(exact.model.state_dict())
    done = half.secant(x.bfloat16(), other.bfloat16(), linear, ["0"])
    wanted = exact.secant(x.double(), other.double(), linear, ["0"])
    assert done.slopes["0"].dtype == torch.bfloat16
    got, wanted = done.slopes["0"].double().flatten(), wanted.slopes["0"].flatten()
    assert torch.corrcoef(torch.stack((got, wanted)))[0, 1] > 0.999


def test_secants_hear_changes_and_leave_nothing_behind():
    torch.manual_seed(0)
    model = Mixed().double()
    net, x, other = Torch(model), rand(*IMAGES, seed=1), rand(*IMAGES, seed=2)
    before = {k: v.clone() for k, v in model.state_dict().items()}
    fast, onednn = torch.backends.mha.get_fastpath_enabled(), torch._C._get_mkldnn_enabled()
    with net.change("conv", [1, 2], lambda v: v * 0.5):
        done, sums = told(net, x, other, ["conv"])
        wanted = ((done.outputs - net.forward(other)) * linear(done.outputs)).sum(1)
    np.testing.assert_allclose(sums["conv"], wanted, rtol=1e-9)
    assert model.training and all(p.grad is None for p in model.parameters())
    assert all(torch.equal(v, before[k]) for k, v in model.state_dict().items())
    assert (torch.backends.mha.get_fastpath_enabled(), torch._C._get_mkldnn_enabled()) == (fast, onednn)


def test_an_input_that_is_overwritten_later_is_remembered():
    def residual(x):
        x = x.clone()
        x += F.relu(x).flip(1)
        return x

    net, x, other = Torch(Only(residual).double()), rand(4, 6, seed=3), rand(4, 6, seed=4)
    _, sums = told(net, x, other, ["a"])
    wanted = ((net.forward(x) - net.forward(other)) * linear(x.numpy())).sum(1)
    np.testing.assert_allclose(sums["a"], wanted, rtol=1e-9)


def test_checkpointing_computes_the_same_again():
    def block(x):
        x = x.reshape(1, 4, 6)
        return F.gelu(F.scaled_dot_product_attention(9 * x, x, x)).reshape(4, 6)

    x, other = rand(4, 6, seed=3), rand(4, 6, seed=4)
    once = Torch(Only(block).double()).secant(x, other, linear, ["a"]).slopes["a"]
    again = Torch(Only(lambda x: checkpoint(block, x, use_reentrant=False)).double()).secant(x, other, linear, ["a"])
    torch.testing.assert_close(again.slopes["a"], once, rtol=0, atol=0)


class Own(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x.relu()

    @staticmethod
    def backward(ctx, slope):
        return slope * (ctx.saved_tensors[0] > 0)


def written(x):
    x = x.clone()
    x[:, 1:3].relu_()
    return x


@pytest.mark.parametrize(
    ("function", "named"),
    [
        (Own.apply, "Own"),
        (written, "relu"),
        (lambda x: x.sort(-1).values, "sort"),
        (lambda x: x.norm(1, dim=1), "norm"),
    ],
)
def test_what_has_no_secant_is_named(function, named):
    net, x, other = Torch(Only(function).double()), rand(4, 6, seed=3), rand(4, 6, seed=4)
    with pytest.warns(NisslWarning, match=named):
        got = net.secant(x, other, lambda a, b: np.cos(a), ["a"]).slopes["a"]
    assert torch.isfinite(got).all()


def test_inputs_that_can_not_be_compared_are_refused():
    def crossing(x):
        return x.relu() if x[0, 0] > 0 else x.tanh()

    net, x = Torch(Only(crossing).double()), rand(4, 6).abs()
    with pytest.raises(Unsupported, match="tanh"):
        net.secant(x, -x, linear, ["a"])
    with pytest.raises(BadValue, match=r"\(4, 6\)"):
        net.secant(x, x[:2], linear, ["a"])
    with pytest.raises(BadValue, match=r"\(4, 5\)"):
        net.secant(x, x, lambda a, b: a[:, :5], ["a"])
