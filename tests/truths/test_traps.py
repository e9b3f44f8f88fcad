"""Every trap defeats the methods that it is there for, and what is sound finds all."""

import numpy as np
import pytest
import torch

from nissl.core.network import network
from nissl.testing.truths.judgement import Judgement
from nissl.testing.truths.traps import LAYERS, traps
from nissl.testing.truths.truth import Truth
from tests.truths import methods
from tests.truths.agreement import disjoint, holds
from tests.truths.methods import Perceptron, Scores, logit, size

PLAIN, SATURATED, REDUNDANT = (0, 1), (2, 3), (4, 5)
ZERO = [torch.zeros(56)] * 3


class Case:
    """A class of the network with traps, and all that a method is given."""

    def __init__(self, truth: Truth, target: int):
        self.truth, self.target, self.net = truth, target, Perceptron(truth.model)
        self.own = truth.y == target
        self.mine, self.metric = truth.x[self.own], logit(target)
        self.means = [a.mean(0) for a in self.net.activations(truth.x)]
        self.pairs = methods.strangers(truth.x, self.own)

    def judged(self, scores: Scores) -> Judgement:
        return self.truth.judged(self.target, scores)

    def patched(self) -> Scores:
        return size(methods.gradient(self.net, self.mine, self.metric, self.means))

    def cut(self) -> Scores:
        return size(methods.exact(self.net, self.mine, self.metric, self.means))

    def missed(self, scores: Scores, trap: str) -> bool:
        """Every one of the trap's units of this class scores next to nothing."""
        units = self.truth.traps[trap]["hidden_1"] & self.truth.units[self.target]["hidden_1"]
        assert len(units) == 2
        return all(scores["hidden_1"][unit] < 1e-6 for unit in units)


@pytest.fixture(scope="module", params=[0, 1])
def cases(request: pytest.FixtureRequest) -> list[Case]:
    truth = traps(request.param)
    return [Case(truth, target) for target in truth.units]


def test_the_network_is_what_it_says() -> None:
    truth = holds(traps)
    assert disjoint(truth)
    layers = {layer.name: layer for layer in network(truth.model).layers}
    assert [layers[name].units for name in LAYERS] == [56] * 3
    assert all(layers[name].nonlinearity == "ReLU" for name in LAYERS)
    assert all(len(units[name]) == 4 for units in truth.units.values() for name in LAYERS)
    assert (network(truth.model).forward(truth.x).argmax(1) == truth.y).all()
    values = network(truth.model).probe(truth.x, LAYERS)
    for name in LAYERS:
        assert (values[name][:, list(truth.traps["dormant"][name])] == 0).all()
        constant = values[name][:, list(truth.traps["constant"][name])]
        assert (constant == constant[0]).all() and (constant > 1).all()
        assert (values[name][:, list(truth.traps["decoys"][name])].max(0) > 1).all()


def test_cutting_decoys_dormant_and_constant_units_to_their_means_changes_nothing() -> None:
    truth = traps()
    net, means = network(truth.model), {}
    before = net.forward(truth.x)
    for name, values in net.probe(truth.x, LAYERS).items():
        means[name] = values.mean(0, dtype=np.float64)
    for trap in ("decoys", "dormant", "constant"):
        for name, units in truth.traps[trap].items():
            chosen = sorted(units)
            with net.change(name, chosen, to=means[name][chosen]):
                np.testing.assert_allclose(net.forward(truth.x), before, atol=1e-4)


def test_the_secant_finds_all(cases: list[Case]) -> None:
    for case in cases:
        found = case.judged(size(methods.secant(case.net, *case.pairs, case.metric)))
        assert found.r_precision >= 0.99 and found.auc >= 0.999
        assert found.trapped["decoys"] == 0


def test_sampled_shapley_finds_all_of_a_redundant_class(cases: list[Case]) -> None:
    case = cases[REDUNDANT[0]]
    mine, others = (side[:20] for side in case.pairs)
    assert case.judged(size(methods.shapley(case.net, mine, others, case.metric, 24))).r_precision >= 0.99


def test_decoys_defeat_statistics_of_activations(cases: list[Case]) -> None:
    for case in cases:
        for method in (methods.contrast, methods.selectivity):
            found = case.judged(method(case.net, case.truth.x, case.own))
            assert found.trapped["decoys"] > 0.5 and found.r_precision < 0.5


def test_dormant_units_defeat_magnitude(cases: list[Case]) -> None:
    for case in cases:
        found = case.judged(methods.magnitude(case.net))
        assert found.trapped["dormant"] == 1 and found.r_precision == 0


def test_constant_units_defeat_the_gradient_from_zero(cases: list[Case]) -> None:
    for case in cases:
        found = case.judged(size(methods.gradient(case.net, case.mine, case.metric, ZERO)))
        assert found.trapped["constant"] > 0.6 and found.r_precision < 0.2


def test_gates_defeat_gradients_and_single_cuts(cases: list[Case]) -> None:
    for target, trap in [(t, "saturated") for t in SATURATED] + [(t, "redundant") for t in REDUNDANT]:
        case = cases[target]
        for scores in (case.patched(), case.cut()):
            assert case.missed(scores, trap)
            assert case.judged(scores).r_precision < 0.9
    for target in PLAIN:  # it is the gates that do it
        assert cases[target].judged(cases[target].patched()).r_precision == 1
        assert cases[target].judged(cases[target].cut()).r_precision == 1


def test_saturation_goes_beyond_the_mean(cases: list[Case]) -> None:
    for target, trap, lost in [(2, "saturated", True), (4, "redundant", False)]:
        case = cases[target]
        scores = size(methods.integrated(case.net, case.mine, case.metric, case.means))
        assert case.missed(scores, trap) == lost


def test_inhibitory_members_defeat_signed_rankings(cases: list[Case]) -> None:
    for case in cases:
        signed = methods.secant(case.net, *case.pairs, case.metric)
        assert case.judged(signed).r_precision < 0.8
        inhibitory = case.truth.traps["inhibitory"]
        for name, units in case.truth.units[case.target].items():
            assert all((signed[name][unit] < 0) == (unit in inhibitory[name]) for unit in units)
