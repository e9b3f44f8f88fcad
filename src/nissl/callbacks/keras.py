"""Record what `model.fit` trains: `model.fit(..., callbacks=[nissl.callbacks.Keras("runs/a", probe=(x, y))])`."""

import weakref
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import keras
from keras import tree

from nissl.core.capabilities import Labelling
from nissl.core.loop import Loop


class Keras(Loop, keras.callbacks.Callback):  # type: ignore[misc]
    """Takes what `nissl.record` takes, but for the model. Logs (loss, metrics, val_...) become numbers of the epoch.

    `fit(initial_epoch=n)` goes on with the trace of the first n epochs. Keras tells no callback when training ends by an
    exception or Ctrl-C: where that comes out of a step or out of validation, the trace is closed at once; where it comes
    from elsewhere (another callback), see Loop.
    """

    def __init__(self, path: str | Path | None = None, **options: Any):
        keras.callbacks.Callback.__init__(self)
        Loop.__init__(self, path, **options)
        self._open = ExitStack()
        weakref.finalize(self, self._open.close)

    def on_train_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        if self.recording:
            self.stop(RuntimeError("a new training started before this one's end was told"))

    def on_epoch_begin(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Keras counts epochs from 0, and says only with the first one where it begins."""
        if not self.recording:
            network = self.start(self.model, epoch, self.params.get("epochs")).network
            assert isinstance(network, Labelling)
            self._open.enter_context(network.watch_labels(_weak(self, _step)))
            for name in ("train_function", "evaluate"):
                self._guard(name)
        self.begin_epoch(epoch + 1)

    def _guard(self, name: str) -> None:
        """Whatever leaves this method of the model by an exception ends the recording."""
        own: dict[str, Any] = self.model.__dict__
        method, fail = getattr(self.model, name), _weak(self, Keras.stop)
        before = own.get(name)

        def guarded(*args: Any, **kwargs: Any) -> Any:
            try:
                return method(*args, **kwargs)
            except BaseException as error:
                if not _exhausted(error):
                    fail(error)
                raise

        own[name] = guarded
        self._open.callback(_restore, own, name, guarded, before)

    def on_test_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        if self.recording:
            self._settled(self.pause)

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        numbers = {name: float(value) for name, value in (logs or {}).items() if not getattr(value, "ndim", 0)}
        self._settled(lambda: self.end_epoch(numbers))

    def _settled(self, what: Callable[[], None]) -> None:
        """Compiled steps may still be telling of themselves: what follows belongs after them."""
        try:
            self.recorder.network.settle()
            what()
        except BaseException as error:
            self.stop(error)
            raise

    def on_train_end(self, logs: Mapping[str, Any] | None = None) -> None:
        self.stop()

    def stop(self, error: BaseException | None = None) -> None:
        self._open.close()
        super().stop(error)


def _step(callback: Keras, labels: Any) -> None:
    """Of several outputs the first is the one that is judged."""
    callback.step(None if labels is None else tree.flatten(labels)[0])


def _weak(callback: Keras, method: Callable[..., None]) -> Callable[..., None]:
    """A call that keeps nothing alive: a model must not hold on to the callback of a training that has failed."""
    me = weakref.ref(callback)

    def called(*args: Any) -> None:
        alive = me()
        if alive is not None:
            method(alive, *args)

    return called


def _exhausted(error: BaseException) -> bool:
    """How an epoch's data ends: no failure."""
    return isinstance(error, StopIteration) or type(error).__name__ == "OutOfRangeError"


def _restore(own: dict[str, Any], name: str, guarded: Any, before: Any) -> None:
    if own.get(name) is guarded:
        if before is None:
            del own[name]
        else:
            own[name] = before
