"""What every view must keep to: subclass `ViewSuite` (views of traces) or `PictureSuite`, give it yours, and run pytest."""

import json
from collections.abc import Iterator
from dataclasses import fields, replace
from functools import cache, lru_cache
from typing import Any

import numpy as np
import pytest

from nissl.core.marks import Bars, Cells, Dots, Lines, Mark, Photos, Ribbons, Text, Tiles
from nissl.core.trace import Trace
from nissl.core.view import Picture, View
from nissl.errors import NisslError, NotHeard, UnknownName
from nissl.stores.memory import Memory
from nissl.testing.specimens import SPECIMENS, specimen

LACKING = {"no classes", "unjudged", "followed unjudged"}
"""Traces that a view of classes or of judgements may refuse, in words of its own."""
FOLLOWED = {name for name in SPECIMENS if name.startswith("followed")}
"""Traces that hold structures; of the others a view of structures may say that they don't."""
SMALLEST = 11.5
"""The least size of letters at the picture's own size."""


class PictureSuite:
    """Subclass with `pictures()`: what a view shows of everything that it may meet."""

    def pictures(self) -> Iterator[tuple[str, Picture]]:
        """(what it is of, the picture)."""
        raise NotImplementedError("yield the pictures to test")

    # the tests

    def test_marks_lie_inside_and_their_arrays_fit(self) -> None:
        for name, picture in self.pictures():
            assert picture.marks, name
            for mark in picture.marks:
                points = np.asarray(_points(mark), float).reshape(-1, 2)
                assert np.isfinite(points).all(), (name, mark)
                edge = [picture.width + 8, picture.height + 8]
                assert (points >= -8).all() and (points <= edge).all(), (name, mark)
                _check(mark)

    def test_it_says_what_it_shows(self) -> None:
        for name, picture in self.pictures():
            title, caption = picture.title, picture.caption
            assert title and title[0] == title[0].upper() and not title.endswith("."), (name, title)
            assert caption.endswith(".") and len(caption) > 30, (name, caption)
            assert not any(word in caption for word in ("nan", "None", "np.", "[]")), (name, caption)

    def test_it_is_plain_values(self) -> None:
        for name, picture in self.pictures():
            told = picture.to_dict()
            assert json.loads(json.dumps(told, allow_nan=False)) == told, name

    def test_no_words_overlap_or_are_cut_off_when_painted(self) -> None:
        pytest.importorskip("matplotlib")
        from nissl.apps.figure import paint

        for number, (name, picture) in enumerate(self.pictures()):
            words = tuple(mark for mark in picture.marks if isinstance(mark, Text))
            assert min((mark.size for mark in words), default=99) >= SMALLEST, name
            _apart(
                name, paint(replace(picture, marks=words) if number else picture)
            )  # all marks of one: painting takes long


class ViewSuite(PictureSuite):
    """Subclass with `view(trace)` returning the view of it."""

    def view(self, trace: Trace) -> View:
        raise NotImplementedError("return the view to test")

    def pictures(self) -> Iterator[tuple[str, Picture]]:
        """The picture of every specimen, but for those that lack what the view is about and that it refuses with reason."""
        for name in SPECIMENS:
            view = self.view(_seen(name))
            try:
                picture = _described(view)
            except NisslError as refused:
                if name not in LACKING and (name in FOLLOWED or "structures" not in str(refused)):
                    raise
                if len(str(refused)) < 40:
                    pytest.fail(f"{name}: say what was asked, what there is, and what to do: {refused}")
                continue
            yield name, picture

    # the tests

    def test_the_same_trace_is_the_same_picture(self) -> None:
        trace = specimen("followed cnn")
        view = self.view(trace)
        assert view == replace(view)  # type: ignore[type-var]
        assert view.describe().to_dict() == self.view(trace).describe().to_dict()
        assert view.describe().to_dict() == self.view(specimen("followed cnn")).describe().to_dict()

    def test_an_epoch_or_class_that_is_not_there_is_an_error(self) -> None:
        view = self.view(specimen("followed"))
        wrong = {
            "epoch": (99, KeyError),
            "classes": (["no such class"], UnknownName),
            "layers": (["no such"], KeyError),
        }
        for field in fields(view):  # type: ignore[arg-type]
            if field.name in wrong:
                value, error = wrong[field.name]
                change: dict[str, Any] = {field.name: value}
                changed = replace(view, **change)  # type: ignore[type-var]
                with pytest.raises(error, match=r"no such|99"):
                    changed.describe()

    def test_an_empty_trace_says_so(self) -> None:
        store = Memory("empty")
        store.create({"classes": ["a", "b"], "layers": []})
        with pytest.raises(NotHeard, match="no epoch"):
            self.view(Trace(store)).describe()


_seen = cache(specimen)


@lru_cache(maxsize=2 * len(SPECIMENS))
def _once(view: View) -> Picture:
    return view.describe()


def _described(view: View) -> Picture:
    """Once for all tests that look at it: that it is the same when it is described again is a test of its own."""
    try:
        hash(view)
    except TypeError:
        return view.describe()
    return _once(view)


def _apart(name: str, figure: Any) -> None:
    """All words are on the sheet and none lies over another."""
    wide, high = figure.canvas.get_width_height()
    texts = [text for text in figure.axes[0].texts if text.get_text()]
    boxes = np.array([text.get_window_extent().shrunk(0.98, 0.8).extents for text in texts])
    low, up = boxes[:, :2], boxes[:, 2:]
    for text in np.flatnonzero((low < -1).any(1) | (up > np.array([wide, high]) + 1).any(1)):
        pytest.fail(f"{name}: {texts[text].get_text()!r} is cut off")
    over = ((low[:, None] < up) & (low < up[:, None])).all(-1)
    for one, other in np.argwhere(np.triu(over, 1)):
        pytest.fail(f"{name}: {texts[one].get_text()!r} lies over {texts[other].get_text()!r}")


def _points(mark: Mark) -> Any:
    """Corners of everything that a mark covers."""
    match mark:
        case Tiles():
            half = (np.array(mark.across) + np.array(mark.down)) / 2
            return np.concatenate([mark.centres() - half, mark.centres() + half])
        case Ribbons():
            return np.concatenate([mark.start, mark.end])
        case Lines():
            return mark.points[~np.isnan(mark.points).any(1)]
        case Cells():
            return [(mark.x, mark.y), (mark.x + mark.width, mark.y + mark.height)]
        case Dots():
            return mark.points
        case Bars() | Photos():
            return np.concatenate([mark.boxes[:, :2], mark.boxes[:, :2] + mark.boxes[:, 2:]])
        case Text():
            return [(mark.x, mark.y)]


def _check(mark: Mark) -> None:
    """Arrays of one mark have one length and values that can be painted."""
    match mark:
        case Tiles():
            count = len(mark.row)
            parts = (mark.column, mark.unit, mark.units, mark.grey, mark.depth, mark.silent)
            assert all(len(part) == count for part in parts)
            assert mark.depth.shape == (count, len(mark.dyes))
            assert (mark.grey >= 0).all() and (mark.depth >= 0).all() and (mark.depth <= 2).all()
            assert len({*zip(mark.row.tolist(), mark.column.tolist(), strict=True)}) == count, "two cells in one place"
        case Ribbons():
            sides = (mark.end, mark.width, mark.alpha, mark.dashed, mark.dye)
            assert all(len(part) == len(mark.start) for part in sides)
            assert (mark.width > 0).all() and (mark.alpha > 0).all() and (mark.alpha <= 1).all()
            assert set(mark.dye.tolist()) <= set(range(len(mark.dyes)))
        case Cells():
            assert mark.shares.ndim == 2 and (mark.shares >= 0).all() and (mark.shares <= 1).all()
        case Dots():
            assert len(mark.dye) == len(mark.ring) == len(mark.points) and mark.size > 0 and 0 < mark.alpha <= 1
            assert ((mark.dye >= 0) & (mark.dye < len(mark.dyes))).all()
            assert ((mark.ring >= -1) & (mark.ring < len(mark.dyes))).all()
        case Photos():
            assert mark.boxes.shape == (len(mark.colours), 4) and mark.pixels.dtype == np.uint8
            assert mark.pixels.ndim == 4 and mark.pixels.shape[-1] == 3 and len(mark.pixels) == len(mark.boxes)
        case Bars():
            assert mark.boxes.shape == (len(mark.colours), 4) and (mark.boxes[:, 2:] >= 0).all()
        case Lines():
            assert mark.points.ndim == 2 and mark.points.shape[1] == 2 and mark.width > 0
        case Text():
            assert mark.words and "\n" not in mark.words
