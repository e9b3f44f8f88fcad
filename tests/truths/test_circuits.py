"""Compiled circuits: their truth is checked edge by edge, and what finds it is told from what doesn't."""

import numpy as np
import pytest
import torch

from nissl.core.network import network
from nissl.errors import BadValue
from nissl.testing.truths.circuits import circuits
from nissl.testing.truths.truth import Truth
from tests.truths import methods
from tests.truths.agreement import holds, mean
from tests.truths.methods import Perceptron

EVERY = (np.arange(256)[:, None] >> np.arange(8) & 1).astype(np.float32)


@pytest.fixture(scope="module")
def truths() -> list[tuple[Truth, Perceptron]]:
    return [(truth, Perceptron(truth.model)) for truth in map(circuits, range(6))]


def test_the_network_is_what_it_says() -> None:
    truth = holds(circuits)
    assert set(truth.units) == set(truth.edges) == {0, 1, 2, 3}
    sizes = {layer.name: layer.units for layer in network(truth.model).layers}
    assert sum(sizes[a] * sizes[b] for a, b in truth.wired) == 374
    for output, edges in truth.edges.items():
        assert 20 <= len(edges) <= 42
        ends = {(later, unit) for _, _, later, unit in edges} - {("output", output)}
        assert ends == {(layer, unit) for layer, units in truth.units[output].items() for unit in units}
    with pytest.raises(BadValue, match="noise=-1"):
        circuits(noise=-1)


@pytest.mark.parametrize("seed", range(3))
def test_true_edges_and_no_others_carry_what_an_output_says(seed: int) -> None:
    truth = circuits(seed, noise=0)
    weights = {name: m.weight for name, m in truth.model.named_modules() if name in dict(truth.wired).values()}
    with torch.no_grad():
        before = truth.model(torch.tensor(EVERY))
        assert torch.equal(before, before.round())
        assert np.array_equal(truth.model(torch.tensor(truth.x)).numpy(), truth.y)
        for source, later in truth.wired:
            for reached, unit in np.ndindex(*weights[later].shape):
                weight = weights[later][reached, unit].item()
                weights[later][reached, unit] = 0
                moved = (truth.model(torch.tensor(EVERY)) != before).any(0).tolist()
                weights[later][reached, unit] = weight
                assert moved == [(source, unit, later, reached) in truth.edges[output] for output in truth.edges]


def test_noise_leaves_most_answers_right(truths: list[tuple[Truth, Perceptron]]) -> None:
    for truth, net in truths:
        assert ((net.outputs(truth.x).numpy() > 0.5) == truth.y).mean() > 0.9


def test_the_size_of_single_effects_finds_the_edges_and_their_sum_does_not(
    truths: list[tuple[Truth, Perceptron]],
) -> None:
    pairs = [(truth, net, output) for truth, net in truths for output in truth.edges]
    sizes = [t.judged_edges(o, methods.edges(net, t.x, o, "mean size")) for t, net, o in pairs]
    sums = [t.judged_edges(o, methods.edges(net, t.x, o, "size of the mean")) for t, net, o in pairs]
    assert mean(sizes, "average_precision") >= 0.98 and mean(sizes, "r_precision") > 0.95
    assert mean(sums, "average_precision") < 0.92


def test_weights_know_of_no_output(truths: list[tuple[Truth, Perceptron]]) -> None:
    found = [t.judged_edges(o, methods.weights_between(net)) for t, net in truths for o in t.edges]
    assert mean(found, "average_precision") < 0.35 and mean(found, "auc") > 0.8
