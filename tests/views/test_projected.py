"""Pictures of samples keep to what all pictures must, whatever the classes are called and however many."""

from functools import cache

import numpy as np
import pytest

import nissl
from nissl.core.marks import Bars, Dots, Photos, Text, Tiles
from nissl.core.palette import COUNTERSTAIN, STAIN10
from nissl.testing.views import PictureSuite
from nissl.views.projected import Projected
from tests.core.clusters import clusters
from tests.views.seeing import of, words

NAMES = ["<b>bold</b>", "tab\tand\nline", "a very long name of a class " * 4]


def shown(moments=1, groups=3, predicted=True, labels=True, names=None, inputs=None, count=120):
    x, y = clusters(count, groups, max(8, groups))
    source = {f"epoch {t}": x + 0.05 * t * np.eye(*x.shape) for t in range(moments)} if moments > 1 else x
    found = nissl.projection(source, labels=y if labels else None, classes=names, by="pca")
    vars(found.samples)["inputs"] = inputs
    for frame in found.frames:
        answers = np.where(np.arange(count) % 10 == 0, (y + 1) % groups, y)
        vars(frame.moment).update(predicted=answers, outputs=np.eye(groups)[answers]) if predicted else None
    return found


IMAGES = np.random.default_rng(0).random((120, 1, 8, 8))


@cache
def every():
    return dict(drawn())


def drawn():
    yield "one", Projected(shown()).describe()
    yield "images", Projected(shown(inputs=IMAGES)).describe()
    yield "several", Projected(shown(3)).describe()
    yield "many moments", Projected(shown(11), most=60).describe()
    yield "names", Projected(shown(names=NAMES)).describe()
    yield "names, several", Projected(shown(2, names=NAMES)).describe()
    yield "more classes than colours", Projected(shown(groups=14)).describe()
    yield "the same, several", Projected(shown(2, groups=14)).describe()
    yield "no labels", Projected(shown(labels=False, predicted=False)).describe()
    yield "not judged", Projected(shown(predicted=False)).describe()
    yield "a single sample", Projected(nissl.projection(np.ones((1, 3)), by="pca")).describe()


class TestProjected(PictureSuite):
    def pictures(self):
        yield from every().items()


@pytest.mark.parametrize(
    ("groups", "said"), [(23, "10 colours, for 23 classes"), (30, "6 more classes share these colours")]
)
def test_more_classes_than_colours_are_named_beside_their_own(groups, said):
    marks = Projected(shown(groups=groups), regions=False).describe().marks
    beside = {mark.boxes[0, 1] + 10: mark.colours[0] for mark in marks if isinstance(mark, Bars)}
    named = {
        mark.words: beside[mark.y]
        for mark in marks
        if isinstance(mark, Text) and mark.size == 18 and mark.y in beside and mark.align == "left"
    }
    assert named == {str(number): STAIN10[number % 10] for number in range(min(groups, 24))}
    assert any(said in mark.words for mark in marks if isinstance(mark, Text))


def test_thumbnails_keep_their_shape():
    (photos,) = of(Projected(shown(inputs=np.random.default_rng(0).random((120, 1, 7, 14)))).describe(), Photos)
    np.testing.assert_allclose(photos.boxes[:, 2] / photos.boxes[:, 3], 2)


def test_who_is_taken_for_another_has_a_ring_in_that_ones_colour():
    found = shown()
    (dots,) = [mark for mark in of(Projected(found, regions=False).describe(), Dots) if len(mark.points) > 1]
    wrong = found.predicted != found.labels
    np.testing.assert_array_equal(dots.dye, found.labels)
    np.testing.assert_array_equal(dots.ring[wrong], found.predicted[wrong])
    assert (dots.ring[~wrong] == -1).all()


def test_samples_without_a_class_are_grey():
    x, y = clusters(60)
    y[:9] = -1
    picture = Projected(nissl.projection(x, labels=y, by="pca")).describe()
    dots = next(mark for mark in of(picture, Dots) if len(mark.points) == 60)
    assert {dots.dyes[dye] for dye in dots.dye[:9]} == {COUNTERSTAIN}
    assert "without a class" in words(picture)


def test_it_says_how_many_are_shown_and_how_far_to_believe_it():
    caption = Projected(shown(5), most=60).describe().caption
    assert "20 of 120 samples shown in each panel" in caption
    for name in ("trustworthiness 0.", "15 nearest kept 0.", "jump 0.", "temporal ", "seed 0"):
        assert name in caption
    assert "8 of 11 moments shown" in Projected(shown(11)).describe().caption


def test_the_ground_is_what_would_be_answered_there():
    picture = Projected(shown()).describe()
    ground = of(picture, Tiles)
    assert [tiles.dyes for tiles in ground] == [(dye,) for dye in STAIN10[:3]]
    assert not of(Projected(shown(), regions=False).describe(), Tiles)


def test_photographs_cover_no_point_and_no_other():
    picture = Projected(shown(inputs=IMAGES)).describe()
    (photos,) = of(picture, Photos)
    points = np.concatenate([dots.points for dots in of(picture, Dots) if len(dots.points) > 1])
    assert len(photos.boxes) > 5
    for number, (x, y, w, h) in enumerate(photos.boxes):
        assert not ((points > [x, y]) & (points < [x + w, y + h])).all(1).any()
        others = np.delete(photos.boxes, number, 0)
        apart = (others[:, 0] >= x + w) | (others[:, 0] + w <= x) | (others[:, 1] >= y + h) | (others[:, 1] + h <= y)
        assert apart.all()


def test_moments_may_be_chosen():
    picture = Projected(shown(4), moments=["epoch 1", "3"]).describe()
    assert {"epoch 1", "epoch 3"} <= set(words(picture)) and "epoch 2" not in words(picture)
    with pytest.raises(LookupError, match="no moment"):
        Projected(shown(2), moments=["nope"]).describe()
