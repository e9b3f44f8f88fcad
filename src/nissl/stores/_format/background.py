"""Threads that work behind training: of low priority, never in its way, and never its end."""

import os
import sys
import threading
import time
import warnings
from collections.abc import Callable

from nissl.errors import NisslWarning

PAUSE = 10.0  # seconds before what failed is tried again
QUICK, SLOW = 0.02, 0.5  # seconds between two looks for what others do: more and more, while nothing comes
NICENESS = 10


class Background:
    """Calls `work` whenever nudged, as long as that says that it has done something; and again while `owed` says so.

    `failed` is what a warning says when it cannot be done.
    """

    def __init__(self, work: Callable[[], bool], name: str, failed: str, owed: Callable[[], bool] = lambda: False):
        self._work, self._failed, self._owed = work, failed, owed
        self._nudged, self._stopped = threading.Event(), False
        self._thread = threading.Thread(target=self._run, name=f"nissl {name}", daemon=True)
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
        again, pause = 0.0, QUICK
        while not self._stopped:
            if self._nudged.wait(pause if self._owed() else None):
                pause = QUICK
            self._nudged.clear()
            if time.monotonic() < again:
                continue
            try:
                while not self._stopped and self._work():
                    pause = QUICK
            except Exception as error:  # noqa: BLE001 - whatever it is, the training goes on
                again = time.monotonic() + PAUSE
                self._warn(error)
            pause = min(pause * 1.5, SLOW)

    def _warn(self, error: Exception) -> None:
        message = f"nissl: {self._failed}: {type(error).__name__}: {error}. It is tried again later."
        try:
            warnings.warn(message, NisslWarning, stacklevel=2)
        except NisslWarning:  # a filter makes errors of warnings; here nobody could catch one
            sys.stderr.write(message + "\n")


def _step_back() -> None:
    """Leave the processor to whoever trains; on Linux every thread has a priority of its own."""
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
