"""Runs to look at, one Chromium for all tests, and a tab in a profile of its own for those of a file."""

import os
import threading
from contextlib import contextmanager

import pytest

pytest.importorskip("uvicorn")
pytest.importorskip("starlette")

from nissl.apps.server import prepared
from nissl.testing.specimens import specimen
from tests.browser import chromium


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item):
    """A skipped test of the page has failed where none may be: NISSL_WHOLE says so."""
    report = yield
    if report.skipped and os.environ.get("NISSL_WHOLE"):
        report.outcome, report.longrepr = "failed", f"skipped, and NISSL_WHOLE lets none be: {report.longrepr[2]}"
    return report


@pytest.fixture(scope="session")
def browser():
    if chromium.executable() is None:
        pytest.skip(chromium.INSTALL)
    with chromium.page() as opened:
        yield opened


@pytest.fixture(scope="module")
def tab(browser):
    browser.renew()
    browser.size(1200, 800)
    return browser


def leave(tab):
    """What a page still asks for when its server ends is a complaint of the browser's, not the page's fault."""
    tab.go("about:blank")
    tab.until("location.href === 'about:blank'")


@contextmanager
def address_of(trace, tab=None, **options):
    """Where its page is; `tab` leaves it before the server ends."""
    server, held, address, _ = prepared(trace, **options)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [held]}, daemon=True)
    thread.start()
    try:
        yield address
    finally:
        if tab is not None:
            leave(tab)
        server.should_exit = True
        thread.join(10)
        held.close()


@pytest.fixture(scope="module")
def followed():
    with address_of(specimen("followed")) as address:
        yield address


@pytest.fixture
def quiet(tab):
    """Whatever the test does, no script may fail, and nothing that the policy forbids may be tried."""
    tab.go("about:blank")
    tab.js("1")
    tab.events.clear()
    tab.size(1000, 700)
    tab.prefer(color_scheme="light")
    yield tab
    assert tab.complaints() == []


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch):
    """A browser that is told of a proxy would ask it for this machine's own pages."""
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)
