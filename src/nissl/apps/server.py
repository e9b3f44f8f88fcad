"""`view`: the microscope in a browser, on this machine's own address."""

import os
import secrets
import socket
import sys
import webbrowser
from collections.abc import Sequence
from pathlib import Path
from threading import Timer
from typing import Any

from nissl.core.outlook import Outlook
from nissl.core.trace import Trace
from nissl.core.trace import open as opened
from nissl.errors import BadValue, MissingDependency
from nissl.studies._feed.structures import named, saved
from nissl.studies.alive import alive
from nissl.studies.feed import Feed


def view(
    run: str | Path | Trace, at: str = "", *, port: int | None = None, browser: bool = True, model: Any = None,
    data: Any = None, structure: Sequence[str | Path] = (), beside: str | Path | Trace | None = None,
) -> None:  # fmt: skip
    """Print the page's address, open it, and hand it out until interrupted.

    `at`: the address in the trace that it opens at, "e30/hidden_1/n20?stain=3,8"; left out: the last epoch.
    `port`: None for any that is free. Only this machine is answered, and only who has the key that is part of the address.
    `model`, `data`: the network that was recorded, and examples, themselves or as FILE.py:NAME, to cut units from the page and
    see what it costs; a run of `nissl train` knows its own. `structure`: files of `Structure.save` or folders of them, to be shown beside
    those that lie in structures/RUN beside the trace. `beside`: another run, to be compared with.
    """
    Outlook.of(at)
    server, held, address, trace = prepared(run, port, model=model, data=data, structure=structure, beside=beside)
    address += f"#/{at.lstrip('#/')}" if at else ""
    name, count = trace_name(run, trace), len(trace.epochs)
    print(
        f"{name}, {count} epoch{'s' * (count != 1)}{'' if trace.closed else ', still recorded'}: {address}", flush=True
    )
    shown = browser and _screen()
    why = "" if shown or not browser else " No screen was found: open it yourself, from elsewhere through ssh -L."
    print(f"Ctrl-C ends it.{why}", flush=True)
    if shown:
        opening = Timer(0.3, webbrowser.open, [address])
        opening.daemon = True
        opening.start()
    try:
        server.run(sockets=[held])
    except KeyboardInterrupt:
        return
    finally:
        held.close()


def prepared(
    run: str | Path | Trace, port: int | None = None, *, model: Any = None, data: Any = None,
    structure: Sequence[str | Path] = (), beside: str | Path | Trace | None = None,
) -> tuple[Any, socket.socket, str, Trace]:  # fmt: skip
    """The server, the socket that it is to listen on, the page's address, and the trace."""
    try:
        import uvicorn

        from nissl.apps._view.application import application
    except ImportError as error:
        raise MissingDependency("The page needs starlette and uvicorn: pip install 'nissl[view]'") from error
    trace = run if isinstance(run, Trace) else opened(run)
    seen = shown(run, trace, model, data, structure, beside)
    held = _bound(port)
    key = secrets.token_urlsafe(18)
    app = application(Feed(**seen, live=True, asked=True), key, _folder(trace), lambda: server.should_exit)
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False, lifespan="off", ws="none"))
    return server, held, f"http://127.0.0.1:{held.getsockname()[1]}/{key}/", trace


def shown(
    run: str | Path | Trace, trace: Trace, model: Any, data: Any, structure: Sequence[str | Path],
    beside: str | Path | Trace | None,
) -> dict[str, Any]:  # fmt: skip
    """What a feed is made of, from what `view` takes."""
    at = where(trace)
    return {
        "trace": trace, "name": trace_name(run, trace), "network": alive(trace, at, model, data),
        "saved": [*saved(at), *named(structure)], "beside": compared(beside),
    }  # fmt: skip


def compared(other: str | Path | Trace | None) -> tuple[str, Trace] | None:
    """Another run's name and trace."""
    if other is None:
        return None
    trace = other if isinstance(other, Trace) else opened(other)
    if not trace.epochs:
        raise BadValue(f"beside={other!r}: that trace holds no epoch yet, so there is nothing to compare with.")
    return trace_name(other, trace), trace


def trace_name(run: str | Path | Trace, trace: Trace) -> str:
    """What people call it: its folder's name."""
    given = getattr(trace.store, "path", "run") if isinstance(run, Trace) else run
    return str(given).rstrip("/\\").replace("\\", "/").rpartition("/")[2] or "run"


def where(trace: Trace) -> str:
    """Its folder or address; empty for a trace in memory."""
    path = getattr(trace.store, "path", "")
    return str(path) if isinstance(path, Path) or "://" in str(path) else ""


def _folder(trace: Trace) -> Path | None:
    path = getattr(trace.store, "path", None)
    return path.absolute() if isinstance(path, Path) else None


def _bound(port: int | None) -> socket.socket:
    if port is not None and not 0 <= port < 65536:
        raise BadValue(f"port={port}: a number up to 65535; left out, any that is free.")
    held = socket.socket()
    if sys.platform != "win32":
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        held.bind(("127.0.0.1", port or 0))
        held.listen(128)
    except OSError as error:
        held.close()
        raise BadValue(f"port={port} cannot be had ({error.strerror}): name another, or leave it out.") from error
    return held


def _screen() -> bool:
    """Is there a screen to open a browser on, and not a terminal alone?"""
    return sys.platform in ("win32", "darwin") or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
