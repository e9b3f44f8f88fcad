"""Communities are units whose weights lie in one small subspace, at whatever phase."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nissl.core.communities import communities
from nissl.errors import BadValue


def waves(seed, planes=6, each=7, size=31, noise=0.05):
    """Units of a few frequencies, each at a phase of its own in what comes in and in what goes out."""
    draw = np.random.default_rng(seed)
    owner = np.repeat(np.arange(planes), each)
    at = 2 * np.pi * np.arange(size) * (owner[:, None] + 1) / size
    tables = [np.cos(at + draw.uniform(0, 2 * np.pi, (len(owner), 1))) for _ in range(3)]
    order = draw.permutation(len(owner))
    return owner[order], [(table + noise * draw.normal(size=table.shape))[order] for table in tables]


def alike(one, other):
    """Every pair of units is together in both or in neither."""
    return bool(((one[:, None] == one) == (other[:, None] == other)).all())


@pytest.mark.parametrize("tied", [True, False])
@given(seed=st.integers(0, 30))
@settings(max_examples=8, deadline=None)
def test_planted_subspaces_are_found_though_weights_do_not_correlate(tied, seed):
    owner, tables = waves(seed)
    assert alike(communities(tables, tied=tied), owner)


def test_correlation_would_not_have_found_them():
    owner, tables = waves(0)
    same = owner[:, None] == owner
    close = np.abs(np.corrcoef(np.concatenate(tables, 1))) > 0.5
    assert (close & same).sum() < 0.5 * same.sum()


def test_the_largest_comes_first_and_the_order_of_units_does_not_matter():
    owner, tables = waves(1)
    keep = np.flatnonzero((owner != 2) | (np.cumsum(owner == 2) < 4))
    found = communities([table[keep] for table in tables], tied=True)
    sizes = np.bincount(found)
    assert (np.diff(sizes) <= 0).all()
    order = np.random.default_rng(0).permutation(len(keep))
    assert alike(communities([table[keep][order] for table in tables], tied=True), found[order])


def test_same_seed_same_communities():
    _, tables = waves(2)
    np.testing.assert_array_equal(communities(tables), communities(tables))


@pytest.mark.parametrize(("tables", "tied", "words"), [
    ([], False, "one or several"), ([np.ones((3, 2)), np.ones((4, 2))], False, "same units"),
    ([np.ones(3)], False, "unit, weight"), ([np.ones((3, 2)), np.ones((3, 4))], True, "same things"),
])  # fmt: skip
def test_what_is_no_table_of_weights_is_refused(tables, tied, words):
    with pytest.raises(BadValue, match=words):
        communities(tables, tied=tied)
