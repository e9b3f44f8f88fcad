"""The page without a server: `report` is one HTML file that opens from disk, `site` a folder for any web host."""

import base64
import hashlib
import html
import os
import re
import shutil
from pathlib import Path

from nissl.apps._view.assets import assets
from nissl.apps.server import compared, trace_name, where
from nissl.core.trace import Trace
from nissl.core.trace import open as opened
from nissl.errors import BadValue, NotHeard
from nissl.studies._feed.structures import saved
from nissl.studies.alive import alive
from nissl.studies.feed import Feed

SHELL = "index.html"
TITLE = "<title>nissl</title>"
FONTS, STYLE = '<link rel="stylesheet" href="fonts.css" />', '<link rel="stylesheet" href="app.css" />'
SCRIPT = '<script src="app.js" defer></script>'
"""Lines of the page that a report has written out; it does without the fonts, which would double it."""


def report(run: str | Path | Trace, out: str | Path, *, beside: str | Path | Trace | None = None) -> Path:
    """Every epoch of a trace in one HTML file, which asks nothing of any network; `beside`: another run, compared with it."""
    target = Path(out)
    if target.suffix.lower() not in (".html", ".htm"):
        raise BadValue(f"{out}: a report ends in .html.")
    feed = _feed(run, beside)
    files = assets()
    style, script = _written(files["app.css"].read_text()), _written(files["app.js"].read_text())
    inlined = "".join(
        f'<script type="application/x-nissl" data-name="{name}">{base64.b64encode(feed.file(name)).decode()}</script>\n'
        for name in feed.names()
    )
    policy = f"default-src 'none'; script-src {_hash(script)}; style-src {_hash(style)}; img-src data: blob:"
    titled = f'<meta http-equiv="Content-Security-Policy" content="{policy}" />\n    <title>{html.escape(feed.name)} · nissl</title>'
    page = files[SHELL].read_text()
    for line, instead in (
        (TITLE, titled), (FONTS, ""), (STYLE, f"<style>{style}</style>"), (SCRIPT, ""),
        ("</body>", f"{inlined}<script>{script}</script>\n  </body>"),
    ):  # fmt: skip
        if line not in page:
            raise BadValue(f"The built page {files[SHELL]} has no line {line}: build it anew with `make web`.")
        page = page.replace(line, instead, 1)
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f"{target.name}.{os.getpid()}.part")
    try:
        part.write_text(page, encoding="utf-8")
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
    return target


def site(run: str | Path | Trace, out: str | Path | None = None, *, beside: str | Path | Trace | None = None) -> Path:
    """Every epoch of a trace as a folder that any web host can hand out; None: beside the trace. Nothing is overwritten.

    `beside`: another run, to be compared with.
    """
    feed = _feed(run, beside)
    home = getattr(feed.trace.store, "path", None)
    target = Path(out) if out is not None else (home.parent if isinstance(home, Path) else Path()) / f"{feed.name}.site"
    if target.exists():
        raise BadValue(f"There is something at {target} already: name another place with out.")
    part = target.with_name(f"{target.name}.{os.getpid()}.part")
    try:
        for name in feed.names():
            file = part / "data" / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(feed.file(name))
        for name, asset in assets().items():
            shutil.copyfile(asset, part / name)
        part.replace(target)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return target


def _feed(run: str | Path | Trace, beside: str | Path | Trace | None = None) -> Feed:
    trace = run if isinstance(run, Trace) else opened(run)
    if not trace.epochs:
        raise NotHeard("The trace holds no epoch yet: there is nothing to show. Look again after its first commit.")
    at = where(trace)
    return Feed(trace, trace_name(run, trace), alive(trace, at), saved=saved(at), beside=compared(beside))


def _written(text: str) -> str:
    """A script or style as it may stand within a page: what would end it there, or hide its end, is written otherwise."""
    return re.sub(r"<(?=!--|/?script|/style)", r"\\x3c", text, flags=re.IGNORECASE)


def _hash(text: str) -> str:
    """By which a browser knows the one script, or style, that may count."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
