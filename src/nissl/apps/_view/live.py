"""`live`: a stream of events (SSE) that says as soon as a trace has grown or was closed."""

import json
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from threading import Lock

import anyio
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from nissl.core.trace import Trace
from nissl.errors import NisslError

PAUSE, ELSEWHERE, QUIET = 0.25, 2.0, 15.0
"""Seconds between two looks at a folder, and at an object store; after how many without news a line shows that we are here."""


class Live:
    """Of one trace, for any number of pages: however many listen, one looks."""

    def __init__(self, trace: Trace, ended: Callable[[], bool]):
        self.trace, self.ended = trace, ended
        self.listening = 0
        self.pause = PAUSE if isinstance(getattr(trace.store, "path", None), Path) else ELSEWHERE
        self._lock, self._looked, self._seen = Lock(), 0.0, ("", False)

    def heard(self, _: Request) -> Response:
        """The stream, as a server hands it out."""
        return StreamingResponse(self.events(), media_type="text/event-stream")

    async def events(self) -> AsyncIterator[str]:
        """What there is, and again whenever it is more; ends with the recording, the server, or the page that listens."""
        told, last = "", time.monotonic()
        self.listening += 1
        try:
            while not self.ended():
                now, closed = await run_in_threadpool(self._look)
                if now != told or time.monotonic() - last > QUIET:
                    yield f"data: {now}\n\n" if now != told else ": here\n\n"
                    told, last = now, time.monotonic()
                if closed:
                    return
                await anyio.sleep(self.pause)
        except (NisslError, OSError):
            return  # whoever listens asks for the index next, and is told there
        finally:
            self.listening -= 1

    def _look(self) -> tuple[str, bool]:
        with self._lock:
            if time.monotonic() - self._looked > 0.8 * self.pause:
                closed, epochs = self.trace.closed, self.trace.epochs
                said = {"epochs": len(epochs), "last": epochs[-1] if epochs else None, "closed": closed}
                self._seen, self._looked = (json.dumps(said), closed), time.monotonic()
            return self._seen
