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
