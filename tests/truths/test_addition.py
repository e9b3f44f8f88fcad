"""Addition around a circle: its spectrum against closed forms, and what is there before the network can say it."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import nn

from nissl.core.network import network
from nissl.errors import BadValue
from nissl.testing.truths.addition import Addition
from nissl.testing.truths.spectrum import Spectrum
from tests.truths.agreement import disjoint, holds

SMALL = Addition(modulus=13, width=40, steps=3)


def accuracy(model: nn.Module, plan: Addition, rows: np.ndarray) -> float:
    x, y = plan.every_pair()
    return float((network(model).forward(x[rows]).argmax(1) == y[rows]).mean())


def waves(plan: Addition, frequencies: tuple[int, ...] = (2, 5)) -> nn.Module:
    """A network that adds by these frequencies: cos(a + u), cos(b + v), cos(c + u + v) for many phases u and v."""
    model, random = plan.trained(), np.random.default_rng(0)
    turns = 2 * np.pi * np.arange(plan.modulus) / plan.modulus
    k = np.resize(frequencies, plan.width)[:, None]
    u, v = random.uniform(0, 2 * np.pi, (2, plan.width, 1))
    with torch.no_grad():
        model.hidden.weight.copy_(torch.tensor(np.concatenate([np.cos(k * turns + u), np.cos(k * turns + v)], 1)))
        model.output.weight.copy_(torch.tensor(np.cos(k * turns + u + v).T))
    return model


def test_the_data_and_the_network_are_what_they_say() -> None:
    truth = holds(
        lambda seed: Addition(seed, modulus=13, width=40, steps=3).truth(
            Addition(seed, modulus=13, width=40, steps=3).trained()
        )
    )
    assert disjoint(truth)
    x, y = SMALL.every_pair()
    assert (x.reshape(-1, 2, 13).argmax(2).sum(1) % 13 == y).all()
    shown, held = SMALL.split()
    assert sorted([*shown, *held]) == list(range(169)) and len(shown) == 59
    hidden, output = network(truth.model).layers
    assert (hidden.name, hidden.units, output.name, output.units) == ("hidden", 40, "output", 13)
    values = network(truth.model).probe(x[:5], "hidden")["hidden"]
    np.testing.assert_allclose(values, (x[:5] @ truth.model.hidden.weight.detach().numpy().T) ** 2, rtol=1e-5)
    with pytest.raises(BadValue, match=r"share=1\.5.*between 0 and 1"):
        Addition(share=1.5)


def test_shuffled_answers_are_the_same_answers_elsewhere() -> None:
    y, shuffled = SMALL.every_pair()[1], Addition(modulus=13, shuffled=True).every_pair()[1]
    assert sorted(y) == sorted(shuffled) and (y != shuffled).mean() > 0.8


def test_training_goes_on_between_looks_and_ends_with_the_last_step() -> None:
    seen = [(step, model.hidden.weight.detach().clone()) for step, model in Addition(modulus=13, steps=5).training(2)]
    assert [step for step, _ in seen] == [0, 2, 4, 5]
    assert all((a != b).any() for (_, a), (_, b) in pairwise(seen))


def test_waves_are_read_from_the_weights() -> None:
    model = waves(SMALL)
    spectrum = Spectrum.of(model)
    assert (spectrum.dominant == np.resize((2, 5), 40)).all()
    np.testing.assert_allclose(spectrum.purity, 1, atol=1e-12)
    assert set(SMALL.truth(model).units) == {2, 5}
    x, _ = SMALL.every_pair()
    expected = network(model).forward(x)
    np.testing.assert_allclose(network(spectrum.only(model)).forward(x), expected, atol=1e-5)
    assert np.abs(network(spectrum.at_random(model)).forward(x) - expected).max() > 1
    power = SMALL.lines(expected)
    assert power[[1, 4]].min() > 1e9 * np.delete(power, [1, 4]).max()
    assert accuracy(model, SMALL, np.arange(169)) > 0.9


def test_only_is_a_projection() -> None:
    model = SMALL.trained()
    spectrum = Spectrum.of(model)
    once = spectrum.only(model)
    again = Spectrum.of(once)
    np.testing.assert_allclose(again.purity, 1)
    assert (again.dominant == spectrum.dominant).all()
    np.testing.assert_allclose(again.only(once).hidden.weight.detach(), once.hidden.weight.detach(), atol=1e-6)
    kept, whole = once.hidden.weight.detach(), model.hidden.weight.detach()
    assert abs(float((kept * (whole - kept)).sum())) < 1e-5  # what is left out is orthogonal to what is kept
    with pytest.raises(BadValue, match="for each of 40 units"):
        spectrum.only(model, np.ones(3, int))


def test_the_answer_is_inside_before_the_network_can_say_it() -> None:
    plan = Addition(steps=100)
    held, seen = plan.split()[1], {}
    for step, model in plan.training(50):
        spectrum = Spectrum.of(model)
        kept = (spectrum.only(model), spectrum.at_random(model))
        seen[step] = [accuracy(m, plan, held) for m in (model, *kept)]
    assert max(seen[0]) < 0.1
    for step in (50, 100):
        says, inside, at_random = seen[step]
        assert says < 0.03 and inside > 0.99 and at_random < 0.9
    assert accuracy(model, plan, plan.split()[0]) > 0.99


def test_shuffled_answers_leave_nothing_inside() -> None:
    plan = Addition(steps=60, shuffled=True)
    model = plan.trained()
    assert accuracy(model, plan, plan.split()[0]) > 0.9
    assert accuracy(Spectrum.of(model).only(model), plan, plan.split()[1]) < 0.05
    assert Spectrum.of(model).purity.mean() < 0.11


def test_without_a_frequency_the_answers_lose_it_and_no_other() -> None:
    plan = Addition(share=0.5, rate=5e-3, steps=140)
    model = plan.trained()
    x, _ = plan.every_pair()
    assert accuracy(model, plan, plan.split()[1]) > 0.99
    units = {k: sorted(found["hidden"]) for k, found in plan.truth(model).units.items()}
    whole = plan.lines(network(model).forward(x))
    loud = np.flatnonzero(whole > whole.max() / 100) + 1
    for k in sorted(units, key=lambda k: -len(units[k]))[:3]:
        with network(model).change("hidden", units[k], to=0.0):
            lost = 1 - plan.lines(network(model).forward(x)) / whole
        assert lost[k - 1] > 0.99
        others = np.abs(lost[loud[loud != k] - 1])
        assert others.max() < 0.05 and np.median(others) < 0.01
