"""What is painted, pixel by pixel."""

import subprocess
import sys

import numpy as np
import pytest
from matplotlib import rc_context
from matplotlib.font_manager import FontProperties
from matplotlib.image import AxesImage
from matplotlib.textpath import TextPath
from PIL import Image

from nissl.apps._figure.pixels import Laid
from nissl.apps.figure import animate, paint
from nissl.core.marks import Bars, Cells, Lines, Photos, Ribbons, Text, Tiles
from nissl.core.palette import COUNTERSTAIN, MUTED, PAPER, STAIN10, absorb, ramp, rgb
from nissl.core.view import Picture
from nissl.errors import BadValue
from nissl.testing.specimens import chain, trace
from nissl.views.pathways import Pathways

MARGIN = 28


def pixels(*marks, width=300, height=200, dpi=100):
    """The picture's own field, without its margins, title and caption."""
    figure = paint(Picture("", "", width, height, marks), dpi=dpi)
    figure.canvas.draw()
    every = np.asarray(figure.canvas.buffer_rgba())[..., :3] / 255
    scale = dpi / 100
    top = round((-figure.axes[0].get_ylim()[1]) * scale)
    left = round(MARGIN * scale)
    return every[top : top + round(height * scale), left : left + round(width * scale)]


def tiles(**changes):
    """Two rows of three oblique cells: grey, first dye, second dye / both, blank, silent."""
    given = {
        "name": "hidden", "origin": (40.0, 90.0), "across": (40.0, -14.0), "down": (0.0, 42.0),
        "row": np.array([0, 0, 0, 1, 1, 1]), "column": np.array([0, 1, 2, 0, 1, 2]), "unit": np.arange(6),
        "units": np.ones(6, int), "grey": np.array([0.5, 0, 0.2, 0, 0, 0]),
        "depth": np.array([[0, 0], [1, 0], [0, 0.7], [0.6, 0.5], [0, 0], [0, 0]]), "dyes": STAIN10[:2],
        "silent": np.array([0, 0, 0, 0, 0, 1], bool), "gap": 0.1,
    }  # fmt: skip
    return Tiles(**given | changes)


@pytest.mark.parametrize("layout", ["oblique", "upright"])
@pytest.mark.parametrize("dpi", [100, 160])
def test_a_cell_has_the_colour_of_its_dyes(layout, dpi):
    mark = tiles() if layout == "oblique" else tiles(across=(40.0, 0.0), gap=0.0)
    seen = pixels(mark, dpi=dpi)
    for cell, (x, y) in enumerate(mark.centres()[:5]):
        expected = absorb(rgb(PAPER), [mark.grey[cell], *mark.depth[cell]], (COUNTERSTAIN, *mark.dyes))
        np.testing.assert_allclose(seen[int(y * dpi / 100), int(x * dpi / 100)], expected, atol=1.5 / 255)
    x, y = mark.centres()[5]
    np.testing.assert_allclose(seen[int(y * dpi / 100), int(x * dpi / 100)], rgb(MUTED), atol=0.12)


def test_a_ribbon_multiplies_and_many_of_them_are_not_black():
    bar = Bars(np.array([[0.0, 0.0, 300.0, 200.0]]), ("#d0d0d0",))

    def ribbon(count, blend="multiply"):
        ones = np.ones(count)
        line = np.tile([[20.0, 100.0]], (count, 1)), np.tile([[280.0, 100.0]], (count, 1))
        return Ribbons(*line, 12 * ones, 0.4 * ones, ones > 1, np.zeros(count, int), STAIN10[:1], blend)

    one = pixels(bar, ribbon(1))[100, 150]
    np.testing.assert_allclose(one, absorb(rgb("#d0d0d0"), [1.2 * np.tanh(-np.log(0.6) / 1.2)], STAIN10[:1]), atol=0.01)
    many = pixels(bar, ribbon(60))[100, 150]
    np.testing.assert_allclose(many, absorb(rgb("#d0d0d0"), [1.2], STAIN10[:1]), atol=0.01)
    over = pixels(bar, ribbon(1, "over"))[100, 150]
    np.testing.assert_allclose(over, 0.4 * rgb(STAIN10[0]) + 0.6 * rgb("#d0d0d0"), atol=0.01)


def test_two_dyes_mix_where_ribbons_cross_in_any_order():
    def cross(order):
        start, end = np.array([[0.0, 40.0], [0.0, 160.0]]), np.array([[300.0, 160.0], [300.0, 40.0]])
        mark = Ribbons(start, end, np.full(2, 9.0), np.full(2, 0.5), np.zeros(2, bool), np.array([0, 1]), STAIN10[:2])
        turned = {name: getattr(mark, name)[order] for name in ("start", "end", "dye")}
        return pixels(
            Ribbons(turned["start"], turned["end"], mark.width, mark.alpha, mark.dashed, turned["dye"], mark.dyes)
        )

    crossed = cross([0, 1])[100, 150]
    depth = 1.2 * np.tanh(-np.log(0.5) / 1.2)
    np.testing.assert_allclose(crossed, absorb(rgb(PAPER), [depth, depth], STAIN10[:2]), atol=0.01)
    np.testing.assert_allclose(cross([1, 0]), cross([0, 1]), atol=1 / 255)


def test_a_dashed_ribbon_has_gaps():
    def row(dashed):
        one = np.ones(1)
        mark = Ribbons(
            np.array([[0.0, 50]]), np.array([[300.0, 50]]), 4 * one, one, one == dashed, np.zeros(1, int), STAIN10[:1]
        )
        return np.abs(pixels(mark)[50] - rgb(PAPER)).max(1) > 0.3

    assert row(0)[5:-5].all()
    assert 0.2 < row(1).mean() < 0.9


def test_cells_bars_and_lines_are_where_they_belong():
    shares = np.array([[0.0, 0.5], [1.0, 0.25]])
    bar = Bars(np.array([[200.0, 20.0, 50.0, 30.0]]), ("#123456",))
    seen = pixels(
        Cells(20, 20, 100, 60, shares, "ink"), bar, Lines(np.array([[10.0, 150.0], [290.0, 150.0]]), "#cc3060", 6)
    )
    for (row, column), share in np.ndenumerate(shares):
        np.testing.assert_allclose(seen[35 + 30 * row, 45 + 50 * column], ramp("ink", share), atol=1.5 / 255)
    np.testing.assert_allclose(seen[35, 225], rgb("#123456"), atol=1.5 / 255)
    np.testing.assert_allclose(seen[150, 100], rgb("#cc3060"), atol=1.5 / 255)
    np.testing.assert_allclose(seen[110, 225], rgb(PAPER), atol=1.5 / 255)


def test_later_marks_lie_on_top_and_words_above_all():
    low, high = Bars(np.array([[0.0, 0, 200, 200]]), ("#ffffff",)), Bars(np.array([[50.0, 50, 100, 100]]), ("#0084a8",))
    np.testing.assert_allclose(pixels(low, high)[100, 100], rgb("#0084a8"), atol=1.5 / 255)
    np.testing.assert_allclose(pixels(high, low)[100, 100], 1, atol=1.5 / 255)
    ribbon = Ribbons(
        np.array([[0.0, 150]]), np.array([[300.0, 150]]), np.ones(1), np.ones(1), np.zeros(1, bool), np.zeros(1, int), STAIN10[:1]
    )  # fmt: skip
    seen = pixels(Text(100, 100, "MMMM", 40, "center", True), high, ribbon)
    assert (seen[80:120, 60:140].max(-1) < 0.3).any()


def test_title_and_caption_are_there_under_every_kind_of_ribbon():
    seen = trace(chain(20, 10, 4), tuple("abcd"), (1,))
    for classes in (["a"], None):
        figure = paint(Pathways(seen, classes=classes).describe())
        figure.canvas.draw()
        every = np.asarray(figure.canvas.buffer_rgba())[..., :3]
        for edge in (every[:70], every[-110:]):
            assert (edge.max(-1) < 130).sum() > 300


def test_a_unit_of_a_known_class_is_painted_in_its_dye():
    picture = Pathways(trace(chain(20, 10, 4), tuple("abcd"), (1,)), ribbons=0).describe()
    figure = paint(picture)
    figure.canvas.draw()
    every = np.asarray(figure.canvas.buffer_rgba())[..., :3] / 255
    top = -figure.axes[0].get_ylim()[1]
    mark = next(mark for mark in picture.marks if isinstance(mark, Tiles) and mark.name == "hidden_1")
    cell = int(mark.depth.max(1).argmax())
    x, y = mark.centres()[cell]
    dyed = absorb(rgb(PAPER), [mark.grey[cell], *mark.depth[cell]], (COUNTERSTAIN, *mark.dyes))
    np.testing.assert_allclose(every[int(y + top), int(x + MARGIN)], dyed, atol=1.5 / 255)
    chip = next(mark for mark in picture.marks if isinstance(mark, Bars) and mark.colours[0] == STAIN10[0])
    left, above, width, height = chip.boxes[0]
    np.testing.assert_allclose(
        every[int(above + height / 2 + top), int(left + width / 2 + MARGIN)], rgb(STAIN10[0]), atol=1.5 / 255
    )


@pytest.mark.parametrize("ending", ["png", "svg", "pdf"])
def test_the_same_picture_is_the_same_bytes(ending, tmp_path):
    picture = Pathways(trace(chain(20, 10, 2), ("no", "yes"), (1,))).describe()
    for name in ("a", "b"):
        paint(picture, tmp_path / "new" / f"{name}.{ending}")
    one, two = ((tmp_path / "new" / f"{name}.{ending}").read_bytes() for name in ("a", "b"))
    assert one == two and len(one) > 10_000


def test_a_file_says_in_words_what_it_shows(tmp_path):
    picture = Picture("Title", "Caption, 100 µm.", 300, 200, (tiles(),))
    for ending in ("png", "svg"):
        paint(picture, tmp_path / f"a.{ending}")
    with Image.open(tmp_path / "a.png") as image:
        assert (image.info["Title"], image.info["Description"]) == ("Title", "Title. Caption, 100 µm.")
    assert "Title. Caption, 100 µm." in (tmp_path / "a.svg").read_text()


def test_dots_to_the_inch_change_the_size_and_nothing_else(tmp_path):
    picture = Picture("Title", "Caption.", 300, 200, (tiles(),))
    small, large = (paint(picture, dpi=dpi).canvas.get_width_height() for dpi in (100, 200))
    assert abs(2 * np.array(small) - np.array(large)).max() <= 1


def test_names_with_signs_of_mathematics_are_only_words():
    paint(Picture("$\\alpha_{1", "100 % _of_ $5.", 300, 100, (Text(10, 50, "$x^{", 16),))).canvas.draw()


def test_an_ending_that_cannot_be_painted_is_refused(tmp_path):
    with pytest.raises(BadValue, match=r"\.png, \.svg, \.pdf"):
        paint(Picture("", "", 10, 10, ()), tmp_path / "a.bmp")


def test_without_matplotlib_it_says_what_to_install():
    code = (
        "import sys; sys.modules['matplotlib'] = None\n"
        "from nissl.apps.figure import paint\nfrom nissl.core.view import Picture\n"
        "try: paint(Picture('', '', 10, 10, ()))\n"
        "except ImportError as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "pip install 'nissl[plots]'" in done.stdout


@pytest.mark.parametrize("dpi", [100, 130])
def test_photographs_are_laid_to_the_pixel_as_matplotlib_would(dpi, monkeypatch):
    photographs = np.random.default_rng(0).integers(0, 255, (2, 30, 40, 3)).astype(np.uint8)
    boxes = np.array([[3.0, 5.0, 40.0, 30.0], [50.0, 5.0, 20.0, 15.0]])
    picture = Picture(
        "Two", "One to the pixel, one smaller.", 300, 80, (Photos(boxes, photographs, ("#000000", "#ffffff")),)
    )
    with monkeypatch.context() as plain:
        plain.setattr(Laid, "make_image", AxesImage.make_image)
        theirs = seen(paint(picture, dpi=dpi))
    np.testing.assert_array_equal(seen(paint(picture, dpi=dpi)), theirs)


def seen(figure):
    figure.canvas.draw()
    return np.asarray(figure.canvas.buffer_rgba()).copy()


@pytest.mark.parametrize("settings", [{"text.hinting": "force_autohint"}, {"font.family": "DejaVu Serif"}])
def test_a_file_is_the_same_whatever_ones_own_settings_are(settings, tmp_path):
    sheet = Picture("All that was seen", "Every unit is drawn.", 300, 100, (Text(20, 50, "hidden, n_20", 15),))
    paint(sheet, tmp_path / "plain.png")
    animate([sheet], tmp_path / "plain.gif")
    with rc_context(settings):
        paint(sheet, tmp_path / "own.png")
        animate([sheet], tmp_path / "own.gif")
    assert (tmp_path / "own.png").read_bytes() == (tmp_path / "plain.png").read_bytes()
    assert (tmp_path / "own.gif").read_bytes() == (tmp_path / "plain.gif").read_bytes()


@pytest.mark.parametrize("bold", [False, True])
def test_words_are_as_wide_as_they_were_measured(bold, tmp_path):
    words = "saliency less baseline, delta times what the source has"
    paint(Picture("", "", 700, 60, (Text(0, 30, words, 17, bold=bold),)), tmp_path / "a.png")
    drawn = TextPath((0, 0), words, 17, FontProperties(family="DejaVu Sans", weight="bold" if bold else "normal"))
    dark = np.asarray(Image.open(tmp_path / "a.png").convert("L")) < 200
    seen = np.flatnonzero(dark.any(0))
    assert seen[-1] - seen[0] + 1 == pytest.approx(drawn.get_extents().width, abs=2)
