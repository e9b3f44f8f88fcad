"""Modules that are called more than once in a pass, or serve several layers."""

import numpy as np
import torch
from torch import nn

import nissl
from nissl.adapters.torch import Torch


def heard(net, x, **how):
    seen = {}
    with net.watch(lambda name, value: seen.setdefault(name, []).append(value.clone()), "*", **how):
        net.run(x)
    return seen


class Twice(nn.Module):
    def __init__(self):
        super().__init__()
        self.lin, self.act, self.out = nn.Linear(4, 4), nn.Tanh(), nn.Linear(4, 2)
        self.times = 2

    def forward(self, x):
        for _ in range(self.times):
            x = self.act(self.lin(x))
        return self.out(x)


def test_a_module_called_again_is_a_layer_of_its_own():
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
    with net.watch(lambda name, value: only.append(name), ["lin#2"]):
        only = []
        net.run(x)
    assert only == ["lin#2"]
    fresh, told = Torch(Twice()), []
    with fresh.watch(lambda name, value: told.append(name), ["lin"]):  # later calls are not lost
        for _ in range(2):
            fresh.run(x)
    assert sorted(told) == ["lin", "lin", "lin#2", "lin#2"]


def test_a_recording_has_later_calls_as_layers_of_their_own(run_path):
    net, x, y = Torch(Twice()), torch.randn(12, 4), torch.arange(12) % 2
    with nissl.record(net, run_path, classes=2, quantities=["activation"], progress=False) as recorder:
        for _ in recorder.epochs(2):
            for inputs, _labels in recorder.batches([(x[:6], y[:6]), (x[6:], y[6:])]):
                net.model(inputs).sum().backward()
    second = torch.tanh(net.model.lin(torch.tanh(net.model.lin(x)))).detach().double()
    for epoch in (1, 2):
        found = nissl.open(run_path)[f"E_{epoch}"]["L_lin#2"].array("mean")
        np.testing.assert_allclose(found, second.mean(0).numpy(), atol=1e-6)


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


def test_gradients_of_a_module_called_twice_are_told_apart():
    class InPlace(nn.Module):
        def __init__(self):
            super().__init__()
            self.lin, self.act = nn.Linear(4, 4), nn.ReLU(inplace=True)

        def forward(self, x):
            return self.act(self.lin(self.act(self.lin(x))))

    model, seen = InPlace().double(), {}
    x = torch.randn(3, 4, dtype=torch.float64)
    with Torch(model).watch(lambda name, value: seen.setdefault(name, []).append(value.clone()), "*", place="gradient"):
        for _ in range(2):
            model(x).sum().backward()
    first = torch.relu(model.lin(x)).detach().requires_grad_()
    torch.relu(model.lin(first)).sum().backward()
    for value in seen["lin"]:
        torch.testing.assert_close(value, first.grad)
    assert [len(seen[name]) for name in ("lin", "lin#2")] == [2, 2]
    assert all((value == 1).all() for value in seen["lin#2"])


def test_the_rarest_call_of_a_module_is_learned_when_it_comes_again():
    class Deep(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.act = nn.Linear(3, 3), nn.ReLU()

        def forward(self, x, times):
            for _ in range(times):
                x = self.act(self.a(x))
            return x

    net, seen = Torch(Deep()), []
    with net.watch(lambda name, value: seen.append(name), "*", passes="training"):
        for times in (1, 3, 2, 1, 3, 1, 3):
            seen.clear()
            net.model(torch.randn(2, 3), times)
    assert seen == ["a", "a#2", "a#3"]
