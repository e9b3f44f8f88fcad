"""What answers a browser: the page, what it reads of one trace, the trace's own files; for those who have the key, on this machine."""

import hmac
import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import (
    FileResponse,
    JSONResponse,
    PlainTextResponse,
    RedirectResponse,
    Response,
)
from starlette.routing import Route

from nissl.apps._view.asking import Desk, absent
from nissl.apps._view.assets import TYPES, assets
from nissl.apps._view.live import Live
from nissl.apps._view.made import Made
from nissl.errors import NisslError, UnknownKey
from nissl.studies.bench import Bench
from nissl.studies.feed import Feed

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
    "font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
KEYLESS = "This address lacks its key: open the link that `nissl view` printed, whole."
ELSEWHERE = "This page is for the machine that it runs on: open it as http://127.0.0.1 or http://localhost."


def application(feed: Feed, key: str, root: Path | None, ended: Callable[[], bool]) -> Starlette:
    """All of it under /KEY/; `root`: the trace's folder, whose files may be read as they are, whole or by Range.

    `ended`: is the server to stop? Streams that are open then end by themselves.
    """
    made, page, live = Made(feed), assets(), Live(feed.trace, ended)

    def own(request: Request) -> Response:
        name = request.path_params.get("name", "index.html")
        return FileResponse(page[name], media_type=TYPES[page[name].suffix]) if name in page else _nothing(name)

    def data(request: Request) -> Response:
        name = request.path_params["name"]
        try:
            return Response(made.file(name), media_type=TYPES[Path(name).suffix])
        except (UnknownKey, KeyError) as error:
            return JSONResponse({"error": str(error)}, 404)
        except NisslError as error:
            return JSONResponse({"error": str(error)}, 422)

    def raw(request: Request) -> Response:
        name = request.path_params["name"]
        file = inside(root, name)
        return FileResponse(file, media_type="application/octet-stream") if file else _nothing(name)

    ask = Desk(Bench(feed.stage)).ask if feed.stage.alive else absent
    routes = [
        Route(f"/{key}", RedirectResponse(f"/{key}/", 307)),
        Route(f"/{key}/data/{{name:path}}", data),
        Route(f"/{key}/ask/{{kind}}", ask, methods=["POST"]),
        Route(f"/{key}/run/{{name:path}}", raw),
        Route(f"/{key}/live", live.heard),
        Route(f"/{key}/", own),
        Route(f"/{key}/{{name}}", own),
    ]
    app = Starlette(routes=routes)
    app.state.live = live
    app.add_middleware(Guarded, key=key)
    return app


def inside(root: Path | None, name: str) -> Path | None:
    """The file of that name in the folder; None where there is none, or the name, or a link, leads out of it."""
    if root is None or "\0" in name or "\\" in name:
        return None
    try:
        file = (root / name).resolve()
        return file if file.is_file() and file.is_relative_to(root.resolve()) else None
    except OSError:
        return None


def _nothing(name: str) -> Response:
    return PlainTextResponse(f"There is no {name!r} here.", 404)


class Guarded:
    """Refuses who asks by another host's name (a page elsewhere that points its own name at us) or without the key."""

    def __init__(self, app: Any, key: str):
        self.app, self.key = app, key

    async def __call__(self, scope: Any, receive: Any, send: Callable[[Any], Awaitable[None]]) -> None:
        if scope["type"] != "http":
            return

        async def guarded(message: Any) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [
                    *message["headers"],
                    *((k.lower().encode(), v.encode()) for k, v in HEADERS.items()),
                ]
            await send(message)

        refused = self._refused(scope)
        await (PlainTextResponse(refused, 403) if refused else self.app)(scope, receive, guarded)

    def _refused(self, scope: Any) -> str:
        hosts = [value.decode("latin-1") for name, value in scope["headers"] if name == b"host"]
        if len(hosts) != 1 or not re.fullmatch(r"(127\.0\.0\.1|localhost|\[::1\])(:\d+)?", hosts[0], re.IGNORECASE):
            return ELSEWHERE
        given = scope["path"].removeprefix("/").partition("/")[0]
        return "" if hmac.compare_digest(given.encode(), self.key.encode()) else KEYLESS
