"""One writer at a time: a lock that the operating system lets go of when its holder dies."""

import json
import os
import socket
import weakref
from pathlib import Path

from nissl.errors import TraceBusy


class Lock:
    """Held from construction to `release`. The file stays; only the lock on it counts."""

    def __init__(self, path: Path):
        self._handle: int | None = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o666)
        try:
            _acquire(self._handle)
        except BlockingIOError:
            holder = _holder(self._handle)
            self.release()
            raise TraceBusy(
                f"{path.parent}: another process writes this trace: {holder}. Wait for it, stop it, or choose another path."
            ) from None
        except BaseException:
            self.release()
            raise
        os.ftruncate(self._handle, 0)
        os.lseek(self._handle, 0, os.SEEK_SET)
        os.write(self._handle, json.dumps({"pid": os.getpid(), "host": socket.gethostname()}).encode())
        if hasattr(os, "register_at_fork"):  # a forked child shares the lock: it must not keep it when we die
            mine = weakref.ref(self)
            os.register_at_fork(after_in_child=lambda: _forget(mine))

    @property
    def held(self) -> bool:
        return self._handle is not None

    def assure(self) -> None:
        """Nobody can take it from us."""

    def release(self) -> None:
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None


def _forget(lock: "weakref.ref[Lock]") -> None:
    mine = lock()
    if mine is not None:
        mine.release()


def _acquire(handle: int) -> None:
    if os.name == "nt":
        import msvcrt

        try:  # a byte far behind the text, so that others may read who holds the lock
            os.lseek(handle, 1 << 20, os.SEEK_SET)
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined, unused-ignore]
        except OSError:
            raise BlockingIOError from None
    else:
        import fcntl

        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _holder(handle: int) -> str:
    try:
        os.lseek(handle, 0, os.SEEK_SET)
        said = json.loads(os.read(handle, 4096))
        return f"process {int(said['pid'])} on {str(said['host'])[:200]}"
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return "process unknown"
