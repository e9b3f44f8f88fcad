"""Pictures of groups of inputs: what sets them apart, and which are alike."""

import numpy as np
import pytest

import nissl
from nissl.core.marks import Cells, Lines, Text
from nissl.errors import NotHeard, Unsupported
from nissl.testing.views import PictureSuite
from nissl.views.contrasts import Contrasts
from nissl.views.dendrogram import Dendrogram


def made(groups=4, units=12, examples=20, names=None, **options):
    random = np.random.default_rng(groups)
    group = np.arange(groups * examples) % groups
    rows = random.normal(size=(groups, units))[group] + random.normal(size=(len(group), units))
    column = group if names is None else np.array(names)[group]
    return nissl.profile({"one": rows}, np.arange(len(group)), column, progress=False, **options)


LONG = [f"a group with quite a long name, number {i}" for i in range(6)]
CASES = {
    "few": made(), "two": made(2, 1), "many": made(150, 40, 3), "wide": made(5, 2000), "long": made(6, 30, names=LONG),
    "silent": nissl.profile({"one": np.zeros((9, 4))}, np.arange(9), np.arange(9) % 3, progress=False),
    "lone": made(3, 5, 2),
}  # fmt: skip


class TestContrasts(PictureSuite):
    def pictures(self):
        for number, (name, profiles) in enumerate(CASES.items()):
            options = {"of": "effect", "against": "all"} if number % 2 else {}
            yield name, Contrasts(profiles, "one", **options).describe()


class TestDendrogram(PictureSuite):
    def pictures(self):
        for number, (name, profiles) in enumerate(CASES.items()):
            by = ("correlation", "euclidean")[number % 2]
            yield name, Dendrogram(nissl.kinship(profiles, "one", by=by)).describe()


def test_the_strongest_contrast_has_the_deepest_colour():
    profiles = made(3, 6, 200)
    table = profiles.measure("one", "contrast")["contrast"].values
    picture = Contrasts(profiles, "one").describe()
    shares = next(mark for mark in picture.marks if isinstance(mark, Cells)).shares
    units = [int(mark.words) for mark in picture.marks if isinstance(mark, Text) and mark.size == 14]
    np.testing.assert_allclose(shares, 0.5 + table[:, units] / np.abs(table).max() / 2)
    assert sorted(units) == list(range(6))
    owners = table[:, units].argmax(0)
    assert (np.diff(owners) >= 0).all()


def test_rows_of_the_tree_stand_where_their_names_do():
    kin = nissl.kinship(made(5, 20), "one")
    picture = Dendrogram(kin).describe()
    names = [
        mark for mark in picture.marks if isinstance(mark, Text) and mark.align == "left" and mark.words in kin.groups
    ]
    assert [mark.words for mark in sorted(names, key=lambda mark: mark.y)] == list(kin.named)
    brackets = [mark.points for mark in picture.marks if isinstance(mark, Lines) and len(mark.points) == 4]
    assert len(brackets) == 4
    depths = [points[1, 0] - min(p[:, 0].min() for p in brackets) for points in brackets]
    np.testing.assert_allclose(np.array(depths) / max(depths), kin.joins[:, 2] / kin.joins[:, 2].max())


def test_names_of_crossings_are_told_apart():
    names = ["Latino/Hispanic, female", "Latino/Hispanic, male", "White, female"]
    profiles = made(3, names=names)
    for view in (Contrasts(profiles, "one"), Dendrogram(nissl.kinship(profiles, "one"))):
        words = [mark.words for mark in view.describe().marks if isinstance(mark, Text)]
        assert set(names) <= set(words) and not any("…" in one for one in words)


def test_a_group_without_another_of_its_level_says_so():
    codes = np.arange(90) % 3
    rows = np.random.default_rng(0).normal(size=(90, 6))
    columns = {"side": np.array(["left", "left", "right"])[codes], "kind": np.array(["x", "y", "y"])[codes]}
    profiles = nissl.profile({"one": rows}, np.arange(90), columns, progress=False)
    picture = Contrasts(profiles, "one", within="side").describe()
    assert [m.words for m in picture.marks if isinstance(m, Text)].count("no other group to compare it with") == 1


def test_what_cannot_be_shown_says_why():
    with pytest.raises(NotHeard, match="two groups of two"):
        Contrasts(made(1), "one").describe()
    with pytest.raises(Unsupported, match="contrast or an effect"):
        Contrasts(made(), "one", against="each").describe()
    with pytest.raises(Unsupported, match="two at least"):
        Dendrogram(nissl.kinship(made(1), "one")).describe()
