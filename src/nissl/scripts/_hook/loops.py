"""Training loops that a library runs: its own callback of ours is added for the time of one training."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from nissl import plugins
from nissl.core.loop import Loop
from nissl.core.session import Session
from nissl.errors import NisslError, listing
from nissl.scripts._hook.labels import Labels


@contextmanager
def recorded(session: Session, library: str, present: Iterable[Any], **options: Any) -> Iterator[list[Any]]:
    """The callbacks to add to those that are present: ours, or none where the script has one, or records already."""
    try:
        kind: type[Loop] = plugins.load("callbacks", library)
    except ImportError as error:
        session.fail(f"{library} cannot be recorded here: {error}")
        kind = Loop
    if kind is Loop or not session.free or any(isinstance(callback, kind) for callback in present):
        with session.run_by(library):
            yield []
        return
    asked, path = session.asked, session.place()
    if asked.labels is not None and library != "keras":
        options["labels"] = Labels(asked.labels).batch
    callback = safe(kind, session)(path, **session.options | options)
    if asked.epoch_steps:
        session.say(f"--epoch-steps is left out: {library} counts the epochs")
    with session.run_by(library, path):
        try:
            yield [callback]
        except BaseException as error:
            callback.stop(error)
            raise
        callback.stop()
    if callback.told is not None:
        session.say(f"epochs {listing(callback.trace.epochs)} are in {path}")


def safe(kind: type[Loop], session: Session) -> type[Any]:
    """The same callback, so that what fails in it ends the recording and not the script; and it says what it records."""

    def guarded(name: str) -> Callable[..., Any]:
        def method(self: Any, *given: Any, **named: Any) -> Any:
            if name != "start" and not self.recording:
                return None
            try:
                found = getattr(super(made, self), name)(*given, **named)
            except Exception as error:  # noqa: BLE001 - the same
                known = isinstance(error, NisslError)
                session.fail(f"recording ends here: {error if known else f'{type(error).__name__}: {error}'}")
                self.stop(error)
                return None
            if name == "start":
                self.told = _report(session, self.path, given[0], kind.__name__)
            return found

        return method

    names = ("start", "begin_epoch", "step", "pause", "end_epoch")
    made: type[Any] = type(kind.__name__, (kind,), {name: guarded(name) for name in names} | {"told": None})
    return made


def _report(session: Session, path: Any, model: Any, library: str) -> str:
    session.say(
        f"recording into {path} what {library} trains: {type(model).__name__}; epochs and labels as {library} has them"
    )
    return str(path)
