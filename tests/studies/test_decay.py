"""Under Hanson and Pratt's biases units die that plain decay only makes smaller."""

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import nissl
from nissl.errors import BadValue, UnknownName, Unsupported
from tests.studies.digits import accuracy, learn, perceptron


def sums(model: nn.Sequential) -> Any:
    return np.concatenate([model[k].weight.detach().abs().sum(1).numpy() for k in (1, 3)])


REFERENCES = {
    "hyperbolic": lambda w: (s := np.abs(w).sum(1)) / (1 + s),
    "exponential": lambda w: 1 - np.exp(-np.abs(w).sum(1)),
    "elimination": lambda w: w**2 / (1 + w**2),
}


@pytest.mark.parametrize("kind", REFERENCES)
def test_the_cost_is_the_formula_and_so_is_its_slope(kind: str) -> None:
    model = perceptron(hidden=5).double()
    cost = nissl.biased_decay(model, 0.3, kind=kind, scale=2.0)
    hidden = [model[1].weight, model[3].weight]
    wanted = sum(0.3 * REFERENCES[kind](2 * w.detach().numpy()).sum() for w in hidden)
    term = cost()
    assert float(term.detach()) == pytest.approx(wanted, rel=1e-12)
    term.backward()
    assert model[5].weight.grad is None  # outputs do not pay
    with torch.no_grad():
        for w in hidden:
            old, slope = w[2, 3].item(), w.grad[2, 3].item()
            two = []
            for step in (1e-6, -1e-6):
                w[2, 3] = old + step
                two.append(float(cost().detach()))
            w[2, 3] = old
            assert slope == pytest.approx((two[0] - two[1]) / 2e-6, rel=1e-5)


def test_more_units_die_than_by_plain_decay_and_pruning_costs_less() -> None:
    plain, biased = perceptron(32), perceptron(32)
    learn(plain, 10, optimiser=torch.optim.SGD(plain.parameters(), 0.1, momentum=0.9, weight_decay=5e-4))
    learn(biased, 10, term=nissl.biased_decay(biased, 2e-2))
    assert accuracy(biased) > accuracy(plain) - 0.015
    dead = [int((sums(model) < 0.05 * sums(model).max()).sum()) for model in (plain, biased)]
    assert dead[0] <= 2
    assert dead[1] >= 24  # of 64
    whole, left = accuracy(biased), []
    for model in (plain, biased):  # the weakest units go, by hand: nothing leaves them any more
        with torch.no_grad():
            weak = torch.tensor(np.argsort(sums(model))[:32])
            model[3].weight[:, weak[weak < 32]] = 0
            model[5].weight[:, weak[weak >= 32] - 32] = 0
        left.append(accuracy(model))
    assert left[1] > whole - 0.015
    assert left[1] > left[0] + 0.05


def test_convolutions_pay_by_channel_and_layers_can_be_chosen() -> None:
    model = nn.Sequential(nn.Conv2d(2, 3, 3), nn.ReLU(), nn.Flatten(), nn.Linear(3 * 36, 5), nn.Tanh(), nn.Linear(5, 2))
    only = nissl.biased_decay(model, 1.0, layers="0")
    weight = model[0].weight.detach().numpy().reshape(3, -1)
    assert float(only().detach()) == pytest.approx(REFERENCES["hyperbolic"](weight).sum(), rel=1e-6)
    assert "elimination" in repr(nissl.biased_decay(model, kind="elimination"))


def test_what_makes_no_sense_is_said() -> None:
    model = perceptron()
    with pytest.raises(BadValue, match="Did you mean 'hyperbolic'"):
        nissl.biased_decay(model, kind="hyperbolik")
    with pytest.raises(BadValue, match="strength"):
        nissl.biased_decay(model, -1.0)
    with pytest.raises(UnknownName, match="layer"):
        nissl.biased_decay(model, layers="hiden")
    with pytest.raises(BadValue, match="no hidden units"):
        nissl.biased_decay(nn.Sequential(nn.Linear(3, 2)))
    with pytest.raises(Unsupported, match="arrays"):
        nissl.biased_decay(nissl.Arrays({"hidden": 8, "output": 3}))
