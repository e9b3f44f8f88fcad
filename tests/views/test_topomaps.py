"""Pictures of maps: every shape of map, and what they say of themselves."""

from functools import cache

import numpy as np
import pytest

import nissl
from nissl.core.layout import layout
from nissl.core.marks import Cells, Dots, Lines, Text
from nissl.errors import BadValue, NotHeard, UnknownName
from nissl.testing.specimens import specimen
from nissl.testing.views import PictureSuite
from nissl.views.topomaps import Topomaps

TRACES = ("one unit", "silent", "unheard classes", "twelve classes", "long names", "binary")


def words(picture):
    return [mark.words for mark in picture.marks if isinstance(mark, Text)]


class TestTopomaps(PictureSuite):
    def pictures(self):
        yield from self.every()

    @staticmethod
    @cache
    def every():
        return list(TestTopomaps.made())

    @staticmethod
    def made():
        for name in TRACES:
            yield name, Topomaps(nissl.topomap(specimen(name))).describe()
        trace = specimen("mlp")
        layer = trace.layers[0]
        yield "one", Topomaps(nissl.topomap(trace, layer), groups=[2, 7], regions=True).describe()
        yield "units", Topomaps(nissl.topomap(trace, layer), style="units").describe()
        yield "disc", Topomaps(nissl.topomap(trace, layer, by="disc"), style="units", regions=True).describe()
        yield "dots", Topomaps(nissl.topomap(trace, layer, by="pca"), groups=["3"], style="units").describe()
        yield "epochs", Topomaps(nissl.topomap(trace, layer, epochs="all"), groups=[1, 2], over=True).describe()
        yield "moving", Topomaps(nissl.topomap(trace, layer, epochs="all", moving=True), groups=[1]).describe()
        yield "numbers", Topomaps(nissl.topomap(np.random.default_rng(0).random((23, 14)))).describe()


def test_it_says_what_is_shown_and_how_good_it_is():
    trace = specimen("twelve classes")
    picture = Topomaps(nissl.topomap(trace, "hidden_1")).describe()
    assert picture.title == f"Topographic map of hidden_1, epoch {trace.epochs[-1]}"
    assert "10 of 12 groups shown" in picture.caption and "64 units" in picture.caption
    assert "Moran's I" in picture.caption and "chance" in picture.caption


@pytest.mark.parametrize("count", [2, 6, 12, 20])
def test_a_grid_is_filled_to_its_frame_and_not_beyond(count):
    found = nissl.topomap(np.random.default_rng(0).random((count, 3)) + 1)
    for turn in (np.eye(2), np.array([[0.0, -1.0], [1.0, 0.0]])):  # wide and high
        marks = Topomaps(found.turned(turn), groups=["1"]).describe().marks
        field, frame = next(m for m in marks if isinstance(m, Cells)), next(m for m in marks if isinstance(m, Lines))
        np.testing.assert_allclose((field.x, field.y), frame.points.min(0))
        np.testing.assert_allclose((field.width, field.height), np.ptp(frame.points, 0))
        assert (field.shares > 0).all() and field.width / field.height == pytest.approx(
            (np.ptp(found.turned(turn).positions, 0) + found.side)[0]
            / (np.ptp(found.turned(turn).positions, 0) + found.side)[1]
        )


def test_the_caption_says_how_many_neighbours_were_looked_at():
    for count, word in ((3, "one"), (15, "four"), (24, "seven"), (25, "eight"), (200, "eight")):
        caption = Topomaps(nissl.topomap(np.random.default_rng(0).random((count, 5)))).describe().caption
        assert f"nearest {word} kept" in caption


def test_units_without_cells_are_dots_where_they_lie_in_their_colour():
    found = nissl.topomap(np.random.default_rng(0).random((23, 4)), by="pca")
    dots = next(m for m in Topomaps(found, groups=["1"], style="units").describe().marks if isinstance(m, Dots))
    values = found.values[0, 1]
    order = np.abs(values).argsort()
    away = [np.linalg.norm(p[:, None] - p[None], axis=-1).ravel() for p in (dots.points, found.positions[order])]
    assert np.corrcoef(*away)[0, 1] == pytest.approx(1)
    assert (np.diff(dots.dye) >= 0).all() and dots.dye[-1] == len(
        dots.dyes
    ) - 1  # the largest in the deepest colour, on top


def test_a_layer_that_is_called_by_a_number_is_said_to_be_one():
    picture = Topomaps(nissl.topomap(np.random.default_rng(0).random((9, 3)), "0")).describe()
    assert picture.title == 'Topographic map of layer "0"' and '9 units of layer "0"' in picture.caption


def test_rows_are_left_out_only_with_a_word():
    trace = specimen("many epochs")
    picture = Topomaps(nissl.topomap(trace, "hidden_1", epochs=trace.epochs[::20]), over=True).describe()
    assert "8 of 15 rows shown" in picture.caption
    assert sum(word.startswith("epoch") for word in words(picture)) == 8


def test_units_are_shown_where_they_are():
    table = np.arange(12.0)[:, None] * [1, 0]
    found = nissl.topomap(table, distance="euclidean")
    picture = Topomaps(found, groups=["0"], style="units").describe()
    field = next(mark for mark in picture.marks if isinstance(mark, Cells))
    row, column = found.cells.T
    shares = field.shares[row, column]
    np.testing.assert_allclose(shares, np.minimum(np.arange(12) / np.quantile(np.arange(12), 0.99), 1))


def test_one_scale_for_epochs_one_each_for_layers():
    trace = specimen("mlp")
    epochs = Topomaps(nissl.topomap(trace, "hidden_1", epochs="all"), over=True).describe()
    layers = Topomaps(nissl.topomap(trace)).describe()
    assert words(epochs).count("0") < words(layers).count("0")


def test_regions_are_outlined():
    found = nissl.topomap(specimen("mlp"), "hidden_1")
    plain, outlined = (
        sum(isinstance(mark, Lines) for mark in Topomaps(found, regions=given).describe().marks)
        for given in (False, True)
    )
    assert outlined == plain + len(found.groups)


def test_what_cannot_be_shown_is_refused():
    found = nissl.topomap(specimen("mlp"), "hidden_1")
    with pytest.raises(BadValue, match="field or units"):
        Topomaps(found, style="dots").describe()
    with pytest.raises(UnknownName, match="no group"):
        Topomaps(found, groups=["eleven"]).describe()
    with pytest.raises(UnknownName, match="no epoch"):
        Topomaps(found, epochs=[77]).describe()
    with pytest.raises(NotHeard):
        nissl.topomap(specimen("no classes"))
    assert layout("grid", {}).even
