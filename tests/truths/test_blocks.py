"""Trained blocks: how well sound methods find their members, and how badly others do."""

import numpy as np
import pytest

from nissl.core.network import network
from nissl.errors import BadValue
from nissl.testing.truths.blocks import LAYERS, blocks
from nissl.testing.truths.judgement import Judgement
from nissl.testing.truths.truth import Truth
from tests.truths import methods
from tests.truths.agreement import disjoint, holds, mean
from tests.truths.methods import Perceptron, log_odds, logit


@pytest.fixture(scope="module", params=[0, 1])
def truth(request: pytest.FixtureRequest) -> Truth:
    return blocks(request.param)


def every_class(truth: Truth, method: str) -> list[Judgement]:
    net, x, y = Perceptron(truth.model), truth.held_x, truth.held_y
    means, found = [a.mean(0) for a in net.activations(x)], []
    for target in truth.units:
        own = y == target
        if method == "secant":
            scores = methods.secant(net, *methods.strangers(x, own), logit(target))
        elif method == "patching":
            scores = methods.gradient(net, x[own], log_odds(target), means)
        else:
            scores = getattr(methods, method)(*((net,) if method == "magnitude" else (net, x, own)))
        found.append(truth.judged(target, scores))
    return found


def test_the_network_is_what_it_says() -> None:
    truth = holds(lambda seed: blocks(seed, steps=5))
    assert disjoint(truth)
    heard = network(truth.model).probe(truth.x, list(LAYERS))
    for name in LAYERS:
        every = [units[name] for units in truth.units.values()]
        known = [unit for units in (*every, truth.traps["decoys"][name]) for unit in units]
        silent = np.flatnonzero(heard[name].max(0) <= 0)  # nobody's
        assert sorted([*known, *silent]) == list(range(80)) and len(silent) < 30
        assert max(map(len, every)) == 5 and min(map(len, every)) >= 2 and len(truth.traps["decoys"][name]) > 15
    with pytest.raises(BadValue, match="leak=-1"):
        blocks(leak=-1)


def test_it_has_learnt_and_its_decoys_count_for_nothing_without_a_leak() -> None:
    truth = blocks(leak=0, steps=60)
    net = network(truth.model)
    before = net.forward(truth.held_x)
    assert (before.argmax(1) == truth.held_y).mean() > 0.9
    for name, units in truth.traps["decoys"].items():
        with net.change(name, sorted(units), to=100.0):
            np.testing.assert_array_equal(net.forward(truth.held_x), before)
    own = [*truth.units[3]["hidden_2"]]
    with net.change("hidden_2", own, to=0.0):
        after = net.forward(truth.held_x)
    moved = np.abs(after - before).max(0) > 0
    assert moved.tolist() == [label == 3 for label in range(10)]


def test_a_leak_lets_all_hear_all_and_costs_accuracy() -> None:
    truth = blocks(leak=0.3, steps=60)
    out = network(truth.model).forward(truth.held_x)
    assert 0.6 < (out.argmax(1) == truth.held_y).mean() < 0.9
    with network(truth.model).change("hidden_2", sorted(truth.traps["decoys"]["hidden_2"]), to=0.0):
        assert (np.abs(network(truth.model).forward(truth.held_x) - out).max(0) > 0.1).all()


def test_causal_methods_find_the_blocks(truth: Truth) -> None:
    for method in ("secant", "patching"):
        found = every_class(truth, method)
        assert mean(found, "auc") > 0.93 and mean(found, "r_precision") > 0.87


def test_statistics_fall_for_decoys(truth: Truth) -> None:
    found = every_class(truth, "contrast")
    assert mean(found, "r_precision") < 0.6
    assert np.mean([one.trapped["decoys"] for one in found]) > 0.4
    assert np.mean([one.trapped["decoys"] for one in every_class(truth, "selectivity")]) > 0.1
    assert mean(every_class(truth, "magnitude"), "r_precision") < 0.1
