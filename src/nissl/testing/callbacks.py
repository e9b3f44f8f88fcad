"""What every callback must keep to: subclass `CallbackSuite`, give it a small training by your library, and run pytest."""

import contextlib
import gc
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from nissl.core.loop import Loop
from nissl.core.network import Array
from nissl.core.trace import Trace
from nissl.core.trace import open as open_trace
from nissl.errors import NisslWarning, TraceExists


class CallbackSuite:
    """Subclass with `callback`, `fit`, `stopping` and `failing`; the attributes say what `fit` trains."""

    examples: ClassVar[int] = 48
    """How many examples an epoch of the training has; as many again may be for validation."""
    steps: ClassVar[int] = 6
    """How many steps an epoch takes."""
    classes: ClassVar[int] = 3
    numbers: ClassVar[tuple[str, ...]] = ("val_loss",)
    """What the library itself reports of every epoch."""

    def callback(self, *args: Any, **options: Any) -> Any:
        """The callback, made of these."""
        raise NotImplementedError("return nissl.callbacks.Yours(*args, **options)")

    def fit(self, callbacks: list[Any], epochs: int, folder: Path, *, resume: bool = False) -> Mapping[str, Array]:
        """Train up to this epoch and return the weights.

        Always the same network from the same seed on shuffled data, with dropout, validation in every epoch and a checkpoint
        in `folder` after each; `resume`: go on from the last of these.
        """
        raise NotImplementedError("train, and return the weights by name")

    def stopping(self, after: int) -> Any:
        """A callback of the library's that asks it to stop after this epoch."""
        raise NotImplementedError

    def failing(self, epoch: int, error: BaseException) -> Any:
        """A callback of the library's that raises this in the middle of this epoch."""
        raise NotImplementedError

    def probe(self) -> tuple[Any, Any]:
        """(x, y): some examples as the network takes them."""
        raise NotImplementedError

    # what is recorded

    def whole(self, trace: Trace, epochs: list[int]) -> None:
        """These epochs are there, and in each of them every training example once."""
        assert trace.epochs == epochs
        assert len(trace.classes) == self.classes
        for epoch in epochs:
            assert trace[epoch].scalars["steps"] == self.steps
            for layer in trace.layers:
                assert (trace[epoch][layer].array("count") == self.examples).all(), layer
                assert trace[epoch][layer].array("class_count").sum() == self.examples, layer

    def test_epochs_steps_and_examples_of_the_training_are_recorded_and_no_others(
        self, run_path: Path, tmp_path: Path
    ) -> None:
        callback = self.callback(run_path)
        assert isinstance(callback, Loop)
        self.fit([callback], 3, tmp_path)
        self.whole(open_trace(run_path), [1, 2, 3])
        assert open_trace(run_path).header["ended"] == "finished"
        assert callback.trace.epochs == [1, 2, 3]

    def test_what_the_library_reports_is_kept(self, tmp_path: Path) -> None:
        callback = self.callback()
        self.fit([callback], 2, tmp_path)
        for name in self.numbers:
            assert np.isfinite(callback.trace.scalars[name].values).all(), name

    def test_the_weights_are_those_of_a_training_that_is_not_recorded(self, tmp_path: Path) -> None:
        alone = self.fit([], 2, tmp_path / "alone")
        recorded = self.fit([self.callback(probe=self.probe())], 2, tmp_path / "recorded")
        assert alone.keys() == recorded.keys()
        for name, value in alone.items():
            np.testing.assert_array_equal(recorded[name], value)

    def test_the_weights_of_an_epoch_are_those_that_it_ended_with(self, tmp_path: Path) -> None:
        callback = self.callback()
        ended = {value.tobytes() for value in self.fit([callback], 2, tmp_path).values()}
        first = callback.trace.layers[0]
        last, before = (callback.trace[epoch][first].array("weight") for epoch in (2, 1))
        assert any(form.astype(np.float32).tobytes() in ended for form in (last, np.ascontiguousarray(last.T)))
        assert (last != before).any()

    def test_a_probe_is_shown_at_every_epoch(self, tmp_path: Path) -> None:
        callback = self.callback(probe=self.probe())
        self.fit([callback], 2, tmp_path)
        assert callback.trace.epochs == [0, 1, 2]
        assert len(callback.trace.scalars["probe_loss"].values) == 3

    def test_the_screen_is_left_to_the_library(self, tmp_path: Path, capfd: Any) -> None:
        self.fit([self.callback()], 1, tmp_path)
        assert "nissl" not in "".join(capfd.readouterr())

    # how trainings end

    def test_a_training_that_is_stopped_early_is_finished(self, run_path: Path, tmp_path: Path) -> None:
        self.fit([self.callback(run_path), self.stopping(2)], 5, tmp_path)
        self.whole(open_trace(run_path), [1, 2])
        assert open_trace(run_path).header["ended"] == "finished"

    def test_a_training_goes_on_in_the_same_trace(self, run_path: Path, tmp_path: Path) -> None:
        self.fit([self.callback(run_path)], 2, tmp_path)
        self.fit([self.callback(run_path)], 4, tmp_path, resume=True)
        self.whole(open_trace(run_path), [1, 2, 3, 4])

    def test_a_training_that_goes_on_may_begin_a_trace(self, run_path: Path, tmp_path: Path) -> None:
        self.fit([], 2, tmp_path)
        self.fit([self.callback(run_path)], 3, tmp_path, resume=True)
        self.whole(open_trace(run_path), [3])

    @pytest.mark.parametrize("error", [ZeroDivisionError, KeyboardInterrupt])
    def test_an_error_leaves_the_finished_epochs_and_the_training_may_go_on(
        self, error: type[BaseException], run_path: Path, tmp_path: Path
    ) -> None:
        self.interrupted(self.callback(run_path), error, tmp_path)
        gc.collect()  # nothing but the callback holds the trace open, where the library does not tell of errors
        self.whole(open_trace(run_path), [1, 2])
        assert open_trace(run_path).header["ended"] != "finished"
        self.fit([self.callback(run_path)], 3, tmp_path, resume=True)
        self.whole(open_trace(run_path), [1, 2, 3])

    def interrupted(self, callback: Any, error: type[BaseException], folder: Path) -> None:
        with contextlib.suppress(error, SystemExit):
            self.fit([callback, self.failing(3, error("in the middle"))], 4, folder)
            pytest.fail("the library has swallowed the error")

    def test_a_with_around_the_training_ends_the_trace_at_once(self, run_path: Path, tmp_path: Path) -> None:
        with pytest.raises(ZeroDivisionError), self.callback(run_path) as callback:
            self.fit([callback, self.failing(2, ZeroDivisionError("in the middle"))], 4, tmp_path)
        assert "in the middle" in open_trace(run_path).header["ended"]
        self.whole(open_trace(run_path), [1])

    # the same callback again

    def test_a_second_training_does_not_write_over_the_first(self, run_path: Path, tmp_path: Path) -> None:
        callback = self.callback(run_path)
        self.fit([callback], 1, tmp_path / "first")
        with pytest.raises(TraceExists, match="overwrite"):
            self.fit([callback], 1, tmp_path / "second")
        self.whole(open_trace(run_path), [1])

    def test_a_second_training_may_replace_the_first(self, run_path: Path, tmp_path: Path) -> None:
        callback = self.callback(run_path, overwrite=True)
        self.fit([callback], 2, tmp_path / "first")
        self.fit([callback], 1, tmp_path / "second")
        self.whole(open_trace(run_path), [1])

    def test_a_training_of_epochs_that_are_there_says_that_nothing_is_recorded(
        self, run_path: Path, tmp_path: Path
    ) -> None:
        self.fit([self.callback(run_path)], 2, tmp_path / "first")
        with pytest.warns(NisslWarning, match="already holds the epochs up to 2"):
            self.fit([self.callback(run_path, resume=True)], 1, tmp_path / "second")
        self.whole(open_trace(run_path), [1, 2])
