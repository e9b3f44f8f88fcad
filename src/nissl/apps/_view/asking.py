"""Questions that a page posts to the live network: who may ask, how much, one after another, told how far the answer is."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from queue import SimpleQueue
from threading import Lock, Thread
from typing import Any

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from nissl.core.progress import sparing
from nissl.errors import NisslError
from nissl.studies.bench import Bench

LARGEST = 2**20
"""Bytes of a question."""
WAITING = 16
"""So many may wait for their turn."""
PATIENCE = 0.5
"""Seconds after which it is looked whether anybody still listens."""
ABSENT = (
    "The network is not here, only what was recorded of it: end this, and open the run by "
    "`nissl view RUN --model FILE.py:NAME --data FILE.py:NAME`."
)
ELSEWHERE = "Questions are taken from this page alone."
NO_JSON = "A question is a JSON object, sent as application/json."


class Left(Exception):
    """Nobody waits for this answer any more."""


class Job:
    """One question on its way; its news go to the loop that it came from."""

    def __init__(self, kind: str, question: Mapping[str, Any]):
        self.kind, self.question, self.left = kind, question, False
        self.news: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._loop = asyncio.get_running_loop()
        self._share = sparing(lambda share: self.tell(share=share))

    def tell(self, **said: Any) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self.news.put_nowait, said)

    def tick(self, share: float) -> None:
        if self.left:
            raise Left
        self._share(share)


class Desk:
    """A thread that takes one question after another to the bench."""

    def __init__(self, bench: Bench):
        self.bench = bench
        self._waiting: SimpleQueue[Job] = SimpleQueue()
        self._lock, self._thread = Lock(), None  # type: Lock, Thread | None

    async def ask(self, request: Request) -> Response:
        """What answers a request: lines of JSON, {share} while it is worked on, then {answer} or {error}."""
        refused = _refused(request)
        if refused is not None:
            return refused
        try:
            question = json.loads(await _body(request))
        except (ValueError, RecursionError):
            return JSONResponse({"error": NO_JSON}, 400)
        except _TooLong:
            return JSONResponse({"error": f"A question has at most {LARGEST:,} bytes."}, 413)
        except ClientDisconnect:
            return Response(status_code=400)
        if not isinstance(question, dict):
            return JSONResponse({"error": NO_JSON}, 400)
        if self._waiting.qsize() >= WAITING:
            return JSONResponse({"error": "Too many questions wait for their answers: ask again in a while."}, 503)
        job = Job(request.path_params["kind"], question)
        self._begun()
        self._waiting.put(job)
        return StreamingResponse(_told(job, request), media_type="application/x-ndjson")

    def _begun(self) -> None:
        with self._lock:
            if self._thread is None:
                self._thread = Thread(target=self._work, name="nissl bench", daemon=True)
                self._thread.start()

    def _work(self) -> None:
        while True:
            job = self._waiting.get()
            if job.left:
                continue
            try:
                job.tell(answer=self.bench.answer(job.kind, job.question, job.tick))
            except Left:
                continue
            except NisslError as error:
                job.tell(error=str(error))
            except Exception as error:  # noqa: BLE001 - of a user's own network: the page says what it was
                job.tell(error=f"{type(error).__name__}: {error}")


async def absent(_: Request) -> Response:
    """What is said where there is no network to ask."""
    return JSONResponse({"error": ABSENT}, 409)


async def _told(job: Job, request: Request) -> AsyncIterator[bytes]:
    try:
        while True:
            try:
                said = await asyncio.wait_for(job.news.get(), PATIENCE)
            except TimeoutError:
                if await request.is_disconnected():
                    return
                continue
            yield json.dumps(said, allow_nan=False).encode() + b"\n"
            if "share" not in said:
                return
    finally:
        job.left = True


def _refused(request: Request) -> Response | None:
    """A page of another origin can neither ask nor, since only JSON is taken, ask without being asked for leave first."""
    origin, site = request.headers.get("origin"), request.headers.get("sec-fetch-site", "same-origin")
    if (origin is not None and origin != f"http://{request.headers['host']}") or site not in ("same-origin", "none"):
        return JSONResponse({"error": ELSEWHERE}, 403)
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        return JSONResponse({"error": NO_JSON}, 415)
    return None


class _TooLong(Exception):
    pass


async def _body(request: Request) -> bytes:
    found = b""
    async for part in request.stream():
        found += part
        if len(found) > LARGEST:
            raise _TooLong
    return found
