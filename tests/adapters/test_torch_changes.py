"""Changing units, and gradients, on networks harder than the conformance suite's; against autograd done by hand."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional as F
from torch.optim.optimizer import _global_optimizer_pre_hooks
from torch.utils.checkpoint import checkpoint

from nissl.adapters.torch import Torch
from nissl.errors import BadValue, NotHeard, Unsupported


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv, self.norm, self.act = nn.Conv2d(2, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(inplace=True)
        self.same, self.out = nn.Conv2d(4, 4, 1), nn.Linear(36, 3)

    def forward(self, x):
        x = self.act(self.norm(self.conv(x)))
        x = self.act(self.same(self.act(self.same(x))))
        x = x + 1
        return self.out(x.flatten(1))


def net(**how):
    torch.manual_seed(0)
    return Torch(Net().double().eval(), **how)


X = torch.randn(5, 2, 3, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(1))


def by_hand(model, cut=lambda name, value: value):
    """The forward pass with a hand in it at every layer."""
    values = {}

    def at(name, value):
        values[name] = cut(name, value)
        return values[name]

    x = at("conv", torch.relu(model.norm(model.conv(X))))
    x = at("same", torch.relu(model.same(x)))
    x = at("same#2", torch.relu(model.same(x)))
    return at("out", model.out((x + 1).flatten(1))), values


@pytest.mark.parametrize("seen_before", [True, False])
@pytest.mark.parametrize("layer", ["conv", "same", "same#2", "out"])
def test_a_change_is_what_a_hand_would_do(layer, seen_before):
    n = net()
    if seen_before or "#" in layer:
        n.probe(X)

    def cut(name, value):
        if name == layer:
            value = value.clone()
            value[:, 1] = 2.5
        return value

    wanted, _ = by_hand(n.model, cut)
    with n.change(layer, [1], 2.5):
        np.testing.assert_array_equal(n.forward(X), wanted.detach().numpy())
        torch.testing.assert_close(n.model(X), wanted)  # also on the user's own passes
    torch.testing.assert_close(n.model(X), by_hand(n.model)[0])


class Heads(nn.Module):
    def __init__(self):
        super().__init__()
        self.heads, self.value, self.out_proj = 3, nn.Linear(6, 6), nn.Linear(6, 6)

    def forward(self, x):
        return self.out_proj(self.value(x))


def test_what_replaces_values_may_be_anything_that_broadcasts_to_them_with_the_unit_axis_last():
    n, maps = net(), np.random.default_rng(0).normal(size=(5, 3, 3, 2))
    for to in (maps, maps[0], maps[:, :1, :1], maps[0, 0], maps[0, 0, 0], maps[:1, :1, :1, :1]):
        with n.change("conv", [0, 3], to):
            got = np.moveaxis(n.probe(X, "conv")["conv"], 1, -1)[..., [0, 3]]
        np.testing.assert_array_equal(got, np.broadcast_to(to, (5, 3, 3, 2)))
    for wrong in (maps.T, maps[:, 0], maps[None], maps[..., :1][:2]):
        with pytest.raises(BadValue, match=r"broadcast.*conv"), n.change("conv", [0, 3], wrong):
            n.forward(X)
    heads, constants = Torch(nn.Sequential(Heads())), np.arange(4.0).reshape(2, 2)  # (value, head)
    with heads.change("0", [2, 0], constants):
        got = heads.probe(np.zeros((2, 5, 6)), "0")["0"]
    assert (got[..., 2, :] == constants[:, 0]).all() and (got[..., 0, :] == constants[:, 1]).all()


def test_changes_are_differentiable_in_the_value_and_in_what_replaces_it():
    n, scale = net(), torch.tensor([0.5, 2.0], dtype=torch.float64, requires_grad=True)
    with n.change("conv", [0, 3], lambda v: v * scale):
        n.model(X).sum().backward()
    got, weight = scale.grad.clone(), n.model.conv.weight.grad.clone()
    n.model.zero_grad()
    scale.grad = None
    full = torch.ones(4, dtype=torch.float64).index_put((torch.tensor([0, 3]),), scale).view(1, 4, 1, 1)
    by_hand(n.model, lambda name, v: v * full if name == "conv" else v)[0].sum().backward()
    torch.testing.assert_close(got, scale.grad)
    torch.testing.assert_close(weight, n.model.conv.weight.grad)


@given(st.data())
def test_changing_is_exact_for_any_units_and_values(data):
    n = net()
    units = data.draw(st.lists(st.integers(0, 3), unique=True))
    values = data.draw(st.lists(st.floats(-1e3, 1e3), min_size=len(units), max_size=len(units)))
    before = n.probe(X, "conv")["conv"]
    with n.change("conv", units, np.array(values)):
        after = n.probe(X, "conv")["conv"]
    for unit in range(4):
        wanted = values[units.index(unit)] if unit in units else before[:, unit]
        assert (after[:, unit] == wanted).all()


def test_listeners_hear_the_changed_value_whoever_came_first():
    n, seen = net(), {}
    with (
        n.watch(lambda name, v: seen.setdefault("first", {}).update({name: v.clone()}), "*"),
        n.change("same", None, 3.0),
        n.watch(lambda name, v: seen.setdefault("last", {}).update({name: v.clone()}), "*"),
    ):
        n.model(X)
        n.model(X)
    for heard in seen.values():
        assert (heard["same"] == 3).all() and not (heard["same#2"] == 3).all()


def test_a_change_at_a_plain_function_and_inside_checkpointing():
    class Plain(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b = nn.Linear(3, 4), nn.Linear(4, 2)

        def forward(self, x):
            return self.b(checkpoint(lambda v: F.gelu(self.a(v)), x, use_reentrant=False))

    torch.manual_seed(0)
    model, x = Plain().double(), torch.randn(5, 3, dtype=torch.float64)
    mask = torch.tensor([1.0, 0, 1, 1], dtype=torch.float64)
    for functional in (True, False):
        n = Torch(model, functional=functional)
        with n.change("a", [1]):
            if functional:  # heard after gelu
                torch.testing.assert_close(model(x), model.b(F.gelu(model.a(x)) * mask))
                continue
            model.zero_grad()
            model(x).sum().backward()
            got = model.a.weight.grad.clone()
        model.zero_grad()
        model.b(F.gelu(model.a(x) * mask)).sum().backward()
        torch.testing.assert_close(got, model.a.weight.grad)


@pytest.mark.parametrize("learned", [True, False])
def test_gradients_everywhere_are_those_of_a_pass_by_hand(learned):
    n, target = net(), torch.tensor([0, 2, 1, 0, 2])
    if learned:
        n.probe(X)
    got = n.gradient(X, target, at=["input", "conv", "same", "same#2", "out"] if learned else ["input", "conv", "same"])
    leaf = X.clone().requires_grad_()

    def cut(name, value):
        value.retain_grad()
        return value

    x = leaf
    values = {}
    for name, step in (
        ("conv", lambda v: torch.relu(n.model.norm(n.model.conv(v)))),
        ("same", lambda v: torch.relu(n.model.same(v))),
        ("same#2", lambda v: torch.relu(n.model.same(v))),
        ("out", lambda v: n.model.out((v + 1).flatten(1))),
    ):
        x = values[name] = cut(name, step(x))
    x[torch.arange(5), target].sum().backward()
    torch.testing.assert_close(got["input"], leaf.grad)
    for name, value in values.items():
        if name in got:
            torch.testing.assert_close(got[name], value.grad)
    n.model.zero_grad(set_to_none=True)
    n.gradient(X, 1)
    assert all(p.grad is None for p in n.model.parameters())


def test_the_gradient_at_the_input_is_finite_differences():
    n, step = net(), 1e-6
    gradient = n.gradient(X, 2).numpy()
    for index in [(0, 0, 0, 0), (3, 1, 2, 1)]:
        up, down = X.clone(), X.clone()
        up[index] += step
        down[index] -= step
        wanted = (n.forward(up)[:, 2].sum() - n.forward(down)[:, 2].sum()) / (2 * step)
        np.testing.assert_allclose(gradient[index], wanted, rtol=1e-6, atol=1e-8)


def test_frozen_networks_integers_dicts_and_a_layer_named_input():
    class Words(nn.Module):
        def __init__(self):
            super().__init__()
            self.words, self.input = nn.Embedding(9, 4), nn.Linear(4, 2)

        def forward(self, ids, scale):
            return {"logits": self.input(self.words(ids).mean(1) * scale)}

    n = Torch(Words().double().requires_grad_(False))
    given = {"ids": np.arange(6).reshape(2, 3), "scale": np.full((2, 1), 2.0)}
    at_words = n.gradient(given, 0, at="words")
    torch.testing.assert_close(at_words, (n.model.input.weight[0] * 2 / 3).expand(2, 3, 4))
    assert n.gradient(given, 0, at="input").shape == (2, 2)  # the layer of that name
    whole = Torch(nn.Sequential(nn.Embedding(9, 4)))
    with pytest.raises(Unsupported, match="integers"):
        whole.gradient(np.arange(6).reshape(2, 3), 0)
    with pytest.raises(BadValue, match="2 outputs"):
        n.gradient(given, 2, at="words")
    with pytest.raises(BadValue, match="depend"):
        n.gradient(given, lambda out: torch.ones(2), at="words")


def test_a_layer_that_does_not_run_has_no_gradient():
    class Unused(nn.Module):
        def __init__(self):
            super().__init__()
            self.used, self.unused = nn.Linear(2, 2), nn.Linear(2, 2)

        def forward(self, x):
            return self.used(x)

    n = Torch(Unused())
    with pytest.raises(NotHeard, match="unused"):
        n.gradient(torch.ones(1, 2), 0, at="unused")
    with pytest.raises(NotHeard, match="unused"):
        n.probe(torch.ones(1, 2))


@pytest.mark.parametrize("every", [1, 2])
def test_parameter_gradients_against_all_of_them_kept(every):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))
    optimizer, kept = torch.optim.SGD(model.parameters(), 0.1), []
    other = torch.optim.SGD([nn.Parameter(torch.ones(1))], 0.1)
    with Torch(model).watch_parameter_gradients(["0"], every) as read:
        for step in range(6):
            for _ in range(2):  # accumulated
                model(torch.randn(5, 3)).square().sum().backward()
            if step % every == 0:
                kept.append(torch.cat([model[0].weight.grad, model[0].bias.grad[:, None]], 1).double().clone())
            other.step()
            optimizer.step()
            optimizer.zero_grad()
        found = read()["0"]
        assert read() == {}
    assert not _global_optimizer_pre_hooks
    steps = torch.stack(kept)
    assert found.steps == len(steps)
    np.testing.assert_allclose(found.magnitude, steps.abs().mean((0, 2)), rtol=1e-5)
    np.testing.assert_allclose(found.signal, steps.mean(0).norm(dim=1), rtol=1e-5)
    away = (steps - steps.mean(0)).square().sum(2).mean(0).sqrt()
    np.testing.assert_allclose(found.noise, away, rtol=1e-5)


def test_each_optimiser_counts_its_own_steps():
    model = nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 2))
    turns = [torch.optim.SGD(layer.parameters(), 0.1) for layer in model]
    with Torch(model).watch_parameter_gradients(["0", "1"], 2) as read:
        for step in range(8):  # as two networks that are trained against each other
            model(torch.randn(5, 3)).sum().backward()
            turns[step % 2].step()
    assert {name: found.steps for name, found in read().items()} == {"0": 2, "1": 2}


def test_parameter_gradients_are_those_of_the_loss_under_a_scaler():
    torch.manual_seed(0)
    model, x = nn.Sequential(nn.Linear(3, 4)), torch.randn(5, 3)
    scaler = torch.amp.GradScaler("cpu", init_scale=1024.0)
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    wanted = torch.autograd.grad(model(x).sum(), list(model.parameters()))
    with Torch(model).watch_parameter_gradients(["0"]) as read:
        scaler.scale(model(x).sum()).backward()
        scaler.step(optimizer)
    both = torch.cat([wanted[0], wanted[1][:, None]], 1)
    np.testing.assert_allclose(read()["0"].magnitude, both.abs().mean(1), rtol=1e-5)


def test_sparse_gradients_of_an_embedding():
    torch.manual_seed(0)
    words = nn.Sequential(nn.Embedding(6, 3, sparse=True))
    optimizer = torch.optim.SGD(words.parameters(), 0.1)
    with Torch(words).watch_parameter_gradients(["0"]) as read:
        words(torch.tensor([[1, 1], [2, 5]])).sum().backward()
        optimizer.step()
    np.testing.assert_allclose(read()["0"].magnitude, np.full(3, 4 / 6))
