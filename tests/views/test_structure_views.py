"""Views of structures keep to what all pictures must, and show what is there."""

import numpy as np
import pytest

from nissl.core.marks import Cells, Text, Tiles
from nissl.core.palette import STAIN10
from nissl.errors import Unsupported
from nissl.testing.views import PictureSuite
from nissl.views.deleted import Deleted
from nissl.views.owners import Owners
from tests.views.families import SHAPES, family, table


class TestOwners(PictureSuite):
    def pictures(self):
        for name in SHAPES:
            yield name, Owners(family(name)).describe()
        yield "an annotation", Owners(family("mlp", causal=False), "epoch 3").describe()
        yield "nothing adds", Owners(family("mlp", silent=True)).describe()


class TestDeleted(PictureSuite):
    def pictures(self):
        for name in SHAPES:
            yield name, Deleted(table(name)).describe()
        yield "not held out", Deleted(table("mlp", held_out=False)).describe()


def test_a_unit_has_the_dye_of_the_class_that_it_adds_most_to():
    found = family("mlp")
    picture = Owners(found).describe()
    tiles = next(mark for mark in picture.marks if isinstance(mark, Tiles) and mark.name == "hidden_1")
    assert tiles.dyes == STAIN10
    owners = found.owners()["hidden_1"]
    dyed = tiles.depth.max(1) > 0
    assert dyed.sum() >= 60
    np.testing.assert_array_equal(tiles.depth.argmax(1)[dyed], owners[tiles.unit[dyed]])


def test_an_annotation_says_that_it_proves_nothing():
    assert "does not prove" in Owners(family("mlp", causal=False)).describe().caption
    assert "does not prove" not in Owners(family("mlp")).describe().caption


def test_owners_need_two_classes():
    one = {name: s for name, s in family("mlp").items() if name == "3"}
    with pytest.raises(Unsupported, match="at least two"):
        Owners(type(family("mlp"))(one)).describe()


def test_the_matrix_shows_its_numbers():
    shown = table("mlp")
    picture = Deleted(shown).describe()
    whole = [mark for mark in picture.marks if isinstance(mark, Cells)][1]
    np.testing.assert_allclose(whole.shares, np.nan_to_num(shown.accuracy))
    words = [mark.words for mark in picture.marks if isinstance(mark, Text)]
    assert f"{100 * shown.accuracy[3, 3]:.0f}" in words
    assert f"{100 * shown.target:.1f} %" in picture.caption
    assert "more favourable" in Deleted(table("mlp", held_out=False)).describe().caption
