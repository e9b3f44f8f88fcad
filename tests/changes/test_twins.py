"""Two runs: units are matched, what differs is told, what cannot be compared is refused."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nissl
from nissl.errors import BadValue
from nissl.studies._twins.matching import matched
from tests.changes.planted import motion, stored

CLASSES = tuple("abcdefghij")


def run(seed, units=20, name="a", epochs=5):
    return motion("noise", np.random.default_rng(seed), epochs, units, 10)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(2, 30), st.integers(0, 5))
def test_units_in_another_order_are_found_again(seed, units, more):
    rng = np.random.default_rng(seed)
    one = rng.normal(size=(units, 12))
    order = rng.permutation(units)
    other = np.concatenate([3 * one[order] + 1 + 0.01 * rng.normal(size=one.shape), rng.normal(size=(more, 12))])
    found = matched(one, other, rng)
    np.testing.assert_array_equal(order[found.other], found.one)
    assert found.partners(0.05).all() and found.mean > 0.99 > found.chance


def test_units_of_unrelated_runs_have_no_partners_beyond_chance():
    rng = np.random.default_rng(1)
    shares = [
        matched(rng.normal(size=(25, 10)), rng.normal(size=(25, 10)), rng).partners(0.05).mean() for _ in range(20)
    ]
    assert np.mean(shares) < 0.1


def test_another_order_and_noise_is_said():
    path, order = run(2), np.random.default_rng(3).permutation(20)
    one, other = stored({"a": path}, classes=CLASSES), stored({"a": path[:, order]}, classes=CLASSES)
    found = nissl.changes(one, other, progress=False)
    assert [(row[1], order[row[3]]) for row in found.rows()] == [(row[1], row[1]) for row in found.rows()]
    assert "20 of 20 units of a have a partner beyond chance: matched by 10 classes" in str(found)
    assert found.across[0, 0] == pytest.approx(1)
    assert set(found.table.columns) >= {"correlation", "distance", "apart"} and len(found.to_dict()["units"]) == 20


def test_an_edit_shows_in_its_units_from_its_epoch_on():
    path = run(4, epochs=8)
    edited = path.copy()
    edited[5:, [3, 7]] = 0.5
    found = nissl.changes(stored({"a": path}, classes=CLASSES), stored({"a": edited}, classes=CLASSES), progress=False)
    assert "a began alike in both; 2 of 20 units answer otherwise, the first from E_5 on." in found.sentences
    assert {row[1]: row[7] for row in found.rows() if row[7] is not None} == {3: 5, 7: 5}
    same = nissl.changes(stored({"a": path}, classes=CLASSES), stored({"a": path}, classes=CLASSES), progress=False)
    assert "a is the same in both: all 20 units answer alike." in same.sentences


def test_layers_of_other_widths_and_names_are_set_side_by_side_by_place():
    one, other = stored({"a": run(5)}, classes=CLASSES), stored({"b": run(5)[:, :15]}, classes=CLASSES)
    found = nissl.changes(one, other, progress=False)
    assert "a and b: 20 units and 15; 5 have no partner." in found.sentences
    assert not found.pairs[0].kin and all(row[1] == row[3] for row in found.rows())


def test_what_cannot_be_compared_is_refused():
    one = stored({"a": run(6)}, classes=CLASSES)
    with pytest.raises(BadValue, match=r"no layers to set side by side: a and b, c\. .* by name, or by their place"):
        nissl.changes(one, stored({"b": run(6), "c": run(7)}, classes=CLASSES), progress=False)
    with pytest.raises(BadValue, match=r"0 common classes.*takes three.*0, 1, 2"):
        nissl.changes(one, stored({"a": run(6)}, classes="0123456789"), progress=False)


def test_samples_are_what_units_are_matched_by_where_both_have_the_same():
    rng = np.random.default_rng(8)
    samples, order = rng.normal(size=(3, 30, 20)), rng.permutation(20)
    confusion = np.tile(np.eye(10, dtype=int) * 3, (3, 1, 1))
    dims = ("sample", "neuron")

    def trace(values, path):
        more = {("a", "samples"): (dims, values), (None, "probe_confusion"): (("class", "predicted"), confusion)}
        return stored({"a": path}, classes=CLASSES, more=more)

    found = nissl.changes(
        trace(samples, run(9, epochs=3)), trace(samples[:, :, order], run(10, epochs=3)), progress=False
    )
    assert found.pairs[0].by == "samples" and found.pairs[0].points == 30
    assert all(order[row[3]] == row[1] for row in found.rows())
