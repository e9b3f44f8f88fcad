"""What a data set may give: wrong arrays are refused where they are made, not in the tenth epoch."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nissl.core.dataset import Examples, Splits
from nissl.data._files.splitting import split
from nissl.errors import BadValue


def examples(x, y) -> Splits:
    part = Examples(np.asarray(x), np.asarray(y))
    return Splits(part, part, ("no", "yes"))


@pytest.mark.parametrize(
    ("x", "kind", "dtype"),
    [
        (np.zeros((2, 3)), "table", np.float32),
        (np.zeros((2, 3, 4, 4)), "image", np.float32),
        (np.zeros((2, 3, 4)), "array", np.float32),
        (np.zeros((2, 3), np.uint8), "tokens", np.int64),
    ],
)
def test_the_kind_is_read_off_the_arrays(x, kind: str, dtype: type) -> None:
    splits = examples(x, [0, 1])
    assert (splits.kind, splits.train.x.dtype, splits.shape) == (kind, dtype, x.shape[1:])


def test_values_to_be_predicted_need_no_classes() -> None:
    part = Examples(np.zeros((2, 3)), np.array([0.5, 2.5]))
    assert Splits(part, part).test.y.dtype == np.float32


@pytest.mark.parametrize(
    ("x", "y", "said"),
    [
        (np.zeros((3, 2)), [0, 1], "one row an example"),
        (np.zeros((0, 2)), np.zeros(0, int), "one row an example"),
        (np.array([[0.0, np.nan], [np.inf, 0]]), [0, 1], "2 values that are not finite"),
        (np.zeros((2, 2)), [0, 2], "classes 0 to 2, and 2 classes are named"),
        (np.zeros((2, 2)), [-1, 1], "classes -1 to 1"),
    ],
)
def test_wrong_arrays_are_refused(x, y, said: str) -> None:
    with pytest.raises(BadValue, match=said):
        examples(x, y)


def test_training_and_test_examples_must_have_one_shape() -> None:
    with pytest.raises(BadValue, match=r"\(2,\) and \(3,\)"):
        Splits(Examples(np.zeros((1, 2)), np.zeros(1)), Examples(np.zeros((1, 3)), np.zeros(1)))


@given(st.lists(st.integers(0, 4), min_size=1, max_size=60), st.floats(0.05, 0.95), st.integers(0, 9))
def test_a_split_loses_and_repeats_nothing_and_is_fair_to_every_class(labels, share, seed) -> None:
    y = np.array(labels)
    parts = split(y, share, seed)
    np.testing.assert_array_equal(np.sort(np.concatenate([parts.train, parts.test])), np.arange(len(y)))
    for label in set(labels):
        assert abs(np.sum(y[parts.test] == label) - share * np.sum(y == label)) <= 0.5 + 1e-9
