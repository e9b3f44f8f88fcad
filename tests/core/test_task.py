"""What labels mean, and how outputs are judged by them."""

import numpy as np
import pytest

from nissl.core.predictions import Predictions
from nissl.core.task import Task
from nissl.errors import BadValue, NisslWarning

rng = np.random.default_rng(0)


@pytest.mark.parametrize(
    ("labels", "outputs", "classes", "kind", "count"),
    [
        (np.array([0, 2, 1]), 3, None, "multiclass", 3),
        (np.array([[0], [2]]), 3, None, "multiclass", 3),
        (np.array([0, 1, 1]), 1, None, "binary", 2),
        (np.array([0.0, 1.0]), 1, None, "binary", 2),
        (np.array([[0.0], [1.0]]), 1, ["no", "yes"], "binary", 2),
        (np.array([[1, 0, 1], [0, 0, 0]]), 3, None, "multilabel", 3),
        (np.array([[1, 0, 0], [0, 0, 1]]), 3, None, "multiclass", 3),
        (np.array([0.3, 7.5, 2.0]), 1, None, "regression", 0),
        (np.array([[0.3, 1.0], [2.0, 5.0]]), 2, None, "regression", 0),
        (np.array([[3, 4, 1, 0], [1, 2, 3, 3]]), 50, None, "tokens", 0),
        (np.array([[3, 4, 1, 0], [1, 2, 3, 3]]), 5, 5, "tokens", 5),
        (np.array([0, 1, 1]), 64, ["a", "b"], "grouped", 2),
        (np.array([0, 2, 1]), 1, ["a", "b", "c"], "grouped", 3),
        (np.array([0, 1, 1]), 1, ["a", "b", "c"], "grouped", 3),
        (None, 3, None, "unlabelled", 0),
    ],
)
def test_task_is_told_by_labels_and_outputs(labels, outputs, classes, kind, count):
    task = Task.of(labels, outputs, classes)
    assert (task.kind, len(task.names)) == (kind, count)


def test_unknown_number_of_classes_says_what_to_pass():
    with pytest.raises(BadValue, match="classes="):
        Task.of(np.array([0, 1, 2]), None, None)
    with pytest.raises(BadValue, match="labels up to 2"):
        Task.of(np.array([0, 1, 2]), 10, ["a", "b"])


@pytest.mark.parametrize("bad", [0, -2, "cat", ["a", "a"], 2.5, []])
def test_bad_classes_are_refused(bad):
    with pytest.raises(BadValue, match="classes"):
        Task.of(np.array([0, 1]), 3, bad)


def test_regression_targets_are_binned_into_equal_shares():
    targets = rng.normal(size=1000)
    task = Task.of(targets, 1, None, 4)
    assert len(task.names) == 4 and set(np.bincount(task.groups(targets))) == {250}
    assert Task.of(targets, 1, None, [0.0]).groups(np.array([-1.0, 3.0])).tolist() == [0, 1]
    with pytest.raises(BadValue, match="bins"):
        Task.of(targets, 1, None, 1)


def test_multiclass_judgement_equals_its_definition():
    scores, truth = rng.normal(size=(200, 4)), rng.integers(0, 4, 200)
    judged = Predictions(Task.of(truth, 4, None), np.asarray, squashed=False)
    for part in np.array_split(np.arange(200), 7):
        judged.add(scores[part], truth[part], 4)
    judged.settle()
    chance = np.exp(scores) / np.exp(scores).sum(1, keepdims=True)
    assert judged.loss / judged.count == pytest.approx(-np.log(chance[np.arange(200), truth]).mean())
    assert judged.right / judged.count == pytest.approx((scores.argmax(1) == truth).mean())
    assert judged.confusion[1, 2] == ((truth == 1) & (scores.argmax(1) == 2)).sum()
    squashed = Predictions(Task.of(truth, 4, None), np.asarray, squashed=True)
    squashed.add(chance, truth, 4)
    assert squashed.settle().loss == pytest.approx(judged.loss)


@pytest.mark.parametrize("squashed", [False, True])
def test_binary_judgement_of_logits_and_of_probabilities(squashed):
    logits, truth = rng.normal(size=(100, 1)), rng.integers(0, 2, 100)
    chance = 1 / (1 + np.exp(-logits))
    judged = Predictions(Task.of(truth, 1, None), np.asarray, squashed=squashed)
    judged.add(chance if squashed else logits, truth, 1)
    judged.settle()
    right = np.where(truth == 1, chance[:, 0], 1 - chance[:, 0])
    assert judged.loss / 100 == pytest.approx(-np.log(right).mean())
    assert judged.confusion.tolist() == [
        [int(((truth == t) & ((logits[:, 0] >= 0) == g)).sum()) for g in (0, 1)] for t in (0, 1)
    ]


def test_multi_label_and_regression_judgement():
    truth = np.array([[1, 0, 1], [1, 1, 0], [0, 0, 0]])
    scores = np.array([[2.0, -1, -1], [1, 1, 1], [-1, -1, -1]])
    judged = Predictions(Task.of(truth, 3, None), np.asarray, squashed=False)
    judged.add(scores, truth, 1)
    judged.settle()
    assert judged.right / judged.count == pytest.approx(7 / 9)
    assert judged.confusion[2].tolist() == [[1, 1], [1, 0]]
    targets = rng.normal(size=(50, 1))
    judged = Predictions(Task.of(targets, 1, None), np.asarray, squashed=False)
    judged.add(targets + 2, targets, 1)
    assert judged.settle().loss / 50 == pytest.approx(4)


def test_outputs_that_blew_up_are_judged_without_a_crash():
    judged = Predictions(Task.of(np.array([0, 1]), 2, None), np.asarray, squashed=False)
    judged.add(np.array([[np.nan, 1], [np.inf, 0]]), np.array([0, 1]), 1)
    assert np.isnan(judged.settle().loss) and judged.confusion.sum() == 2


def test_labels_that_are_no_numbers_are_refused():
    with pytest.raises(BadValue, match="labels=FUNCTION"):
        Task.of(np.array(["cat", "dog"]), 2, None)


def test_examples_without_a_class_are_not_judged():
    outputs, labels = rng.normal(size=(6, 3)), np.array([-100, 0, 2, -1, 1, 2])
    task = Task.of(np.array([0, 1, 2]), 3, None)
    found, wanted = (Predictions(task, np.asarray, squashed=False) for _ in range(2))
    found.add(outputs, labels, 18)
    wanted.add(outputs[labels >= 0], labels[labels >= 0], 12)
    found.settle(), wanted.settle()
    assert (found.count, found.right, found.loss) == (wanted.count, wanted.right, wanted.loss) and found.count == 4
    assert (found.confusion == wanted.confusion).all() and len(found.predicted[0]) == 6


def test_bins_make_numbers_of_labels_that_happen_to_be_0_and_1():
    task = Task.of(np.array([0.0, 1.0]), 1, None, [0.25, 0.75])
    assert task.kind == "regression" and task.groups(np.array([0.0, 0.5, 1.0])).tolist() == [0, 1, 2]


def test_classes_for_labels_that_are_none_are_refused():
    with pytest.raises(BadValue, match="no classes: float64 of shape"):
        Task.of(np.array([0.3, 2.0]), 1, ["a", "b"])


@pytest.mark.parametrize(
    ("first", "later"),
    [
        (np.array([0.0, 1.0, 1.0]), np.array([0.0, 0.5, 1.0])),
        (np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]), np.array([[1.0, 0.0, 1.0], [0.0, 1.0, 0.0]])),
        (np.array([[1, 1, 0], [0, 0, 0]]), np.array([[1, 2, 0], [0, 0, 0]])),
    ],
)
def test_labels_that_the_first_ones_misled_about_are_said_once(first, later):
    outputs = first.shape[1] if first.ndim > 1 else 1
    judged = Predictions(Task.of(first, outputs, None), np.asarray, squashed=False)
    judged.add(np.zeros((len(first), outputs)), first, 1)
    judged.settle()  # nothing to say
    judged.add(np.zeros((len(later), outputs)), later, 1)
    with pytest.warns(NisslWarning, match="1 of [23] now are not.*probe="):
        judged.settle()
    judged.add(np.zeros((len(later), outputs)), later, 1)
    judged.settle()
