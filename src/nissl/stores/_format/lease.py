"""One writer at a time where nothing tells when its holder dies: a lease that has to be renewed."""

import json
import os
import secrets
import socket
import threading
import time
from collections.abc import Callable
from typing import Any, Literal

from nissl.errors import TraceBusy
from nissl.stores._format.place import Identity, Place

TICK = 1.0  # seconds by which the store's time may be rounded down
Version = tuple[str | None, str | None]
"""Of an object: its ETag and, where there is one, the number of its version."""
Put = Callable[[str, bytes, Version | Literal["create"]], Version]
Get = Callable[[str], tuple[bytes, Identity]]


class Lease:
    """Held from construction to `release`, as long as it is renewed; whoever finds it run out may take it.

    It runs out `seconds` after the store's own time of its last renewal. Each renewal must follow our last one, so that
    who lost it finds out.
    """

    def __init__(self, put: Put, get: Get, root: str, seconds: float):
        self._put, self._get, self._root, self._seconds = put, get, root, seconds
        self._token, self._count = secrets.token_hex(16), 0
        self._mutex, self._released = threading.Lock(), threading.Event()
        self._lost = False
        self._version: Version
        self._take()
        self._process = os.getpid()
        threading.Thread(target=self._run, name=f"nissl holds {root}", daemon=True).start()

    @property
    def held(self) -> bool:
        return not self._released.is_set()

    def assure(self) -> None:
        if not self._lost and max(now - then for now, then in zip(_clocks(), self._since, strict=True)) > self._seconds:
            self._renew()
        if self._lost:
            raise TraceBusy(
                f"{self._root}: {self._holder()} has taken over this trace; this process writes no more of it."
            )

    def release(self) -> None:
        if self._released.is_set() or os.getpid() != self._process:
            return
        self._released.set()
        with self._mutex:
            if not self._lost:
                self._write(-TICK, self._version)

    def _take(self) -> None:
        """Become the holder; TraceBusy if there is one."""
        after: Version | Literal["create"] = "create"
        try:
            data, who = self._get(Place.lock_name)
        except FileNotFoundError:
            pass
        else:
            said, after = _said(data), who[0]
            left = who[2] / 1e9 + TICK + float(said.get("seconds", -TICK)) - time.time()
            if left > 0:
                raise TraceBusy(
                    f"{self._root}: another process writes this trace: {_named(said)}. Stop it or choose another path; if it is "
                    f"dead already, its claim ends in {left:.0f} s."
                )
        try:
            self._write(self._seconds, after)
        except FileExistsError:
            raise TraceBusy(
                f"{self._root}: another process has just begun to write this trace: {self._holder()}."
            ) from None

    def _run(self) -> None:
        while not self._released.wait(self._seconds / 3) and not self._lost:
            try:
                self._renew()
            except OSError:  # the network; `assure` will say so if it lasts
                continue

    def _renew(self) -> None:
        with self._mutex:
            if self._released.is_set():
                return
            try:
                self._write(self._seconds, self._version)
            except (FileExistsError, FileNotFoundError):
                self._lost = True

    def _write(self, seconds: float, after: Version | Literal["create"]) -> None:
        """Say that it is ours, after what was said last; FileExistsError if somebody else has said something meanwhile."""
        since = _clocks()
        self._count += 1  # so that every renewal has an ETag of its own
        mine = {"pid": os.getpid(), "host": socket.gethostname(), "token": self._token, "seconds": seconds}
        try:
            self._version = self._put(Place.lock_name, json.dumps(mine | {"count": self._count}).encode(), after)
        except FileExistsError:
            data, who = self._get(Place.lock_name)
            if _said(data).get("token") != self._token:
                raise
            self._version = who[0]  # ours: its answer was lost on the way
        self._since = since

    def _holder(self) -> str:
        try:
            return _named(_said(self._get(Place.lock_name)[0]))
        except OSError:
            return "another process"


def _clocks() -> tuple[float, float]:
    """One is never set back, the other goes on while the machine sleeps."""
    return time.monotonic(), time.time()


def _said(data: bytes) -> dict[str, Any]:
    try:
        said = json.loads(data)
    except (ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}


def _named(said: dict[str, Any]) -> str:
    return f"process {str(said.get('pid', 'unknown'))[:20]} on {str(said.get('host', 'unknown'))[:200]}"
