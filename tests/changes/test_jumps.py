"""Jumps are found where they were planted, and not where nothing changes."""

import numpy as np
import pytest

import nissl
from nissl.core.change import paths as paths_module
from nissl.core.change.nulls import Null, discoveries
from nissl.errors import BadValue, NotHeard
from nissl.stores.disk import Disk
from nissl.stores.memory import Memory
from tests.changes.planted import motion, recorded, shifted, stored


@pytest.mark.parametrize(("kind", "by"), [("noise", 5), ("memory", 6), ("walk", 2.5), ("learning", 1.0), ("line", 6)])
def test_planted_shifts_are_found_where_they_are(kind, by):
    rng = np.random.default_rng(1)
    path = shifted(motion(kind, rng, 30, 40), [3, 4, 5, 6], 18, by, rng)
    found = nissl.changes(recorded(path), progress=False)
    points = found.points[found.points["of"] == "unit"]
    right = points[points.neuron.isin([3, 4, 5, 6])]
    assert set(right.neuron) == {3, 4, 5, 6}
    assert (abs(right.epoch - 19) <= 1).all()  # epochs count from 1
    assert len(points) - len(right) <= 1
    assert (right.q <= 0.05).all() and (right.p <= right.q).all()
    assert "4 of 40 neurons of hidden jumped" in str(found) or len(points) > len(right)
    spread = found.scans["hidden"].paths.scale
    np.testing.assert_allclose(right["size"] * spread, by, rtol=0.5)


def test_every_unit_may_jump_at_once():
    rng = np.random.default_rng(2)
    path = shifted(motion("walk", rng, 30, 30), range(30), 12, 4, rng)
    found = nissl.changes(stored({"a": path}), progress=False)
    assert len({jump.unit for jump in found.moved["a"] if jump.epoch == 12}) >= 25


def test_two_shifts_of_a_unit_are_two():
    rng = np.random.default_rng(3)
    path = shifted(motion("noise", rng, 60, 30), [7], 20, 12, rng)
    path = shifted(path, [7], 42, 12, rng)
    found = nissl.changes(stored({"a": path}), progress=False)
    assert sorted(jump.epoch for jump in found.moved["a"] if jump.unit == 7) == [20, 42]


def test_where_nothing_changes_alarms_are_no_more_than_allowed():
    alarms, p = 0, []
    for kind in ("noise", "walk", "memory", "learning", "line"):
        for seed in range(4):
            rng = np.random.default_rng([seed, 77])
            found = nissl.changes(stored({"a": motion(kind, rng, 24, 25)}), progress=False, seed=seed)
            alarms += bool(found.moved["a"])
            p.append(found.scans["a"].p)
    assert alarms <= 3  # of 20; 5 % are allowed, and 4 or more then come about in 1.6 %
    assert (np.concatenate(p) <= 0.05).mean() <= 0.06


@pytest.mark.parametrize("count", [1, 2, 3, 5])
def test_few_epochs_say_that_nothing_can_be_tested(count):
    rng = np.random.default_rng(4)
    found = nissl.changes(stored({"a": motion("noise", rng, count, 5)}), progress=False)
    assert np.isnan(found.scans["a"].p).all() and not found.jumps()
    said = str(found)
    assert (
        ("known at one epoch only" in said) if count == 1 else (f"{count} epochs recorded: no jump can be told" in said)
    )
    assert len(found.rows()) == 5


def test_irregular_epochs_are_named_as_they_are():
    rng = np.random.default_rng(5)
    epochs = [*range(1, 11), *range(20, 120, 10)]
    path = shifted(motion("noise", rng, 20, 20), [2], 14, 9, rng)
    found = nissl.changes(recorded(path, epochs), progress=False)
    assert [(jump.unit, jump.epoch) for jump in found.moved["hidden"]] == [(2, 60)]


def test_unheard_classes_silent_and_broken_units_do_no_harm():
    rng = np.random.default_rng(6)
    path = shifted(motion("noise", rng, 20, 20), [2], 10, 25, rng)
    path[:5, :, 3] = np.nan  # a class that was not heard at first
    path[:, 8] = 0.0  # a unit that never answers
    path[7, 9] = np.nan  # a unit that broke once
    path[:10, 10], path[10:, 10] = 0.0, 5.0  # a unit that stands still but for one step
    found = nissl.changes(stored({"a": path, "still": np.full((20, 3, 4), 2.0)}), progress=False)
    scan = found.scans["a"]
    assert list(scan.paths.numbers) == [0, 1, 2]
    assert {(jump.unit, jump.epoch) for jump in found.moved["a"]} == {(2, 10), (10, 10)}
    assert scan.p[8] == 1 and np.isnan(scan.p[9])
    assert "still stays the same throughout." in found.sentences
    assert "NaN" not in str(found.to_dict())


def test_one_unit_and_one_class_are_enough_to_look():
    found = nissl.changes(stored({"a": np.arange(9.0).reshape(9, 1, 1)}, classes=("x",)), progress=False)
    assert len(found.rows()) == 1 and not found.jumps()


def test_blocks_make_no_difference(tmp_path, monkeypatch):
    rng = np.random.default_rng(7)
    path = shifted(motion("noise", rng, 20, 50), [40], 10, 12, rng)
    whole = nissl.changes(stored({"a": path}), progress=False).to_dict()
    stored({"a": path}, store=Disk(tmp_path / "run"))
    monkeypatch.setattr(paths_module, "AT_ONCE", 20 * 4 * 7)
    assert nissl.changes(tmp_path / "run", progress=False).to_dict() == whole


def test_the_same_seed_is_the_same_answer():
    path = motion("walk", np.random.default_rng(8), 15, 30)
    one, other = (nissl.changes(stored({"a": path}), seed=3, progress=False).to_dict() for _ in range(2))
    assert one == other


def test_discoveries_are_benjamini_and_hochbergs():
    rng = np.random.default_rng(9)
    p = rng.random(50) ** 3
    p[4] = np.nan
    q = discoveries(p)
    known = p[np.isfinite(p)]
    for level in (0.01, 0.05, 0.2):  # by the definition: the largest k with p_(k) <= k level / n
        ordered = np.sort(known)
        good = np.flatnonzero(ordered <= level * np.arange(1, len(known) + 1) / len(known))
        bound = ordered[good[-1]] if len(good) else -1
        np.testing.assert_array_equal(q <= level, p <= bound)
    assert np.isnan(q[4])


def test_p_is_the_share_of_draws_and_falls_beyond_them():
    null = Null(np.sort(np.random.default_rng(0).exponential(size=4000)))
    found = np.array([0.0, 0.7, 2.0, 6.0, 12.0, 500.0])
    np.testing.assert_allclose(null.p(found)[:3], np.exp(-found[:3]), rtol=0.1)
    assert 1 < null.p(found)[3] / np.exp(-found[3]) < 2.5  # rather too often than too seldom
    assert (np.diff(null.p(found)) < 0).all() and null.p(found)[-1] > 0


def test_what_cannot_be_meant():
    trace = stored({"a": motion("noise", np.random.default_rng(0), 8, 3)})
    for wrong in ({"level": 0.0}, {"level": 2}, {"lasting": 0}, {"lasting": "3"}):
        with pytest.raises(BadValue, match=next(iter(wrong))):
            nissl.changes(trace, progress=False, **wrong)
    empty = Memory("empty")
    empty.create({"classes": [], "layers": []})
    with pytest.raises(NotHeard, match="no epoch"):
        nissl.changes(nissl.Trace(empty), progress=False)
    bare = stored({}, more={("a", "weight"): (("neuron", "input"), np.ones((3, 2, 2)))})
    with pytest.raises(NotHeard, match="'activation' or 'profile'"):
        nissl.changes(bare, progress=False)
