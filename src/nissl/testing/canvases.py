"""What every canvas must keep to: subclass `CanvasSuite`, give it yours, and run pytest."""

from typing import Any, ClassVar

import numpy as np
import pytest
from numpy.typing import NDArray

from nissl.core.canvas import Canvas
from nissl.core.paper import Paper, paper

Array = NDArray[Any]
STEP = 1e-6


def papers() -> dict[str, Paper]:
    """Inputs of many kinds, with and without examples."""
    draw = np.random.default_rng(0)
    smooth = draw.normal(size=(60, 3, 8, 6)).cumsum(2).cumsum(3)
    return {
        "grey": paper((1, 8, 8), (0, 1), None),
        "no channel, odd sides": paper((7, 9), None, None),
        "channels last": paper((6, 8, 3), ([-1, 0, -3], [1, 2, -2]), None),
        "examples": paper(None, None, smooth),
        "a table": paper(None, None, draw.normal(size=(40, 5)) * [1, 2, 3, 4, 100]),
        "a constant column": paper(None, None, np.c_[draw.normal(size=(40, 3)), np.full(40, 7.0)]),
    }


class CanvasSuite:
    """Subclass with `canvas(paper)`; papers that it is not for are refused with reason."""

    exact: ClassVar[bool] = True
    """Can it draw everything within the span?"""

    def canvas(self, given: Paper) -> Canvas:
        raise NotImplementedError("return the canvas to test on this paper")

    def made(self) -> dict[str, Canvas]:
        found = {}
        for name, given in papers().items():
            try:
                found[name] = self.canvas(given)
            except ValueError as refused:
                if len(str(refused)) < 40:
                    pytest.fail(f"{name}: say what was asked, what there is, and what to do: {refused}")
        assert found, "it takes none of them"
        return found

    # the tests

    def test_pictures_lie_within_the_span(self) -> None:
        for name, made in self.made().items():
            strokes = made.begin(4, np.random.default_rng(1))
            for size in (1, 100):
                drawn = made.draw(size * strokes)
                assert drawn.shape == (4, *made.paper.shape), name
                assert (drawn >= made.paper.low - 1e-9).all() and (drawn <= made.paper.high + 1e-9).all(), name

    def test_the_same_lot_begins_alike_and_pictures_differ(self) -> None:
        for name, made in self.made().items():
            first, again = (made.begin(3, np.random.default_rng(2)) for _ in range(2))
            assert first.tobytes() == again.tobytes(), name
            drawn = made.draw(first).reshape(3, -1)
            assert len(np.unique(drawn, axis=0)) == 3, name

    def test_slopes_come_back_as_finite_differences_say(self) -> None:
        draw = np.random.default_rng(3)
        for name, made in self.made().items():
            strokes = made.begin(2, draw)
            slopes = draw.normal(size=(2, *made.paper.shape))
            back = made.back(strokes, slopes)
            assert back.shape == strokes.shape, name
            for _ in range(5):
                way = draw.normal(size=strokes.shape)
                up, down = (made.draw(strokes + sign * STEP * way) for sign in (1, -1))
                wanted = float((slopes * (up - down)).sum() / (2 * STEP))
                found = float((back * way).sum())
                assert found == pytest.approx(wanted, rel=1e-4, abs=1e-5 * float(np.abs(back).sum())), name

    def test_a_picture_that_was_drawn_can_be_traced(self) -> None:
        for name, made in self.made().items():
            drawn = made.draw(made.begin(3, np.random.default_rng(4)))
            span = np.abs(made.paper.span).max()
            np.testing.assert_allclose(made.draw(made.trace(drawn)), drawn, atol=0.011 * span, err_msg=name)

    def test_it_can_draw_anything(self) -> None:
        if not self.exact:
            pytest.skip("draws only what varies as the examples do")
        for name, made in self.made().items():
            share = np.random.default_rng(5).uniform(0.1, 0.9, (2, *made.paper.shape))
            wanted = made.paper.low + share * made.paper.span
            np.testing.assert_allclose(made.draw(made.trace(wanted)), wanted, rtol=1e-6, atol=1e-9, err_msg=name)

    def test_what_it_was_given_stays_as_it_is(self) -> None:
        for name, made in self.made().items():
            strokes = made.begin(2, np.random.default_rng(6))
            kept, drawn = strokes.copy(), made.draw(strokes)
            slopes = np.ones_like(drawn)
            made.back(strokes, slopes)
            made.trace(drawn)
            assert (strokes == kept).all() and (slopes == 1).all(), name
