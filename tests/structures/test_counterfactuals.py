"""Counterfactuals of the user's own, and the question of what makes the right answer."""

import numpy as np
import pytest

import nissl
from nissl.core.question import asked
from nissl.errors import BadValue
from nissl.testing.truths.induction import induction
from tests.structures.corners import QUIET


@pytest.fixture(scope="module")
def truth():
    return induction(0, examples=60)


def heads(truth, by, **options):
    layers = list(truth.units["next"])
    found = nissl.structure(
        truth.model, (truth.x, truth.y), "label", by=by, metric="logit", layers=layers, rank="absolute", size=3,
        baseline="counterfactual", others=truth.others, **options, **QUIET,
    )  # fmt: skip
    return found, truth.judged("next", found.ranking).r_precision


def test_saturated_heads_are_found_by_secants_and_missed_by_gradients(truth):
    found, share = heads(truth, "secant")
    assert share == 1
    assert {layer: frozenset(which) for layer, which in found.members.items()} == truth.units["next"]
    assert heads(truth, "attribution_patching")[1] < 0.7
    assert found.target == "the right answer"
    assert found.recipe["examples"] == len(truth.x)


def test_given_counterfactuals_are_what_is_compared_with(truth):
    case = asked(
        nissl.network(truth.model),
        (truth.x, truth.y),
        "label",
        metric="logit",
        baseline="counterfactual",
        others=truth.others,
    )
    part = np.array([3, 7])
    np.testing.assert_array_equal(case.opposites(0, part), truth.others[part])
    np.testing.assert_array_equal(case.opposites(5, part), truth.others[part])
    np.testing.assert_array_equal(case.about, truth.y)
    assert (case.which == 0).all()


def test_scores_of_the_right_answer_are_those_of_the_classes_together(learnt):
    model, x, y = learnt
    every = nissl.structures(model, (x, y), by="attribution_patching", **QUIET)
    whole = nissl.structure(model, (x, y), "label", by="attribution_patching", **QUIET)
    share = np.bincount(y.numpy()) / len(y)
    for name, scores in whole.scores.items():
        told = sum(part * one.scores[name] for part, one in zip(share, every.values(), strict=True))
        np.testing.assert_allclose(scores, told, rtol=1e-5, atol=1e-7)


def test_there_must_be_one_for_each_example(truth):
    with pytest.raises(BadValue, match="59 inputs for 60 examples"):
        nissl.structure(truth.model, (truth.x, truth.y), "label", others=truth.others[:59], **QUIET)
