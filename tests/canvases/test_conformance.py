"""Every canvas of the folder keeps to the contract."""

import numpy as np
import pytest

from nissl import plugins
from nissl.canvases.pixels import Pixels
from nissl.core.canvas import canvas
from nissl.core.paper import paper
from nissl.errors import BadValue
from nissl.testing.canvases import CanvasSuite


@pytest.mark.parametrize("name", plugins.names("canvases"), scope="class")
class TestCanvases(CanvasSuite):
    @pytest.fixture(autouse=True)
    def _given(self, name):
        self.name = name
        type(self).exact = name != "principal"

    def canvas(self, given):
        return canvas(self.name, given, {})


class Bad(Pixels):
    """Forgets the curve on the way back."""

    def back(self, strokes, slopes):
        return slopes * self.paper.span


def test_the_suite_catches_a_wrong_slope():
    suite = CanvasSuite()
    suite.canvas = Bad
    with pytest.raises(AssertionError):
        suite.test_slopes_come_back_as_finite_differences_say()


def drawn(*, photographs):
    """Digits vary in the middle, photographs everywhere."""
    draw = np.random.default_rng(0)
    x = draw.normal(size=(200, 1, 8, 8)).cumsum(2)
    x /= x.std(0)
    return x if photographs else x * (np.hypot(*np.meshgrid(np.arange(8) - 4, np.arange(8) - 4)) < 3)


@pytest.mark.parametrize(("given", "wanted"), [
    (paper((1, 8, 8), None, None), "fourier"), (paper(5, None, None), "pixels"),
    (paper(None, None, drawn(photographs=True)), "fourier"), (paper(None, None, drawn(photographs=False)), "principal"),
    (paper(None, None, drawn(photographs=False)[:50]), "fourier"),
    (paper(None, None, np.random.default_rng(0).normal(size=(200, 4))), "principal"),
])  # fmt: skip
def test_the_canvas_suits_the_paper(given, wanted):
    assert canvas(None, given, {}).name == wanted


def test_principal_strokes_are_standard_deviations():
    x = np.random.default_rng(1).normal(size=(500, 6)) @ np.random.default_rng(2).normal(size=(6, 6))
    made = canvas("principal", paper(None, None, x), {"kept": 1.0})
    traced = made.trace(x)
    np.testing.assert_allclose(traced.T @ traced / len(x), np.eye(6), atol=1e-6)
    np.testing.assert_allclose(made.draw(traced), x, atol=1e-6)
    wide = canvas("principal", paper(None, None, x.reshape(20, 150)), {"kept": 1.0})  # fewer examples than values
    np.testing.assert_allclose(wide.draw(wide.trace(wide.paper.sample)), wide.paper.sample, atol=1e-6)


def test_colours_vary_together_as_in_the_examples():
    mix = np.array([[1.0, 0.9, 0.8], [0, 0.3, 0], [0, 0, 0.2]])
    x = np.einsum("nchw,cd->ndhw", np.random.default_rng(3).normal(size=(300, 3, 8, 8)), mix)
    given = paper(None, None, x)
    made = canvas("fourier", given, {"spread": 0.01, "decay": 0.0})
    pictures = made.draw(made.begin(400, np.random.default_rng(4))) / given.span
    rows = np.moveaxis(pictures - pictures.mean(0), 1, 0).reshape(3, -1)
    real = np.moveaxis((x - x.mean(0)) / given.span, 1, 0).reshape(3, -1)
    np.testing.assert_allclose(np.corrcoef(rows), np.corrcoef(real), atol=0.05)


@pytest.mark.parametrize(("name", "given", "options", "said"), [
    ("fourier", paper(5, None, None), {}, "no images"), ("principal", paper(5, None, None), {}, "give data="),
    ("principal", paper(None, None, np.ones((9, 3))), {}, "alike"), ("waves", paper(5, None, None), {}, "no 'waves'"),
    ("principal", paper(None, None, np.eye(5)), {"kept": 0}, "kept=0"),
    ("pixels", paper(5, None, None), {"sprad": 1}, "spread"), (3, paper(5, None, None), {}, "fourier, pixels, principal"),
])  # fmt: skip
def test_what_cannot_be_meant_is_said_in_words(name, given, options, said):
    with pytest.raises((BadValue, LookupError), match=said):
        made = canvas(name, given, options)
        made.begin(1, np.random.default_rng(0))
