"""Recording a training loop that a library runs (Keras `fit`, Lightning, a Trainer): what its callback tells, as it happens."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nissl.core.record import record
from nissl.core.recorder import Recorder
from nissl.core.trace import Trace
from nissl.errors import BadValue


class Loop:
    """A recorder that is opened when the library's training starts and closed when it ends, however it ends.

    Takes what `nissl.record` takes, but for the model, which the library has. Epochs are the library's, counted from 1:
    training that starts after epoch 3, from a checkpoint, goes on with the trace that is there; epochs which that already
    holds are not recorded again.
    """

    def __init__(self, path: str | Path | None = None, **options: Any):
        self.path, self.options = path, options
        self._recorder: Recorder | None = None
        self._trace: Trace | None = None
        self._last: int | None = None  # committed before this training started
        self._counting = False  # is the present epoch recorded?

    def start(self, model: Any, done: int = 0, last: int | None = None) -> Recorder:
        """Training of `model` begins, up to epoch `last`; `done` epochs were trained before, by a run that was interrupted."""
        if self._recorder is not None:
            raise BadValue("This callback is recording already: give each training its own.")
        options = {"resume": True, **self.options} if done and not self.options.get("overwrite") else self.options
        recorder = record(model, self.path, **options)
        recorder.__enter__()
        self._recorder, self._trace, self._last = recorder, recorder.trace, recorder.last
        if last is not None and last > max(done, recorder.last or 0):
            recorder.expect(last)
        return recorder

    @property
    def recorder(self) -> Recorder:
        if self._recorder is None:
            raise BadValue("This callback is not recording: the library has not started to train, or has ended.")
        return self._recorder

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
        """What follows is no training step: validation, a sanity check."""
        if self._counting:
            self.recorder.pause()

    def end_epoch(self, numbers: Mapping[str, Any] | None = None) -> None:
        if self._counting:
            self.recorder.log(**(numbers or {}))
            self.recorder.end_epoch()

    def stop(self, error: BaseException | None = None) -> None:
        """Training is over; safe to call twice."""
        recorder, self._recorder = self._recorder, None
        if recorder is not None:
            recorder.__exit__(type(error) if error else None, error, error.__traceback__ if error else None)
