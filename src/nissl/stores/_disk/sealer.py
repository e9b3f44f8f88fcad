"""The thread that seals: of low priority, never in the training's way, and never its end."""

import os
import sys
import threading
import time
import warnings
from collections.abc import Callable
from pathlib import Path

from nissl.errors import NisslWarning

PAUSE = 10.0  # seconds before what failed is tried again
NICENESS = 10


class Sealer:
    """Calls `work` whenever nudged, as long as that says that it has done something."""

    def __init__(self, work: Callable[[], bool], path: Path):
        self._work, self._path = work, path
        self._nudged, self._stopped = threading.Event(), False
        self._thread = threading.Thread(target=self._run, name=f"nissl seals {path.name}", daemon=True)
        self._thread.start()

    def nudge(self) -> None:
        self._nudged.set()

    def stop(self) -> None:
        """Let it finish what it is doing, and end it."""
        self._stopped = True
        self._nudged.set()
        self._thread.join()

    def _run(self) -> None:
        _step_back()
        again = 0.0
        while not self._stopped:
            self._nudged.wait()
            self._nudged.clear()
            if time.monotonic() < again:
                continue
            try:
                while not self._stopped and self._work():
                    pass
            except Exception as error:  # noqa: BLE001 - whatever it is, the training goes on
                again = time.monotonic() + PAUSE
                self._warn(error)

    def _warn(self, error: Exception) -> None:
        message = (
            f"nissl: epochs of {self._path} could not be sealed: {type(error).__name__}: {error}. They stay readable as they "
            "are; it is tried again later."
        )
        try:
            warnings.warn(message, NisslWarning, stacklevel=2)
        except NisslWarning:  # a filter makes errors of warnings; here nobody could catch one
            sys.stderr.write(message + "\n")


def _step_back() -> None:
    """Leave the processor to whoever trains; on Linux every thread has a priority of its own."""
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
