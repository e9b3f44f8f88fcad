"""What is found by lot, by learning and edge by edge, against the same worked out by hand."""

from dataclasses import dataclass
from itertools import permutations, product
from math import factorial
from typing import ClassVar

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

import nissl
from nissl.core.finder import Finder, finder
from tests.finders.by_hand import case_of, cut, example, inner, mlp, odds, there


@pytest.fixture(scope="module")
def given():
    return example()


def test_shapley_values_of_four_units_are_those_of_all_orders():
    model = mlp(3, 2, 2, 2)
    x, y = torch.randn(6, 3, dtype=torch.float64), torch.arange(6) % 2
    players = [("0", 0), ("0", 1), ("2", 0), ("2", 1)]
    given = (model, x, y)
    case, _ = case_of(given, "shapley", options={"permutations": 1})
    to, wanted = there(given, case, "mean"), torch.zeros(6, 4, dtype=torch.float64)
    for order in permutations(range(4)):
        came, before = [], odds(cut(model, x, players, to), y)
        for player in order:
            came.append(player)
            after = odds(cut(model, x, [p for i, p in enumerate(players) if i not in came], to), y)
            wanted[:, player] += (after - before) / factorial(4)
            before = after
    for many, close in ((60, 0.25), (3, None)):
        for antithetic in (True, False):
            found = case_of(given, "shapley", options={"permutations": many, "antithetic": antithetic})[1]
            rows = np.concatenate([found.rows["0"], found.rows["2"]], 1)
            np.testing.assert_allclose(rows.sum(1), wanted.sum(1), atol=1e-12)  # whatever was drawn
            if close:
                assert np.abs(rows - wanted.numpy()).max() < close * wanted.abs().max()


def test_truncation_leaves_out_what_comes_late(given):
    loose = case_of(given, "shapley", options={"permutations": 4, "truncation": 0.9})[1]
    exact = case_of(given, "shapley", options={"permutations": 4})[1]
    for name in exact.rows:
        assert (loose.rows[name] == 0).sum() > (exact.rows[name] == 0).sum()


def test_masks_find_the_units_of_a_class():
    """Three classes with two units each behind them; two units serve all."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 8), nn.ReLU(), nn.Linear(8, 3)).double()
    with torch.no_grad():
        model[0].weight.copy_(torch.cat([torch.eye(3).repeat_interleave(2, 0), torch.ones(2, 3)]))
        model[0].bias.zero_()
        model[2].weight.copy_(torch.cat([4 * torch.eye(3).repeat_interleave(2, 0), torch.zeros(2, 3)]).T)
        model[2].bias.zero_()
    y = torch.arange(30) % 3
    x = F.one_hot(y, 3).double() + 0.1 * torch.rand(30, 3, dtype=torch.float64)
    for mode, metric in product(("delete", "keep"), ("logodds", "logit")):
        options = {"mode": mode, "steps": 60, "rate": 0.1, "sparsity": 1.0}
        _, found = case_of((model, x, y), "learned_mask", options=options, metric=metric, baseline="zero")
        for target, row in enumerate(found.rows["0"]):
            own = np.repeat(np.arange(3), 2) == target
            assert row[:6][own].max() > 0.4, (mode, metric)
            assert row[:6][~own].max() < 0.2, (mode, metric)
            np.testing.assert_allclose(row[6:], 0, atol=0.02)


@dataclass(frozen=True)
class Counted(Finder):
    """Counts how often it is asked."""

    baselines: ClassVar[tuple[str, ...]] = ("mean",)
    asked: ClassVar[list] = []

    def each(self, case, part):
        self.asked.append(len(part))
        return {layer.name: np.ones((len(part), layer.units)) for layer in case.layers}


def test_all_classes_cost_one_search(given):
    model, x, y = given
    Counted.asked.clear()
    assert len(nissl.structures(model, (x, y), by=Counted(), progress=False)) == 4
    assert Counted.asked == [20]


# edges


@pytest.mark.parametrize("by", ["attribution_patching", "secant", "input_gradients", "integrated_gradients"])
def test_edges_into_a_layer_add_up_to_what_passes_there(given, by):
    """With a linear aim, what reaches a unit of the last hidden layer is its deviation before its nonlinearity times its slope."""
    model, x, y = given
    case, _ = case_of(given, by, metric="logit")
    told = finder(by, {}).edges(case, np.arange(20), [("0", "2")])["0", "2"]
    with torch.no_grad():
        other = x[case.counterfactuals(0)] if case.baseline == "counterfactual" else None
        here = inner(model, x)["0"]
        away = here - (here.mean(0) if other is None else inner(model, other)["0"])
        before = model[2](here)
        slope = (before > 0).double()
        if by == "secant":
            moved = before - model[2](inner(model, other)["0"])
            slope = (torch.relu(before) - torch.relu(before - moved)) / moved
        if by == "input_gradients":
            slope = sum(
                weight / 2 * (model[2](inner(model, other + (node + 1) / 2 * (x - other))["0"]) > 0)
                for node, weight in zip(*np.polynomial.legendre.leggauss(5), strict=True)
            )
        wanted = away[:, :, None] * model[2].weight.T[None] * (slope * model[4].weight[y])[:, None, :]
    np.testing.assert_allclose(told, wanted, atol=1e-10)


def test_a_structure_has_the_edges_of_its_method(given):
    model, x, y = given
    found = nissl.structure(model, (x, y), 2, by="input_gradients", size=0.5, progress=False)
    case, mine = found.case, np.flatnonzero(y.numpy() == 2)
    told = finder("input_gradients", {}).edges(case, mine, [("0", "2")])["0", "2"]
    assert found.edges
    for edge in found.edges:
        assert (edge.source, edge.source_unit) in found and (edge.target, edge.target_unit) in found
        assert edge.signed == pytest.approx(told[:, edge.source_unit, edge.target_unit].mean())
        assert edge.absolute == pytest.approx(np.abs(told[:, edge.source_unit, edge.target_unit]).mean())
    sizes = [edge.absolute for edge in found.edges]
    assert sizes == sorted(sizes, reverse=True)
