"""An attribution is an array that knows what it is of."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from nissl.core.attribution import Attribution

VALUES = np.random.default_rng(0).normal(size=(4, 3, 5, 6))


def made(values, **how):
    return Attribution(values, "Gradient()", "true class", **how)


def test_it_behaves_as_an_array():
    one = made(VALUES)
    assert (one.shape, one.ndim, one.dtype, len(one)) == (VALUES.shape, 4, VALUES.dtype, 4)
    np.testing.assert_array_equal(np.asarray(one), VALUES)
    np.testing.assert_array_equal(one[1, 2], VALUES[1, 2])
    np.testing.assert_array_equal(2 * one - one / one, 2 * VALUES - 1)
    np.testing.assert_array_equal(np.abs(-one), np.abs(VALUES))
    np.testing.assert_array_equal(one > 0, VALUES > 0)
    assert type(one + one) is np.ndarray
    assert "true class" in repr(one) and "Gradient()" in repr(one)


def test_its_pictures_are_the_formulae():
    one = made(VALUES, axis=1)
    top = VALUES.max((1, 2, 3), keepdims=True)
    np.testing.assert_allclose(one.positive, np.maximum(VALUES, 0) / top)
    np.testing.assert_allclose(one.negative, np.maximum(-VALUES, 0) / -VALUES.min((1, 2, 3), keepdims=True))
    sizes = np.abs(VALUES).sum(1, keepdims=True)
    low, high = sizes.min((1, 2, 3), keepdims=True), np.percentile(sizes, 99, (1, 2, 3), keepdims=True)
    np.testing.assert_allclose(one.grayscale, np.clip((sizes - low) / (high - low), 0, 1))


@given(arrays(np.float64, (3, 1, 2, 4), elements=st.floats(-1e6, 1e6)))
def test_pictures_stay_within_0_and_1_also_of_one_sign_and_of_nothing(values):
    for whole in (values, np.abs(values), -np.abs(values), np.zeros_like(values), np.ones_like(values)):
        one = made(whole, axis=1)
        for picture in (one.positive, one.negative, one.grayscale):
            assert np.isfinite(picture).all() and picture.min() >= 0 and picture.max() <= 1


def test_examples_do_not_scale_one_another():
    one, other = made(VALUES), made(np.concatenate([VALUES[:1], 100 * VALUES[1:]]))
    np.testing.assert_allclose(other.positive[0], one.positive[0])
    gallery = made(np.stack([VALUES, 100 * VALUES]), apart=(0, 1))
    np.testing.assert_allclose(gallery.positive[0], gallery.positive[1])


def test_an_array_can_be_had_without_a_copy():
    one = made(VALUES)
    assert np.shares_memory(np.asarray(one), VALUES)
    with pytest.raises(ValueError, match="copy"):
        np.array(one, dtype=np.float32, copy=False)
