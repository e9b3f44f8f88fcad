"""The sums, their merging, and the reference accumulator, against plain numpy in float64."""

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis.extra.numpy import arrays

from nissl.core.columns import by_class, moments
from nissl.core.sums import NumpyAccumulator, Sums

values = st.floats(-1e6, 1e6, width=32) | st.sampled_from([np.nan, np.inf, -np.inf])
tables = st.tuples(st.integers(1, 30), st.integers(1, 4)).flatmap(
    lambda shape: arrays(np.float64, shape, elements=values)
)


@settings(max_examples=60, deadline=None)
@given(tables, st.integers(0, 30), st.randoms())
def test_merging_any_split_equals_the_whole(rows, cut, random):
    groups = np.array([random.randrange(-1, 3) for _ in rows])
    whole = Sums.of(rows, groups, 3)
    parts = Sums.of(rows[:cut], groups[:cut], 3).merge(Sums.of(rows[cut:], groups[cut:], 3))
    for name in ("count", "mean", "low", "high", "positive", "magnitude", "nans", "infs", "class_count", "class_mean"):
        np.testing.assert_allclose(getattr(parts, name), getattr(whole, name), rtol=1e-9, atol=1e-9, err_msg=name)
    np.testing.assert_allclose(parts.m2, whole.m2, rtol=1e-6, atol=1e-2)
    np.testing.assert_allclose(parts.class_m2, whole.class_m2, rtol=1e-6, atol=1e-2)


def test_moments_of_a_far_mean_are_exact():
    rows = np.random.default_rng(0).normal(1000, 1, (5000, 3))
    accumulator = NumpyAccumulator(-1)
    for part in np.array_split(rows, 37):
        accumulator.fold(part)
    found = moments(accumulator.read())
    np.testing.assert_allclose(found["mean"], rows.mean(0), rtol=1e-12)
    np.testing.assert_allclose(found["std"], rows.std(0), rtol=1e-9)


def test_nan_and_infinity_are_counted_apart_and_left_out():
    rows = np.array([[1.0, np.nan], [3.0, np.inf], [5.0, -np.inf]])
    found = moments(Sums.of(rows))
    assert found["mean"][0] == 3 and np.isnan(found["mean"][1])
    assert list(found["nan"]) == [0, 1] and list(found["inf"]) == [0, 2] and list(found["count"]) == [3, 0]
    assert found["max"][0] == 5 and np.isnan(found["max"][1])


@pytest.mark.parametrize(("shape", "unit_axis"), [((8, 5), -1), ((8, 5, 3, 2), 1), ((8, 3, 5), -1), ((8, 5, 4), 1)])
def test_class_profile_counts_every_position(shape, unit_axis):
    rng = np.random.default_rng(1)
    value, labels = rng.normal(size=shape), np.array([0, 1, 2, 0, 1, 2, 0, 5])  # 5: no class of ours
    accumulator = NumpyAccumulator(unit_axis, classes=3)
    accumulator.fold(value, labels)
    count, mean, std = by_class(accumulator.read())
    axes = tuple(a for a in range(value.ndim) if a != unit_axis % value.ndim)
    for k in range(3):
        np.testing.assert_allclose(mean[:, k], value[labels == k].mean(axes))
        np.testing.assert_allclose(std[:, k], value[labels == k].std(axes))
        assert count[k] == (labels == k).sum() * value.size / (8 * 5)


def test_multi_label_examples_count_for_each_of_their_classes():
    value = np.arange(12.0).reshape(4, 3)
    table = np.array([[1, 1], [1, 0], [0, 0], [0, 1]], bool)
    accumulator = NumpyAccumulator(-1, classes=2)
    accumulator.fold(value, table)
    _, mean, _ = by_class(accumulator.read())
    np.testing.assert_allclose(mean, np.stack([value[[0, 1]].mean(0), value[[0, 3]].mean(0)], 1))


def test_a_label_for_every_position():
    value, labels = np.arange(12.0).reshape(2, 3, 2), np.array([[0, 1, 0], [1, 1, 0]])
    accumulator = NumpyAccumulator(-1, classes=2)
    accumulator.fold(value, labels)
    _, mean, _ = by_class(accumulator.read())
    np.testing.assert_allclose(mean[:, 1], value.reshape(6, 2)[labels.reshape(-1) == 1].mean(0))


def test_the_sketch_is_evenly_thinned_whatever_the_batches():
    rows = np.arange(1000.0)[:, None]
    sketches = []
    for sizes in (1, 7, 1000):
        accumulator = NumpyAccumulator(-1, sketch=64)
        for start in range(0, 1000, sizes):
            accumulator.fold(rows[start : start + sizes])
        sums = accumulator.read()
        assert len(sums.sketch) <= 64
        sketches.append(sums.sketch[:, 0])
        assert set(np.diff(sums.sketch[:, 0])) == {sums.stride}
    assert all(np.array_equal(sketches[0], other) for other in sketches)


@pytest.mark.parametrize("engine", ["numpy", "torch"])
@pytest.mark.parametrize("shape", [(4, 4, 3), (5, 4, 3)])
def test_labels_by_position_of_a_sequence_first_layer_lie_as_its_values_do(shape, engine):
    rng = np.random.default_rng(4)
    value, labels = rng.normal(size=shape), rng.integers(0, 2, shape[:2])
    made = NumpyAccumulator(-1, 1, classes=2)
    if engine == "torch":
        torch = pytest.importorskip("torch")
        from nissl.adapters._torch.sums import TorchAccumulator

        made, value, labels = TorchAccumulator(-1, 1, 2), torch.as_tensor(value), torch.as_tensor(labels)
    made.fold(value, labels)
    _, mean, _ = by_class(made.read())
    rows, of = np.asarray(value).reshape(-1, 3), np.asarray(labels).reshape(-1)
    np.testing.assert_allclose(mean, np.stack([rows[of == k].mean(0) for k in (0, 1)], 1))
