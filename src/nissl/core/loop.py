"""Recording a training loop that a library runs (Keras `fit`, Lightning, a Trainer): what its callback tells, as it happens."""

import sys
import warnings
import weakref
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from nissl.core.record import record
from nissl.core.recorder import Recorder
from nissl.core.trace import Trace
from nissl.errors import BadValue, NisslWarning


class Loop:
    """A recorder that is opened when the library's training starts and closed when it ends, however it ends.

    Takes what `nissl.record` takes, but for the model, which the library has; `progress` is off unless it is asked for,
    since the library shows its own. Epochs are the library's, counted from 1: training that starts after epoch 3, from a
    checkpoint, goes on with the trace that is there; epochs which that already holds are not recorded again.

    Where a library doesn't say that training has failed, the trace is closed when the next training starts, when the
    callback is forgotten or when Python ends; or at once, where the callback is used as a `with` around the training.
    """

    def __init__(self, path: str | Path | None = None, **options: Any):
        self.path, self.options = path, options
        self._recorder: Recorder | None = None
        self._trace: Trace | None = None
        self._last: int | None = None  # committed before this training started
        self._counting = False  # is the present epoch recorded?
        self._abandoned: Any = None  # closes the recorder when nobody else does

    def start(self, model: Any, done: int = 0, last: int | None = None) -> Recorder:
        """Training of `model` begins, up to epoch `last`; `done` epochs were trained before, by a run that was interrupted."""
        if self._recorder is not None:
            self.stop(_Unfinished("a new training started before this one's end was told"))
        options = {"resume": True, **self.options} if done and not self.options.get("overwrite") else self.options
        recorder = record(model, self.path, **({} if "settings" in options else {"progress": False}) | options)
        recorder.__enter__()
        self._recorder, self._trace, self._last = recorder, recorder.trace, recorder.last
        self._abandoned = weakref.finalize(self, _close, recorder)
        if last is not None and last > max(done, recorder.last or 0):
            recorder.expect(last)
        return recorder

    @property
    def recorder(self) -> Recorder:
        if self._recorder is None:
            raise BadValue("This callback is not recording: the library has not started to train, or has ended.")
        return self._recorder

    @property
    def recording(self) -> bool:
        """Is a training going on?"""
        return self._recorder is not None

    @property
    def trace(self) -> Trace:
        """What has been recorded so far; also when training is over."""
        if self._trace is None:
            raise BadValue("There is no trace yet: the library has not started to train.")
        return self._trace

    def begin_epoch(self, epoch: int) -> None:
        self._counting = self._last is None or epoch > self._last
        if self._counting:
            self.recorder.begin_epoch(epoch)

    def step(self, labels: Any = None) -> None:
        """A training step begins."""
        if self._counting:
            self.recorder.step(labels)

    def pause(self) -> None:
        """The step is over, and what follows is no training step: validation, a sanity check."""
        if self._counting:
            self.recorder.pause()

    def end_epoch(self, numbers: Mapping[str, Any] | None = None) -> None:
        if self._counting:
            self._counting = False
            self.recorder.log(**(numbers or {}))
            self.recorder.end_epoch()

    def stop(self, error: BaseException | None = None) -> None:
        """Training is over; safe to call twice."""
        recorder, self._recorder, self._counting = self._recorder, None, False
        if recorder is not None:
            self._abandoned.detach()
            recorder.__exit__(type(error) if error else None, error, error.__traceback__ if error else None)
            if error is None and self._last is not None and recorder.last == self._last:
                what = f"Nothing was recorded: the trace at {self.path} already holds the epochs up to {self._last}"
                warnings.warn(f"nissl: {what}, and none after it was trained.", NisslWarning, stacklevel=2)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop(error)


class _Unfinished(RuntimeError):
    """How a training ended whose library did not say that it had."""


def _close(recorder: Recorder) -> None:
    """Nobody can tell any more that the training is over; what ended Python, ended it."""
    error = getattr(sys, "last_value", None) or _Unfinished("the training's end was not told")
    recorder.__exit__(type(error), error, None)
