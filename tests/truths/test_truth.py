"""Truths judge rightly, name what nissl sees, and come out the same for the same seed."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, roc_auc_score

from nissl.errors import BadValue, UnknownName
from nissl.testing.truths.judgement import Judgement
from nissl.testing.truths.truth import Truth

TRUTH = Truth(
    torch.nn.Identity(), np.zeros((1, 1)), np.zeros(1),
    units={"a": {"one": frozenset({1}), "two": frozenset({0, 2})}},
    traps={"decoys": {"one": frozenset({2})}},
    edges={"a": frozenset({("one", 1, "two", 0), ("one", 1, "two", 2)})},
    wired=(("one", "two"),),
)  # fmt: skip


@settings(max_examples=40)
@given(st.lists(st.tuples(st.integers(0, 4), st.booleans()), min_size=2, max_size=30))
def test_scores_are_judged_as_elsewhere(rows: list[tuple[int, bool]]) -> None:
    scores, true = (np.array(column) for column in zip(*rows, strict=True))
    if true.all() or not true.any():
        with pytest.raises(BadValue, match="nothing to tell apart"):
            Judgement.of(scores, true)
        return
    found = Judgement.of(scores, true)
    assert found.auc == pytest.approx(roc_auc_score(true, scores))
    assert found.average_precision == pytest.approx(average_precision_score(true, scores))
    random = np.random.default_rng(0)  # among ties, the mean over their orders
    tops = [np.lexsort((random.random(len(scores)), -scores))[: true.sum()] for _ in range(200)]
    assert found.r_precision == pytest.approx(np.mean([true[top].mean() for top in tops]), abs=0.1)


def test_a_truth_judges_units_layer_by_layer() -> None:
    found = TRUTH.judged("a", {"one": np.array([0, 3.0, 2]), "two": np.array([1.0, 0, 1]), "elsewhere": np.ones(9)})
    assert found.auc == pytest.approx(7 / 9)
    assert found.r_precision == pytest.approx((1 + 0.5 + 0.5) / 3)
    assert found.trapped == {"decoys": pytest.approx(1 / 3)}


def test_a_truth_judges_edges() -> None:
    scores = np.zeros((3, 3))
    scores[1, 0] = scores[1, 2] = 1
    assert TRUTH.judged_edges("a", {("one", "two"): scores}).average_precision == 1
    scores[0, 0] = 2
    assert TRUTH.judged_edges("a", {("one", "two"): scores}).r_precision == 0.5


def test_what_cannot_be_judged_is_refused() -> None:
    with pytest.raises(UnknownName, match="of 'b'; it is of 'a'"):
        TRUTH.judged("b", {})
    with pytest.raises(BadValue, match="No scores for two;"):
        TRUTH.judged("a", {"one": np.zeros(3)})
    with pytest.raises(BadValue, match=r"No scores for \('one', 'two'\)"):
        TRUTH.judged_edges("a", {})
    with pytest.raises(BadValue, match="finite numbers"):
        TRUTH.judged("a", {"one": np.full(3, np.nan), "two": np.zeros(3)})
