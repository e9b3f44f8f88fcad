"""Weights that are tied stay tied, whatever the optimiser, and learn what the arithmetic says."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

import nissl
from nissl.errors import BadValue, UnknownName, Unsupported

OPTIMISERS: dict[str, Callable[[Any], torch.optim.Optimizer]] = {
    "sgd": lambda p: torch.optim.SGD(p, 0.1),
    "momentum": lambda p: torch.optim.SGD(p, 0.1, momentum=0.9, nesterov=True, weight_decay=0.01),
    "adam": lambda p: torch.optim.Adam(p, 0.01),
    "adamw": lambda p: torch.optim.AdamW(p, 0.01, weight_decay=0.1),
    "rmsprop": lambda p: torch.optim.RMSprop(p, 0.01, momentum=0.5),
}
X = torch.randn(64, 7, generator=torch.Generator().manual_seed(1))


def made() -> tuple[nn.Sequential, Any]:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = nn.Sequential(nn.Linear(7, 33), nn.Tanh(), nn.Linear(33, 2))
    return model, nissl.network(model)


def steps(model: nn.Module, optimiser: torch.optim.Optimizer, many: int = 20) -> None:
    for _ in range(many):
        optimiser.zero_grad()
        F.mse_loss(model(X), X[:, :2].sin()).backward()
        optimiser.step()


@pytest.mark.parametrize("name", OPTIMISERS)
def test_zeros_stay_zero_and_the_others_learn(name: str) -> None:
    model, net = made()
    kept = np.random.default_rng(0).random((33, 7)) < 0.3
    start = net.state()["0.weight"]
    optimiser = OPTIMISERS[name](model.parameters())
    steps(model, optimiser)  # an optimiser that remembers of these weights what they did before
    with net.tied({"0.weight": kept}):
        steps(model, optimiser)
        after = net.state()["0.weight"]
        assert (after[~kept] == 0).all()
        assert (after[kept] != start[kept]).all()
    steps(model, optimiser, 2)
    assert (net.state()["0.weight"][~kept] != 0).any()  # and when the `with` ends, so do the ties


def test_pruned_weights_leave_the_others_to_learn_as_in_a_network_without_them() -> None:
    """By hand: each step's gradient and weight times the mask."""
    model, net = made()
    kept = np.random.default_rng(0).random((33, 7)) < 0.3
    by_hand, _ = made()
    weight, mask = by_hand[0].weight, torch.tensor(kept)
    weight.data.mul_(mask)
    weight.register_hook(lambda gradient: gradient * mask)
    with net.tied({"0.weight": kept}):
        steps(model, torch.optim.Adam(model.parameters()))
    steps(by_hand, torch.optim.Adam(by_hand.parameters()))
    assert torch.equal(model[0].weight, weight)


@pytest.mark.parametrize("name", OPTIMISERS)
def test_groups_stay_one_value(name: str) -> None:
    model, net = made()
    groups = np.random.default_rng(0).integers(0, 5, (33, 7))
    with net.tied({"0.weight": groups}):
        start = net.state()["0.weight"]
        steps(model, OPTIMISERS[name](model.parameters()))
        after = net.state()["0.weight"]
    assert (after[groups == 0] == 0).all()
    for number in range(1, 5):
        assert len(np.unique(after[groups == number])) == 1
        assert after[groups == number][0] != start[groups == number][0]


@pytest.mark.parametrize("name", OPTIMISERS)
def test_a_group_learns_as_one_parameter_would_at_a_rate_for_single_weights(name: str) -> None:
    """The same network whose weight is looked up in a table of values that is itself the parameter."""
    model, net = made()
    groups = np.random.default_rng(0).integers(0, 5, (33, 7))
    with net.tied({"0.weight": groups}):
        values = [net.state()["0.weight"][groups == number][0] for number in range(5)]
        table = nn.Parameter(torch.tensor(np.array(values)[1:]))
        sizes = torch.tensor(np.bincount(groups.reshape(-1))[1:])
        table.register_hook(lambda gradient: gradient / sizes)
        second, bias = nn.Linear(33, 2), nn.Parameter(model[0].bias.detach().clone())
        second.load_state_dict(model[2].state_dict())
        steps(model, OPTIMISERS[name](model.parameters()), 8)

    def lookup(x: torch.Tensor) -> torch.Tensor:
        whole = torch.cat([torch.zeros(1), table])[torch.tensor(groups)]
        found: torch.Tensor = second(F.linear(x, whole, bias).tanh())
        return found

    optimiser = OPTIMISERS[name]([table, bias, *second.parameters()])
    for _ in range(8):
        optimiser.zero_grad()
        F.mse_loss(lookup(X), X[:, :2].sin()).backward()
        optimiser.step()
    got = [net.state()["0.weight"][groups == number][0] for number in range(1, 5)]
    np.testing.assert_allclose(got, table.detach().numpy(), rtol=2e-4, atol=2e-5)


def test_two_optimisers_do_not_join_gradients_twice() -> None:
    groups = np.random.default_rng(0).integers(1, 5, (33, 7))
    found = []
    for apart in (False, True):
        model, net = made()
        parts = [model[2].parameters(), model[0].parameters()] if apart else [model.parameters()]
        optimisers = [torch.optim.SGD(part, 0.05) for part in parts]
        with net.tied({"0.weight": groups}):
            for _ in range(5):
                model.zero_grad()
                F.mse_loss(model(X), X[:, :2].sin()).backward()
                for optimiser in optimisers:
                    optimiser.step()
        found.append(net.state()["0.weight"])
    np.testing.assert_array_equal(*found)


def test_state_has_each_number_once_and_goes_back_exactly() -> None:
    model = nn.Sequential(nn.Linear(4, 4), nn.BatchNorm1d(4), nn.Linear(4, 4))
    model[2].weight = model[0].weight
    net = nissl.network(model)
    state = net.state()
    assert set(net.state(trained=True)) == {"0.weight", "0.bias", "1.weight", "1.bias", "2.bias"}
    assert set(state) == {*net.state(trained=True), "1.running_mean", "1.running_var", "1.num_batches_tracked"}
    before = model(X[:, :4])
    model.load_state_dict({name: value + 1 for name, value in model.state_dict().items()})
    net.restore(state)
    model.eval()
    other = nn.Sequential(nn.Linear(4, 4), nn.BatchNorm1d(4), nn.Linear(4, 4)).eval()
    other.load_state_dict({name: torch.tensor(a) for name, a in {**state, "2.weight": state["0.weight"]}.items()})
    assert torch.equal(model(X[:, :4]), other(X[:, :4]))
    assert before.shape == (64, 4)


def test_what_does_not_fit_is_said_and_nothing_is_written() -> None:
    model, net = made()
    before = net.state()
    with pytest.raises(UnknownName, match=r"'0.wieght'. Did you mean '0.weight'"), net.tied({"0.wieght": np.ones((33, 7), bool)}):  # fmt: skip
        pass
    with pytest.raises(BadValue, match=r"shape \(33, 7\).*float64 of shape \(33, 7\)"), net.tied({"0.weight": np.ones((33, 7))}):  # fmt: skip
        pass
    with pytest.raises(BadValue, match=r"0.bias has the shape \(33,\)"):
        net.restore({"0.weight": np.zeros((33, 7)), "0.bias": np.zeros(3)})
    assert all(np.array_equal(before[name], array) for name, array in net.state().items())
    nn.utils.parametrizations.spectral_norm(model[0])
    with pytest.raises(Unsupported, match="remove_parametrizations"):
        nissl.network(model).state()
