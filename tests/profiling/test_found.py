"""What is made of profiles: measures within and between groups, kinship, files."""

import functools
from itertools import pairwise

import numpy as np
import pytest
from scipy import stats
from scipy.cluster.hierarchy import cophenet, linkage
from scipy.spatial.distance import pdist, squareform

import nissl
from nissl.errors import BadValue, DamagedData, MissingData, UnknownName
from tests.profiling.brute import X, Y, answers, cnn, values

profile = functools.partial(nissl.profile, progress=False)
RIGHT = answers(cnn()) == Y


@functools.cache
def found():
    return profile(cnn(), (X, Y))


@functools.cache
def split():
    return profile(cnn(), (X, Y), ["label", "correct"])


def test_iNNtrospects_contrast_is_all():  # noqa: N802 - its name is written so
    naps = np.stack([values(cnn())["0"][k == Y].mean(0) for k in range(4)])
    for weights, share in (("uniform", np.full(4, 0.25)), ("size", np.bincount(Y) / 60)):
        contrast = found().measure("0", "contrast", full=True, against="all", weights=weights)["contrast"]
        assert contrast.dims == ("group", "channel", "y", "x")
        np.testing.assert_allclose(contrast, naps - np.tensordot(share, naps, 1), atol=1e-6)
    some = found().only([1, "3"])
    assert some.groups == ("1", "3") and some.counts.tolist() == np.bincount(Y)[[1, 3]].tolist()
    contrast = some.measure("0", "contrast", full=True, against="all")["contrast"]
    np.testing.assert_allclose(contrast, naps[[1, 3]] - naps[[1, 3]].mean(0), atol=1e-6)


def test_units_are_tested_by_examples_and_not_by_positions():
    units = values(cnn())["2"].mean((2, 3))
    t = found().measure("2", "significance", against="each")["t"]
    assert t.dims == ("group", "other", "channel")
    expected = stats.ttest_ind(units[Y == 0], units[Y == 3], equal_var=False)
    np.testing.assert_allclose(t[0, 3], expected.statistic, rtol=1e-4)
    np.testing.assert_allclose(t.sel(group="0", other="3"), t[0, 3])


def test_groups_of_interest_are_told_and_compared_with_all():
    whole = found().measure("5", "effect")["effect"]
    told = found().measure("5", "effect", groups=["3", 0])["effect"]
    np.testing.assert_array_equal(told, whole.values[[3, 0]])
    assert told.coords["group"] == ("3", "0")


def test_right_answers_to_a_label_are_compared_with_wrong_ones():
    units = values(cnn())["5"]
    contrast = split().measure("5", "contrast", within="label")["contrast"]
    best = split().measure("5", "interval", within="label", of="contrast")
    for i, (label, correct) in enumerate(split().levels):
        right, wrong = ((int(label) == Y) & RIGHT, (int(label) == Y) & ~RIGHT)
        if not (right.any() and wrong.any()):
            assert np.isnan(contrast[i]).all()
            continue
        mine = units[right].mean(0) - units[wrong].mean(0)
        np.testing.assert_allclose(contrast[i], mine if correct == "right" else -mine, rtol=1e-4, atol=1e-6)
    assert set(best) == {"low", "high"}
    pairs = split().measure("5", "contrast", within="label", against="each")["contrast"].values
    same = np.array([[a[0] == b[0] for a in split().levels] for b in split().levels])
    assert (np.isfinite(pairs).all(-1) == same).all() and 4 < same.sum() < 16
    with pytest.raises(BadValue, match="compares no groups"):
        split().measure("5", "selectivity", within="label")
    with pytest.raises(UnknownName, match="divided by"):
        split().measure("5", within="side")


def test_measures_of_units_have_no_group():
    best = found().measure("5", "selectivity")["best"]
    assert best.dims == ("neuron",)
    np.testing.assert_array_equal(best, found()["5"].values.argmax(0))


def test_traits_are_the_largest_effects():
    traits = found().characteristic("2", 2)
    effect = found().measure("2", "effect")["effect"].values
    assert [t.group for t in traits] == list("00112233")
    for trait in traits[::2]:
        assert abs(trait.effect) == np.abs(effect[int(trait.group)]).max()
        assert trait.effect == effect[int(trait.group), trait.unit]
    with pytest.raises(BadValue, match="no units of one group"):
        found().characteristic("2", against="each")


@pytest.mark.parametrize("by", ["cosine", "correlation", "euclidean"])
def test_similar_groups_are_near(by):
    means = found()["0"].values.reshape(4, -1)
    expected = squareform(pdist(means, by))
    told = found().similarity("0", by, full=True)
    np.testing.assert_allclose(told, expected if by == "euclidean" else 1 - expected, atol=1e-6)
    kin = nissl.kinship(found(), "0", by=by, of="mean", full=True)
    np.testing.assert_allclose(kin.distances, expected, atol=1e-6)
    np.testing.assert_allclose(cophenet(kin.joins), cophenet(linkage(pdist(means, by), "average")), atol=1e-6)
    assert sorted(kin.order) == [0, 1, 2, 3] and kin.named == tuple(str(i) for i in kin.order)


def test_a_planted_family_is_found_and_its_members_lie_side_by_side():
    random = np.random.default_rng(0)
    parents = random.normal(size=(3, 40))
    group = np.arange(600) % 9
    rows = parents[group % 3] + 0.3 * random.normal(size=(9, 40))[group] + random.normal(size=(600, 40))
    kin = nissl.kinship(profile({"one": rows}, np.arange(600), group), "one")
    families = [int(name) % 3 for name in kin.named]
    assert sum(a != b for a, b in pairwise(families)) == 2


def test_one_group_and_silent_groups_have_kin_too():
    assert nissl.kinship(found().only(["2"]), "5").order == (0,)
    silent = profile({"one": np.array([[0, 0, 0], [1, 2, 4], [2, 4, 8.0]])}, np.arange(3), ["a", "b", "c"])
    assert np.isnan(silent.similarity("one", "cosine")[0]).all() and silent.similarity("one", "cosine")[1, 2] == 1
    assert nissl.kinship(silent, "one", by="cosine", of="mean").distances[0].tolist() == [0, 1, 1]
    with pytest.raises(BadValue, match="average, single"):
        nissl.kinship(silent, "one", links="ward")
    with pytest.raises(BadValue, match="correlation, cosine"):
        nissl.kinship(silent, "one", by="manhattan")


@pytest.mark.parametrize("made", [found, split, lambda: profile(cnn(), (X, Y), positions=False)])
def test_what_is_read_is_what_was_written(made, tmp_path):
    before = made()
    after = nissl.Profiles.load(before.save(tmp_path / "new" / "a.npz"))
    assert (after.factors, after.levels, after.layers, after.recipe) == (
        before.factors,
        before.levels,
        before.layers,
        before.recipe,
    )
    np.testing.assert_array_equal(after.counts, before.counts)
    for name in before:
        for told in ("mean", "variance", "count"):
            np.testing.assert_array_equal(getattr(after, told)(name), getattr(before, told)(name))
        assert after.answers[name].layer == before.answers[name].layer
        np.testing.assert_array_equal(after.measure(name, "effect")["effect"], before.measure(name, "effect")["effect"])
    with pytest.raises(BadValue, match="nothing is overwritten"):
        before.save(tmp_path / "new" / "a.npz")


def test_files_that_hold_no_profiles_are_refused(tmp_path):
    (tmp_path / "a.npz").write_bytes(b"no archive")
    np.savez(tmp_path / "b.npz", x=np.zeros(3))
    for name in ("a.npz", "b.npz"):
        with pytest.raises(DamagedData, match="no profiles"):
            nissl.Profiles.load(tmp_path / name)
    with pytest.raises(MissingData):
        nissl.Profiles.load(tmp_path / "c.npz")
    with pytest.raises(BadValue, match=r"ends in \.npz"):
        found().save(tmp_path / "a.txt")
