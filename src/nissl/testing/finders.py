"""What every method that finds structures must keep to: subclass `FinderSuite`, give it yours, and run pytest."""

from collections.abc import Callable
from dataclasses import fields, replace
from itertools import pairwise
from typing import Any, ClassVar

import numpy as np
import pytest
from numpy.typing import NDArray

from nissl.core.finder import BASELINES, Case, Finder, Scores
from nissl.core.network import network
from nissl.core.question import asked
from nissl.errors import BadValue

Array = NDArray[Any]
Weights = list[tuple[Array, Array]]
SIZES = (6, 8, 7, 3)
BENDS: dict[str, Callable[[Array], Array]] = {
    "ReLU": lambda z: np.maximum(z, 0),
    "Tanh": np.tanh,
    "Identity": lambda z: z,
}


class FinderSuite:
    """Subclass with `finder()` returning the method; what is promised only of some is told by what they say of themselves."""

    by_lot: ClassVar[bool] = False
    """Are units drawn by lot, so that a unit's number may change its score?"""

    def finder(self) -> Finder:
        raise NotImplementedError("return the method to test")

    def scores(self, case: Case) -> Scores:
        return self.finder()(case)

    def case(self, weights: Weights, x: Array, y: Array, bend: str = "ReLU", **options: Any) -> Case:
        """A question about a perceptron of these weights; layers are called 0, 2, 4 ..."""
        options = {"baseline": self.finder().baselines[0], **options}
        return asked(network(perceptron(weights, bend)), (x, y), **options)

    @property
    def question(self) -> Case:
        return self.case(drawn(), *examples())

    def causal(self, *, signed: bool = False) -> None:
        """Skip what is not promised by a method that only describes, or that knows no signs."""
        if not self.finder().causal or (signed and not self.finder().signed):
            pytest.skip("not promised by this method")

    # the tests

    def test_it_says_what_it_is(self) -> None:
        made = self.finder()
        assert made == self.finder() and hash(made) == hash(self.finder())
        for field in fields(made):
            assert f"{field.name}=" in repr(made)
        assert made.baselines and set(made.baselines) <= set(BASELINES)

    def test_every_unit_gets_a_finite_number_in_every_row(self) -> None:
        case = self.question
        found = self.scores(case)
        assert list(found.rows) == case.names
        assert set(found.which.tolist()) == {0, 1, 2}
        for layer in case.layers:
            rows = found.rows[layer.name]
            assert rows.shape == (len(found.which), layer.units)
            assert np.isfinite(rows).all() and rows.any()

    def test_the_same_question_has_the_same_answer_and_leaves_the_network_alone(self) -> None:
        first, case = self.scores(self.question), self.question
        before = case.network.forward(case.pool.x)
        again = self.scores(case)
        for name, rows in first.rows.items():
            np.testing.assert_array_equal(again.rows[name], rows)
        np.testing.assert_array_equal(case.network.forward(case.pool.x), before)

    def test_how_many_examples_are_passed_at_once_does_not_matter(self) -> None:
        whole, parts = (self.scores(self.case(drawn(), *examples(), batch=batch)) for batch in (128, 5))
        np.testing.assert_array_equal(parts.which, whole.which)
        for name, rows in whole.rows.items():
            np.testing.assert_allclose(parts.rows[name], rows, rtol=1e-6, atol=1e-6)

    def test_progress_rises_to_the_end(self) -> None:
        told: list[float] = []
        self.scores(replace(self.question, tick=told.append))
        assert told == sorted(told)
        assert not told or told[-1] == pytest.approx(1)

    def test_a_unit_that_nothing_hears_has_no_score(self) -> None:
        self.causal()
        weights = drawn()
        weights[1][0][:, 3] = weights[2][0][:, 5] = 0
        for rows, unit in zip(self.scores(self.case(weights, *examples())).rows.values(), (3, 5), strict=True):
            assert np.abs(rows[:, unit]).max() < 1e-12
            assert np.abs(rows).max() > 1e-4

    def test_in_a_linear_network_it_is_what_cutting_the_unit_does(self) -> None:
        self.causal(signed=True)
        baseline = "mean" if "mean" in self.finder().baselines else self.finder().baselines[0]
        x, y = (examples if baseline == "mean" else two_points)()
        weights = drawn()
        onward = [weights[2][0] @ weights[1][0], weights[2][0]]
        for name, value, slopes in zip(("0", "1"), values(weights, x, "Identity"), onward, strict=False):
            case = self.case(weights, x, y, "Identity", baseline=baseline, metric="logit", layers=[name])
            away = value - (value.mean(0) if baseline == "mean" else value[::-1])
            np.testing.assert_allclose(self.scores(case).rows[name], away * slopes[y], rtol=1e-9, atol=1e-12)

    def test_scores_add_up_where_that_is_promised(self) -> None:
        if not self.finder().complete:
            pytest.skip("not promised by this method")
        weights, (x, y) = drawn(), two_points()
        case, rows = self.case(weights, x, y, "Tanh", metric="logit"), np.arange(len(x))
        first, second, out = values(weights, x, "Tanh")
        for name, value in zip(case.names, (first, second), strict=True):
            low = value.mean(0) + 0 * value if case.baseline == "mean" else value[::-1]
            low = np.tanh(low @ weights[1][0].T + weights[1][1]) if value is first else low
            missing = (low @ weights[2][0].T + weights[2][1])[rows, y]
            np.testing.assert_allclose(self.scores(case).rows[name].sum(1), out[rows, y] - missing, atol=1e-5)

    def test_scores_go_with_the_units_when_these_are_renumbered(self) -> None:
        if self.by_lot:
            pytest.skip("units are drawn by lot")
        weights, order = drawn(), np.random.default_rng(5).permutation(SIZES[1])
        first, second = weights[0], weights[1]
        turned: Weights = [(first[0][order], first[1][order]), (second[0][:, order], second[1]), weights[2]]
        before, after = (self.scores(self.case(w, *examples())).rows["0"] for w in (weights, turned))
        np.testing.assert_allclose(after, before[:, order], rtol=1e-6, atol=1e-6)

    def test_a_unit_that_speaks_against_its_class_counts_negative(self) -> None:
        self.causal(signed=True)
        x, y = np.repeat([[1.0, 1.0], [0.2, 0.1]], 6, 0), np.repeat([0, 1], 6)
        weights: Weights = [(np.eye(2), np.zeros(2)), (np.array([[2.0, -1.0], [0.0, 0.0]]), np.zeros(2))]
        found = self.scores(self.case(weights, x, y))
        speaks, opposes = found.rows["0"][found.which == 0].mean(0)
        assert speaks > 0.05
        assert opposes < -0.05

    def test_a_baseline_that_it_does_not_know_is_refused(self) -> None:
        with pytest.raises(BadValue, match=f"{self.finder().baselines[0]}.*not 'median'"):
            self.scores(replace(self.question, baseline="median"))

    def test_a_network_that_gives_no_numbers_is_refused(self) -> None:
        self.causal()
        weights = drawn()
        weights[0][0][2, 1] = np.nan
        with np.errstate(all="ignore"), pytest.raises(BadValue, match="finite"):
            self.scores(self.case(weights, *examples()))


def drawn() -> Weights:
    """Weights (unit, input) and biases of a small perceptron, always the same."""
    random = np.random.default_rng(3)
    return [
        (random.normal(0, 1.2 / np.sqrt(before), (after, before)), random.normal(0, 0.3, after))
        for before, after in pairwise(SIZES)
    ]


def examples() -> tuple[Array, Array]:
    """Twenty-four inputs of three classes."""
    return np.random.default_rng(4).normal(size=(24, SIZES[0])), np.arange(24) % 3


def two_points() -> tuple[Array, Array]:
    """Two inputs of two classes, several times each: whoever draws a counterfactual draws the other one."""
    points = np.random.default_rng(6).normal(size=(2, SIZES[0]))
    return np.tile(points, (4, 1)), np.tile([0, 1], 4)


def values(weights: Weights, x: Array, bend: str) -> list[Array]:
    """What each layer says, the last one without its nonlinearity."""
    found = []
    for weight, bias in weights:
        x = x @ weight.T + bias
        found.append(x)
        x = BENDS[bend](x)
    return [*(BENDS[bend](told) for told in found[:-1]), found[-1]]


def perceptron(weights: Weights, bend: str) -> Any:
    """A torch model in double precision; without nonlinearities its layers follow one another directly."""
    import torch
    from torch import nn

    layers: list[nn.Module] = []
    for weight, bias in weights:
        layer = nn.Linear(weight.shape[1], weight.shape[0], dtype=torch.float64)
        with torch.no_grad():
            layer.weight.copy_(torch.from_numpy(weight))
            layer.bias.copy_(torch.from_numpy(bias))
        layers += [layer] if bend == "Identity" else [layer, getattr(nn, bend)()]
    return nn.Sequential(*layers[: None if bend == "Identity" else -1])
