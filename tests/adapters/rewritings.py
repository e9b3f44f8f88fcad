"""Networks, and what is to become of their units; and the check that a new model does by its weights what hooks do."""

import copy
from contextlib import ExitStack

import numpy as np
import torch
from torch import nn

from nissl.adapters.torch import Torch
from nissl.models.basic_cnn import BasicCnn
from nissl.models.mlp import Mlp

DENSE, SEQUENCE, PICTURE = (8, 5), (8, 7, 5), (8, 3, 8, 8)


def inputs(shape, dtype=torch.float32):
    return torch.randn(*shape, dtype=dtype, generator=torch.Generator().manual_seed(1))


def made(build, dtype=torch.float32):
    """In evaluation mode, with norms that have something to say."""
    torch.manual_seed(0)
    model = build().to(dtype).eval()
    for module in model.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            module.running_mean.normal_()
            module.running_var.uniform_(0.5, 2)
            if module.affine:
                module.weight.data.uniform_(0.5, 1.5)
                module.bias.data.normal_()
    return model


def c(*values):
    return np.array(values, float)


def by_hooks(model, fixed, turned, x):
    net = Torch(model)
    net.probe(x)
    with ExitStack() as stack:
        for name, (units, to) in fixed.items():
            stack.enter_context(net.change(name, units, np.moveaxis(to, 0, -1)))
        for name, (units, factor, addend) in turned.items():
            f, a = torch.as_tensor(factor), torch.as_tensor(np.moveaxis(addend, 0, -1))
            stack.enter_context(net.change(name, units, lambda v, f=f, a=a: v * f.to(v) + a.to(v)))
        return net.forward(x)


def check(model, x, fixed, turned=None, *, shrink, gone=None):
    """Rewrites, and holds the new model to all that was promised; `gone`: how many units leave each layer."""
    turned = turned or {}
    before, said = copy.deepcopy(model.state_dict()), Torch(model).forward(x)
    new = Torch(model).rewritten(fixed, turned, shrink=shrink, x=x)
    wanted, got = by_hooks(model, fixed, turned, x), Torch(new.model).forward(x)
    tolerance = 1e-12 if wanted.dtype == np.float64 else 1e-5
    assert np.abs(got - wanted).max() <= tolerance * max(1.0, np.abs(wanted).max())
    assert np.abs(wanted - said).max() > 1e-4, "the changes change nothing"

    np.testing.assert_array_equal(Torch(model).forward(x), said)
    assert all(torch.equal(value, before[key]) for key, value in model.state_dict().items())
    shared = {id(p) for p in model.parameters()} & {id(p) for p in new.model.parameters()}
    assert not shared
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in new.model.modules())

    sizes = tuple(sum(p.numel() for p in m.parameters()) for m in (model, new.model))
    assert new.parameters == sizes
    if gone is not None:
        assert {name: len(units) for name, units in new.removed.items()} == gone
        assert all(set(units) <= set(fixed[name][0]) for name, units in new.removed.items())
        assert set(new.held) == {name for name in fixed if gone.get(name, 0) < len(fixed[name][0])}
        assert sizes[1] < sizes[0] or not gone
    return new


class Joined(nn.Module):
    """Two ways side by side; strides, padding, and convolutions and dense layers without a bias."""

    def __init__(self):
        super().__init__()
        self.a, self.bend_a = nn.Conv2d(3, 4, 3, padding=1), nn.ReLU()
        self.b, self.bend_b = nn.Conv2d(3, 5, 1, bias=False), nn.GELU()
        self.c, self.bend_c = nn.Conv2d(9, 6, 3, stride=2, padding=1, bias=False), nn.Tanh()
        self.out = nn.Linear(96, 3, bias=False)

    def forward(self, x):
        both = torch.cat([self.bend_a(self.a(x)), self.bend_b(self.b(x))], 1)
        return self.out(self.bend_c(self.c(both)).flatten(1))


class Gated(nn.Module):
    def __init__(self):
        super().__init__()
        self.gate, self.bend, self.up, self.down = nn.Linear(5, 8), nn.SiLU(), nn.Linear(5, 8), nn.Linear(8, 3)

    def forward(self, x):
        return self.down(self.bend(self.gate(x)) * self.up(x))


class Depthwise(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.bend = nn.Conv2d(3, 4, 1), nn.ReLU()
        self.deep, self.bend_deep = nn.Conv2d(4, 4, 3, padding=1, groups=4), nn.ReLU()
        self.out = nn.Linear(4, 3)

    def forward(self, x):
        return self.out(self.bend_deep(self.deep(self.bend(self.a(x)))).mean((2, 3)))


class Attending(nn.Module):
    def __init__(self):
        super().__init__()
        self.into, self.out = nn.Linear(5, 8), nn.Linear(8, 3)
        self.mixed = nn.MultiheadAttention(8, 2, batch_first=True, bias=False)

    def forward(self, x):
        x = self.into(x)
        return self.out(x + self.mixed(x, x, x)[0])


class Recurrent(nn.Module):
    def __init__(self):
        super().__init__()
        self.cell, self.out = nn.LSTM(5, 8, batch_first=True), nn.Linear(8, 3)

    def forward(self, x):
        return self.out(self.cell(x)[0])


class Twice(nn.Module):
    def __init__(self):
        super().__init__()
        self.into, self.same, self.bend, self.out = nn.Linear(5, 8), nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 3)

    def forward(self, x):
        x = self.bend(self.same(self.bend(self.into(x))))
        return self.out(self.bend(self.same(x)))


def bent(*bends):
    """A dense layer before each of these nonlinearities."""
    parts = [part for bend in bends for part in (nn.Linear(5, 5), bend)]
    return lambda: nn.Sequential(*copy.deepcopy(parts), nn.Linear(5, 3))


def normed():
    return nn.Sequential(
        nn.Conv2d(3, 6, 3, padding=1), nn.BatchNorm2d(6), nn.ReLU(), nn.Dropout2d(), nn.MaxPool2d(2),
        nn.Conv2d(6, 4, 3, padding=1, bias=False), nn.BatchNorm2d(4, affine=False), nn.PReLU(4), nn.Flatten(), nn.Linear(64, 3),
    )  # fmt: skip


CASES = {
    "mlp": (lambda: Mlp((1, 1, 5), hidden=(9, 7)).build(), DENSE,
            {"hidden_1": ([1, 5, 7], c(0, 0.5, 1)), "hidden_2": ([0], c(0.1))}, {}, {"hidden_1": 3, "hidden_2": 1}),
    "basic cnn": (lambda: BasicCnn((3, 12, 12)).build(), (8, 3, 12, 12),
                  {"conv1": ([1, 5], c(0, 0.5)), "conv2": ([0, 3], c(1, 1))}, {"conv3": ([1], c(0.5), c(0.2))}, {"conv1": 2, "conv2": 2}),
    "normed": (normed, PICTURE, {"0": ([1, 2], c(0, 0.7)), "5": ([0, 1], c(-0.2, 0.5))},
               {"0": ([3], c(2), c(0)), "5": ([2], c(2), c(1))}, {"0": 2, "5": 2}),
    "joined": (Joined, PICTURE, {"a": ([0, 2], c(0.5, 0)), "b": ([1], c(-0.1)), "c": ([3], c(0.2))},
               {"b": ([2], c(1.5), c(0.2)), "c": ([1, 2], c(1.5, -1), c(0.2, 0))}, {"a": 2, "b": 1, "c": 1}),
    "out of range": (Joined, PICTURE, {"a": ([0, 2], c(-0.5, 0)), "b": ([1], c(-0.5)), "c": ([3], c(2))}, {},
                     {"a": 2, "b": 1, "c": 1}),
    "gated": (Gated, DENSE, {"gate": ([0, 3], c(0.5, -0.1)), "up": ([3, 4], c(0.5, -0.1))}, {}, {"gate": 1, "up": 1}),
    "smooth": (bent(nn.GELU(), nn.Sigmoid(), nn.Tanh(), nn.SiLU(), nn.ELU(), nn.Softplus()), DENSE,
               {str(2 * i): ([1, 3], c(0.3, 0.6)) for i in range(6)}, {}, {str(2 * i): 2 for i in range(6)}),
    "beyond": (bent(nn.Sigmoid(), nn.ReLU6(), nn.LeakyReLU()), DENSE,
               {"0": ([0, 1], c(0, 2)), "2": ([3], c(7)), "4": ([1], c(-2))}, {"0": ([2], c(-3), c(0.5))}, {"0": 2, "2": 1, "4": 1}),
    "depthwise": (Depthwise, PICTURE, {"a": ([0, 2], c(0.5, 0)), "deep": ([1, 2], c(0.1, 0))}, {}, {}),
    "groups normed": (
        lambda: nn.Sequential(nn.Conv2d(3, 6, 3), nn.GroupNorm(2, 6), nn.ReLU(), nn.Conv2d(6, 4, 3), nn.InstanceNorm2d(4, affine=True),
                              nn.LeakyReLU(), nn.Flatten(), nn.Linear(64, 3)),
        PICTURE, {"0": ([1, 2], c(0, 0.7)), "3": ([1, 2], c(0, 0.7))}, {"0": ([3], c(0.5), c(0))}, {"3": 2}),
    "transposed": (
        lambda: nn.Sequential(nn.ConvTranspose2d(3, 6, 2, 2), nn.ReLU(), nn.ConvTranspose2d(6, 4, 3), nn.ReLU(), nn.Conv2d(4, 2, 3)),
        PICTURE, {"0": ([1, 2], c(0, 0.7)), "2": ([1, 2], c(0, 0.7))}, {}, {"2": 2}),
    "padded": (
        lambda: nn.Sequential(nn.Conv2d(3, 6, 3, padding=1, padding_mode="circular"), nn.ReLU(), nn.Conv2d(6, 4, 3, padding="same"),
                              nn.ReLU(), nn.Conv2d(4, 4, 3, padding=1, padding_mode="reflect"), nn.ReLU(), nn.Conv2d(4, 2, 1, padding=1)),
        PICTURE, {"0": ([1, 2], c(0, 0.7)), "2": ([1, 2], c(0, 0.7)), "4": ([0], c(0.4))}, {}, {"0": 2, "2": 2, "4": 1}),
    "sequences": (
        lambda: nn.Sequential(nn.Conv1d(7, 6, 3, padding=1), nn.ReLU(), nn.Conv1d(6, 4, 3, padding=1), nn.Flatten(), nn.Linear(20, 3)),
        SEQUENCE, {"0": ([1, 2], c(0.3, 0.7)), "2": ([0], c(-0.4))}, {}, {"0": 2, "2": 1}),
    "pooled with zeros": (
        lambda: nn.Sequential(nn.Conv2d(3, 6, 3), nn.ReLU(), nn.AvgPool2d(3, padding=1), nn.Conv2d(6, 4, 2)),
        PICTURE, {"0": ([1, 2], c(0, 0.7))}, {}, {"0": 1}),
    "layer normed": (lambda: nn.Sequential(nn.Linear(5, 8), nn.LayerNorm(8), nn.Linear(8, 3)), DENSE, {"0": ([0], c(0.3))}, {}, {}),
    "attending": (Attending, SEQUENCE, {"into": ([0], c(0.5)), "mixed": ([1], c(2))}, {}, {}),
    "recurrent": (Recurrent, SEQUENCE, {"cell": ([0, 3], c(0.5, 0))}, {"cell": ([1], c(2), c(1))}, {}),
    "the second call": (Twice, DENSE, {"same#2": ([0, 3], c(0.5, 0))}, {}, {}),
    "turned behind a ReLU": (bent(nn.ReLU()), DENSE, {}, {"0": ([0, 1], c(2, -1), c(0, 1))}, {}),
    "outputs": (bent(nn.ReLU()), DENSE, {"2": ([0], c(0.5))}, {"2": ([1], c(2), c(3))}, {}),
}  # fmt: skip
