"""Every view of a trace in the folder keeps to the contract."""

from dataclasses import dataclass

import numpy as np
import pytest

from nissl import plugins
from nissl.core.marks import Bars, Lines, Text
from nissl.core.view import Picture, TraceView
from nissl.testing.views import ViewSuite

OF_TRACES = [name for name in plugins.names("views") if issubclass(plugins.load("views", name), TraceView)]


@pytest.mark.parametrize("kind", OF_TRACES, scope="class")
class TestViews(ViewSuite):
    @pytest.fixture(autouse=True)
    def _given(self, kind):
        self._kind = kind

    def view(self, trace):
        return plugins.load("views", self._kind)(trace)


BAD = {
    "lies over": (Text(10, 50, "hello there"), Text(60, 52, "world")),
    "cut off": (Text(250, 50, "a line that is too long"),),
}


@pytest.mark.parametrize("fault", BAD)
def test_the_suite_catches_words_in_bad_places(fault):
    @dataclass(frozen=True)
    class Bad(TraceView):
        def describe(self):
            return Picture("Bad", "A caption that says something.", 300, 100, BAD[fault])

    suite = ViewSuite()
    suite.view = Bad
    with pytest.raises(pytest.fail.Exception, match=fault):
        suite.test_no_words_overlap_or_are_cut_off_when_painted()


@pytest.mark.parametrize("mark", [
    Text(400, 50, "outside"), Lines(np.array([[0.0, 0.0], [10.0, 300.0]]), "#000000"),
    Bars(np.array([[0.0, 0.0, -5.0, 1.0]]), ("#000000",)),
])  # fmt: skip
def test_the_suite_catches_marks_that_cannot_be_painted(mark):
    @dataclass(frozen=True)
    class Bad(TraceView):
        def describe(self):
            return Picture("Bad", "A caption that says something.", 300, 100, (mark,))

    suite = ViewSuite()
    suite.view = Bad
    with pytest.raises(AssertionError):
        suite.test_marks_lie_inside_and_their_arrays_fit()
