"""Pictures of attributions: of images, signals and tables, signed and not, few and many."""

import numpy as np
import pytest

from nissl.core.attribution import Attribution
from nissl.core.marks import Cells, Photos, Text
from nissl.core.palette import ramp
from nissl.errors import BadValue
from nissl.testing.views import PictureSuite
from nissl.views.attributions import Attributions

RANDOM = np.random.default_rng(0)


def made(shape, axis=1, target="true class", scale=1.0, **how):
    return Attribution(scale * RANDOM.normal(size=shape), "Gradient()", target, axis=axis, **how)


GREY, COLOUR, WIDE, TABLE = (10, 1, 28, 28), (4, 3, 32, 20), (3, 2, 400), (5, 12)
NAMES = tuple(f"{word} of the northern hemisphere in autumn" for word in "abcdefghij")
VIEWS = {
    "panels": Attributions({name: made(GREY) for name in ("baseline", "saliency", "delta", "overlay")}, RANDOM.normal(size=GREY), range(10), [9] * 10),
    "methods": Attributions(
        {"integrated_gradients": made(COLOUR, gap=np.full(4, 0.01), scores=np.ones(4)), "grad_cam": abs(made((4, 1, 32, 20)).values)},
        RANDOM.normal(size=COLOUR), range(4), classes=NAMES, title="Two methods",
    ),
    "one": Attributions({"a_method_of_a_very_long_name_indeed": made((1, 1, 8, 8), notes=("by the rule: 2 relu",))}),
    "signals": Attributions({"gradient": made(WIDE)}, RANDOM.normal(size=WIDE), said=[0, 1, 2], classes=NAMES),
    "tables": Attributions({"gradient": made(TABLE, None), "again": made(TABLE, None)}, RANDOM.normal(size=TABLE)),
    "gallery": Attributions({f"unit {k}": made((6, 1, 9, 9)) for k in range(64)}, RANDOM.normal(size=(6, 1, 9, 9)), [1] * 6),
    "blank": Attributions({"gradient": Attribution(np.zeros(GREY), "Gradient()", "class 3", axis=1)}, np.zeros(GREY)),
}  # fmt: skip


class TestAttributions(PictureSuite):
    def pictures(self):
        for name, view in VIEWS.items():
            yield name, view.describe()


def sheets(picture):
    return [mark.pixels[0] for mark in picture.marks if isinstance(mark, Photos)]


def test_colours_are_the_values_each_panel_by_its_own_largest():
    values = np.zeros((2, 1, 4, 4))
    values[0, 0, 0, 0], values[0, 0, 3, 3], values[1, 0, 1, 1] = 2.0, -1.0, -100.0
    (sheet,) = sheets(Attributions({"gradient": Attribution(values, "Gradient()", "true class", axis=1)}).describe())
    first, small, other = np.round(255 * ramp("change", [1.0, 0.25, 0.0])).astype(int)
    side = sheet.shape[1]
    cell = side // 8
    np.testing.assert_array_equal(sheet[cell, cell], first)
    np.testing.assert_array_equal(sheet[side - cell, side - cell], small)
    np.testing.assert_array_equal(sheet[len(sheet) - side + 3 * cell, 3 * cell], other)


def test_scales_are_shown_of_what_is_there():
    def ramps(values):
        picture = Attributions({"one": Attribution(values, "Gradient()", "sum", axis=1)}).describe()
        return [mark.ramp for mark in picture.marks if isinstance(mark, Cells)]

    assert ramps(RANDOM.normal(size=GREY)) == ["change"]
    assert ramps(np.abs(RANDOM.normal(size=GREY))) == ["ink"]
    assert ramps(np.zeros(GREY)) == []


def test_words_name_target_truth_and_answer_and_tell_what_is_left_out():
    picture = VIEWS["panels"].describe()
    words = [mark.words for mark in picture.marks if isinstance(mark, Text)]
    assert picture.title == "Attribution: true class"
    assert {"is 3", "said 9", "said so", "source", "overlay"} <= set(words)
    assert "of 64 columns shown" in VIEWS["gallery"].describe().caption
    assert "miss the score by at most 0.01" in VIEWS["methods"].describe().caption
    assert "2 relu" in VIEWS["one"].describe().caption


def test_columns_of_different_lengths_and_none_are_refused():
    with pytest.raises(BadValue, match="3, 10"):
        Attributions({"a": made(GREY), "b": made(WIDE)}).describe()
    with pytest.raises(BadValue, match="empty"):
        Attributions({}).describe()
