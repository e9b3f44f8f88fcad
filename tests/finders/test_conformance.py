"""Every method of the folder keeps to the contract, as it is and with each of its options."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest

from nissl import plugins
from nissl.core.finder import Finder, Scores
from nissl.core.units import contributions
from nissl.testing.finders import FinderSuite

FEW = {"shapley": {"permutations": 2}, "learned_mask": {"steps": 10, "examples": 16, "rate": 0.2}}
"""Options that make a method quick."""
MORE = [
    ("attribution_patching", {"frozen": True}), ("secant", {"pairs": 1}), ("integrated_gradients", {"steps": 8}),
    ("input_gradients", {"steps": 1}), ("shapley", {"permutations": 1, "antithetic": False}),
    ("learned_mask", {**FEW["learned_mask"], "mode": "keep", "sparsity": 0.1}),
]  # fmt: skip
MADE = [plugins.load("finders", name)(**FEW.get(name, {})) for name in plugins.names("finders")]
MADE += [plugins.load("finders", name)(**options) for name, options in MORE]


@pytest.mark.parametrize("made", MADE, ids=repr)
class TestFinders(FinderSuite):
    @pytest.fixture(autouse=True)
    def _given(self, made):
        self.made, self.by_lot = made, type(made).__name__ in ("Shapley", "Random")

    def finder(self):
        return self.made


@dataclass(frozen=True)
class Careless(Finder):
    """Attribution patching with one fault."""

    baselines: ClassVar[tuple[str, ...]] = ("mean",)
    fault: str = ""

    def find(self, case):
        found = super().find(case)
        if self.fault == "lot":
            return Scores(
                {n: r + np.random.default_rng().normal(size=r.shape) for n, r in found.rows.items()}, found.which
            )
        return found

    def each(self, case, part):
        told = case.passage(part)
        away = case.deviations(told.values, part)
        if self.fault == "batch":
            away = {name: value - value.mean(0) for name, value in told.values.items()}
        found = {x.name: contributions(x, away[x.name], told.slopes[x.name]) for x in case.layers}
        if self.fault == "size":
            return {name: np.abs(rows) for name, rows in found.items()}
        if self.fault == "activity":
            return {name: np.asarray(rows) for name, rows in away.items()}
        if self.fault == "numbers":
            return {name: rows + np.arange(rows.shape[1]) for name, rows in found.items()}
        return found


@pytest.mark.parametrize(("fault", "test"), [
    ("lot", "the_same_question_has_the_same_answer_and_leaves_the_network_alone"),
    ("batch", "how_many_examples_are_passed_at_once_does_not_matter"),
    ("size", "a_unit_that_speaks_against_its_class_counts_negative"),
    ("size", "in_a_linear_network_it_is_what_cutting_the_unit_does"),
    ("activity", "a_unit_that_nothing_hears_has_no_score"),
    ("numbers", "scores_go_with_the_units_when_these_are_renumbered"),
])  # fmt: skip
def test_the_suite_catches(fault, test):
    suite = FinderSuite()
    suite.finder = lambda: Careless(fault)
    with pytest.raises(AssertionError):
        getattr(suite, f"test_{test}")()


def test_without_a_fault_it_passes():
    suite = FinderSuite()
    suite.finder = Careless
    tests = [name for name in dir(suite) if name.startswith("test_")]
    for name in tests:
        if name != "test_scores_add_up_where_that_is_promised":
            getattr(suite, name)()
    assert len(tests) > 8
