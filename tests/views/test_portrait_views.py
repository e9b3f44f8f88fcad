"""Pictures of portraits keep to what all pictures must, however many there are and whatever their shape."""

from functools import cache

import numpy as np
import pytest

from nissl.core.marks import Cells, Photos
from nissl.core.paper import paper
from nissl.core.portraits import Portraits
from nissl.errors import BadValue
from nissl.testing.views import PictureSuite
from nissl.views.filmstrip import Filmstrip
from nissl.views.gallery import Gallery
from tests.views.seeing import of, words

NAMES = ["<b>bold</b>", "tab\tand line", "a very long name of a class " * 4]


def portraits(count=10, shape=(1, 8, 8), each=1, bare=False, judged=True, names=None, metric="logit", given=False):
    known = paper(shape, None, None)
    draw = np.random.default_rng(count)
    total = count * each
    share = None if bare else np.linspace(0, 1, total)
    called = [(names or [])[k] if k < len(names or []) else str(k) for k in range(count)]
    targets = tuple(name for name in called for _ in range(each))
    pictures = draw.uniform(-1, 1, (total, *shape))
    scores = np.geomspace(1e-7, 1e7, total) * np.where(np.arange(total) % 2, -1, 1)
    return Portraits(pictures, targets, scores, metric, share, share, share if judged and not bare else None, share, share, known,
                     {"steps": 256, "canvas": "fourier", "of": "conv1"}, given=pictures if given else None)  # fmt: skip


@cache
def every():
    return dict(drawn())


def drawn():
    for count in (1, 3, 10, 11, 27, 130):
        yield f"{count}", Gallery(portraits(count)).describe()
    yield "several each", Gallery(portraits(4, each=5)).describe()
    yield "bare", Gallery(portraits(2, bare=True, metric="energy")).describe()
    yield "inversions", Gallery(portraits(12, bare=True, metric="match", given=True)).describe()
    yield "dreams", Gallery(portraits(2, (20, 5), bare=True, metric="energy", given=True)).describe()
    yield "names", Gallery(portraits(10, names=NAMES)).describe()
    for shape in ((3, 5, 20), (20, 5), (12, 4, 3)):
        yield f"{shape}", Gallery(portraits(3, shape)).describe()
    for shape in ((6,), (2, 3, 4), (400,)):
        yield f"no image {shape}", Gallery(portraits(5, shape, names=NAMES)).describe()
    for count in (1, 2, 5, 30):
        yield f"{count} moments", Filmstrip({f"epoch {k}": portraits(3, judged=k > 1) for k in range(count)}).describe()
    yield (
        "many targets",
        Filmstrip({f"a long name of a moment {k}": portraits(40, names=NAMES) for k in range(8)}).describe(),
    )
    yield "units over training", Filmstrip({"a": portraits(3, (3, 5, 20), bare=True, metric="activation")}).describe()


class TestPictures(PictureSuite):
    def pictures(self):
        yield from every().items()


def test_every_portrait_is_there_and_what_is_left_out_is_said():
    picture = every()["several each"]
    (photos,) = of(picture, Photos)
    assert len(photos.pixels) == 20
    wanted = portraits(4, each=5)
    assert sorted(map(bytes, photos.pixels)) == sorted(map(bytes, wanted.pixels))
    assert "All 20 portraits shown" in picture.caption
    assert "100 of 130 portraits shown" in every()["130"].caption
    assert "12 of 30 moments shown" in every()["30 moments"].caption
    assert "20 of 40 targets shown" in every()["many targets"].caption


def test_numbers_are_said_and_explained():
    picture = every()["3"]
    assert {"p .500", "judge .500", "realism .50", "p 1.000", "p .000"} <= set(words(picture))
    assert "judge, that of another network" in picture.caption
    assert "judge" not in every()["bare"].caption
    assert "energy" in every()["bare"].caption
    nearly = portraits(1)
    nearly.probabilities[:] = 0.99999
    assert "p > .999" in words(Gallery(nearly).describe())


def test_names_of_targets_are_whole_as_long_as_there_is_room():
    named = ["airplane", "automobile", "hidden_layer_1 / n_20"]
    shown = Filmstrip({"epoch 1": portraits(4, names=[*named, NAMES[-1]])}).describe()
    assert set(named) <= set(words(shown))
    assert any("…" in word for word in words(shown))  # the fourth would push the pictures off the sheet


def test_what_is_no_image_is_a_strip_of_its_values():
    picture = every()["no image (6,)"]
    strips = of(picture, Cells)
    assert len(strips) == 5
    wanted = (portraits(5, (6,)).pictures + 1) / 2
    np.testing.assert_allclose(np.concatenate([strip.shares for strip in strips]), wanted)


@pytest.mark.parametrize(("moments", "said"), [
    ({}, "at least one"), ({"a": portraits(3), "b": portraits(4)}, "same targets"), ({"a": portraits(3, (6,))}, "of images"),
    ({"a": portraits(3, (1, 9, 9)), "b": portraits(3)}, "same targets"),
])  # fmt: skip
def test_a_film_of_what_does_not_belong_together_is_refused(moments, said):
    with pytest.raises(BadValue, match=said):
        Filmstrip(moments).describe()


def test_what_was_inverted_stands_above():
    picture = every()["inversions"]
    (photos,) = of(picture, Photos)
    assert len(photos.pixels) == 24
    assert picture.title == "What conv1 keeps of inputs"
    assert every()["dreams"].title == "Dreams of conv1"
