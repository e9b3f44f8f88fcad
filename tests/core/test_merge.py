"""What several ranks recorded apart is what one would have recorded of all of it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nissl.core.merge import merged, siblings
from nissl.core.store import ArraySpec, Column
from nissl.errors import BadValue

NEURONS, CLASSES = 4, 3
COLUMNS = (
    Column("count", "sum"),
    Column("mean"),
    Column("std", "std"),
    Column("low", "min"),
    Column("high", "max"),
    Column("bias", "first"),
    Column("class_free", "average"),
)
STATS = ArraySpec("stats", ("neuron", "stat"), (NEURONS, len(COLUMNS)), "l", "float64", COLUMNS)
COUNT = ArraySpec("class_count", ("class",), (CLASSES,), "l", "float64", (Column("class_count", "sum"),))
MEAN = ArraySpec(
    "class_mean", ("neuron", "class"), (NEURONS, CLASSES), "l", "float64", (Column("m", "mean", "class_count"),)
)
SPREAD = ArraySpec(
    "class_std",
    ("neuron", "class"),
    (NEURONS, CLASSES),
    "l",
    "float64",
    (Column("s", "std", "class_count", "class_mean"),),
)
HITS = ArraySpec("hits", ("class",), (CLASSES,), None, "int64", (Column("hits", "sum"),))
SPECS = {spec.key: spec for spec in (STATS, COUNT, MEAN, SPREAD, HITS)}


def recorded(rows, labels):
    """What one rank, or all together, says of these rows; NaN where there are none."""
    with np.errstate(invalid="ignore", divide="ignore"):
        none = np.full(NEURONS, np.nan)
        low, high = (rows.min(0), rows.max(0)) if len(rows) else (none, none)
        mean = rows.sum(0) / len(rows) if len(rows) else none
        std = np.sqrt(((rows - mean) ** 2).sum(0) / len(rows)) if len(rows) else none
        groups = [rows[labels == k] for k in range(CLASSES)]
        means = np.stack([g.mean(0) if len(g) else none for g in groups], 1)
        stds = np.stack([g.std(0) if len(g) else none for g in groups], 1)
    stats = [np.full(NEURONS, len(rows)), mean, std, low, high, np.arange(NEURONS), mean]
    counts = np.array([len(g) for g in groups])
    found = {"stats": np.stack(stats, 1), "class_count": counts.astype(float), "class_mean": means, "class_std": stds}
    return {f"layers/l/{name}": array for name, array in found.items()} | {HITS.key: counts}


@given(
    st.integers(0, 2**32), st.lists(st.integers(0, 9), min_size=1, max_size=5).filter(any), st.sampled_from([0, 1000])
)
def test_parts_become_the_whole(seed, sizes, offset):
    rng = np.random.default_rng(seed)
    rows, labels = rng.normal(offset, 1, (sum(sizes), NEURONS)), rng.integers(0, CLASSES, sum(sizes))
    ends = np.cumsum(sizes)[:-1]
    parts = [recorded(*part) for part in zip(np.split(rows, ends), np.split(labels, ends), strict=True)]
    expected = recorded(rows, labels)
    for key, spec in SPECS.items():
        np.testing.assert_allclose(merged(spec, parts, SPECS), expected[key], rtol=1e-9, atol=1e-9, err_msg=key)


def test_cut_parts_become_the_cut_whole():
    rng = np.random.default_rng(0)
    rows, labels = rng.normal(size=(20, NEURONS)), rng.integers(0, CLASSES, 20)
    parts = [recorded(rows[:5], labels[:5]), recorded(rows[5:], labels[5:])]
    cut = [{key: array[1:3] if SPECS[key].dims[0] == "neuron" else array for key, array in p.items()} for p in parts]
    for spec in (STATS, MEAN, SPREAD):
        np.testing.assert_allclose(merged(spec, cut, SPECS), recorded(rows, labels)[spec.key][1:3])


def test_a_rank_without_the_array_is_left_out():
    parts = [{HITS.key: np.array([1, 2, 3])}, {}, {HITS.key: np.array([1, 1, 1])}]
    np.testing.assert_array_equal(merged(HITS, parts, SPECS), [2, 3, 4])
    np.testing.assert_array_equal(merged(HITS, parts[:2], SPECS), [1, 2, 3])


def test_without_a_weight_all_ranks_count_alike():
    spec = ArraySpec("depth", ("neuron",), (2,), "l", columns=(Column("depth"),))
    parts = [{spec.key: np.array([1.0, np.nan], "f4")}, {spec.key: np.array([3.0, 5.0], "f4")}]
    found = merged(spec, parts, {spec.key: spec})
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, [2, 5])


def test_what_cannot_be_merged_says_what_is_missing():
    lonely = ArraySpec("std", ("neuron",), (2,), "l", columns=(Column("std", "std", "count", "centre"),))
    with pytest.raises(BadValue, match=r"'std'.*'centre'"):
        siblings(lonely, {lonely.key: lonely})
    odd = ArraySpec("odd", ("neuron",), (2,), "l", columns=(Column("odd", "median"),))
    with pytest.raises(BadValue, match="median"):
        siblings(odd, {odd.key: odd})


def test_siblings_are_what_has_to_be_read_besides():
    assert siblings(STATS, SPECS) == set()
    assert siblings(SPREAD, SPECS) == {COUNT.key, MEAN.key}
    assert siblings(HITS, SPECS) == set()
