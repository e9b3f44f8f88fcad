"""Everything that a user may say is checked before training starts."""

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

from nissl.core.plan import rounded
from nissl.core.settings import Settings, size
from nissl.errors import BadValue, UnknownName


@pytest.mark.parametrize(
    "bad",
    [
        {"drop_batches": "yes"},
        {"epoch_intervals": 0},
        {"every": 0},
        {"rounding": 0},
        {"rounding": 40},
        {"budget": "much"},
        {"durability": "forever"},
        {"precision": "float16"},
        {"precision": "float64", "rounding": 10},
        {"patience": -1},
        {"patience": "long"},
        {"quantities": []},
        {"quantities": [3]},
        {"progress": 1},
    ],
)
def test_bad_settings_are_refused_by_name(bad):
    with pytest.raises(BadValue, match=next(iter(bad))):
        Settings(**bad)


def test_unknown_quantity_shows_near_misses():
    with pytest.raises(UnknownName, match="Did you mean 'activation'"):
        Settings(quantities=["activations"])


@pytest.mark.parametrize(
    ("text", "expected"),
    [("2GB", 2 * 10**9), ("500 MB", 5 * 10**8), ("1.5G", 15 * 10**8), (1000, 1000), ("10k", 10**4)],
)
def test_budgets(text, expected):
    assert size(text) == expected


@given(st.lists(st.floats(width=32), min_size=1, max_size=50), st.integers(1, 22))
def test_rounding_keeps_so_many_bits(values, bits):
    before = np.array(values, np.float32)
    after = rounded(before, bits)
    np.testing.assert_array_equal(np.isnan(before), np.isnan(after))
    normal = np.isfinite(before) & (np.abs(before) >= np.finfo(np.float32).tiny)
    assert (np.isfinite(after) == np.isfinite(before)).all()
    with np.errstate(all="ignore"):
        error = np.abs(after[normal].astype(float) / before[normal].astype(float) - 1)
    assert (error <= 2.0 ** -(bits + 1) * (1 + 1e-6)).all()
    if bits == 23:
        np.testing.assert_array_equal(before, after)


def test_the_recipe_is_plain_and_whole():
    recipe = Settings(layers=("a", "b*"), epoch_intervals=(1, 2), budget="1GB").recipe()
    assert recipe["layers"] == ["a", "b*"] and recipe["epoch_intervals"] == [1, 2] and recipe["budget"] == 10**9
    assert "Activation()" in recipe["quantities"]
