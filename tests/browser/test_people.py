"""Every view for everybody: without serious findings of axe-core, by keys alone, on a phone, and of a trace that means harm."""

from pathlib import Path

import numpy as np
import pytest

from nissl.core.store import Record
from nissl.core.trace import Trace
from nissl.testing.specimens import chain, trace
from tests.browser.conftest import address_of
from tests.browser.test_odd import HOSTILE

AXE = Path(__file__).parents[2] / "web" / "node_modules" / "axe-core" / "axe.min.js"
VIEWS = "[...document.querySelectorAll('nav.views button')].map(one => one.innerText.toLowerCase())"
READY = "nissl.look.phase === 'ready' && !nissl.look.loading && !!document.querySelector('section.view h1')?.innerText"
AUDIT = """axe.run(document, {resultTypes: ['violations']}).then(found => found.violations
    .filter(one => ['serious', 'critical'].includes(one.impact))
    .flatMap(one => one.nodes.map(node => `${one.id}: ${node.html.slice(0, 160)} (${(node.any[0] ?? node.all[0] ?? node.none[0])?.message ?? ''})`)))"""


def opened(tab, address, hash_=""):
    tab.go("about:blank")
    tab.go(f"{address}#/{hash_}")
    tab.until(READY)
    return tab.js(VIEWS)


def shown(tab, view):
    """The view, once it has said what it shows."""
    tab.js(f"nissl.look.view = '{view}'")
    tab.until(f"nissl.look.view === '{view}' && {READY}")
    tab.js("new Promise(done => setTimeout(done, 150))")


@pytest.mark.parametrize("lamp", ["bright", "dark"])
def test_no_serious_findings_in_any_view(quiet, followed, lamp):
    if not AXE.exists():
        pytest.skip("no axe-core is here: npm --prefix web install")
    views = opened(quiet, followed, f"e5/hidden_1/n3?stain=0,4&lamp={lamp}")
    assert len(views) >= 8
    quiet.js(AXE.read_text() + ";1")
    found = {}
    for view in views:
        shown(quiet, view)
        found |= {view: said} if (said := quiet.js(AUDIT)) else {}
    for key in ("?", "/", "e"):
        quiet.key(key)
        quiet.until("!!document.querySelector('dialog')?.open")
        found |= {key: said} if (said := quiet.js(AUDIT)) else {}
        quiet.js("document.querySelector('dialog').close()")
        quiet.until("!document.querySelector('dialog')")
    assert found == {}


def test_a_tour_by_keys(quiet, followed):
    views = opened(quiet, followed, "e5")
    seen = []
    for _ in views:
        seen.append(quiet.js("nissl.look.view"))
        quiet.key("v")
        quiet.until(READY)
    assert seen == views
    quiet.until("nissl.look.view === 'pathways'")
    for key, then in (
        ("]", "nissl.look.picked.slide === 0"), (".", "nissl.look.picked.slide === 0"), ("Enter", "nissl.look.view === 'neuron'"),
        ("ArrowLeft", "nissl.look.epoch === 2"), ("Home", "nissl.look.epoch === 0"), ("End", "nissl.look.epoch === 5"),
        ("Escape", "nissl.look.view === 'pathways'"), ("d", "document.documentElement.dataset.lamp === 'dark'"),
        ("3", "!nissl.look.stains.includes(3)"), ("\\", "nissl.look.stains.length === 0"), ("\\", "nissl.look.stains.length > 0"),
        ("l", "nissl.look.looping"), ("?", "document.querySelector('dialog')?.open"),
    ):  # fmt: skip
        quiet.key(key)
        quiet.until(f"!!({then})")
    listed = quiet.js("[...document.querySelectorAll('dialog kbd')].map(one => one.innerText)")
    assert {"E", "/", "F", "S", "?"} <= set(listed)


def test_every_view_is_readable_on_a_phone(quiet, followed):
    quiet.size(360, 740)
    wide = {}
    for view in opened(quiet, followed, "e5/hidden_1/n3?stain=0,4"):
        shown(quiet, view)
        if (over := quiet.js("document.documentElement.scrollWidth - innerWidth")) > 0:
            wide[view] = over
    assert wide == {}


def hostile():
    """Names that are markup, numbers that are none or too large, epochs that lack arrays."""
    layers = chain(12, 10)
    odd = [layers[0].__class__(**vars(layers[0]) | {"name": HOSTILE[0]})]
    odd.append(layers[1].__class__(**vars(layers[1]) | {"name": HOSTILE[2], "inputs": (HOSTILE[0],)}))
    made = trace(odd, HOSTILE, (0, 1, 2), followed=(0, 1, 2))
    keys = list(made.store.specs)
    entries = {spec.key: spec for spec in made.store.specs.values()}
    extreme = {}
    for place, key in enumerate(keys):
        shape = entries[key].shape
        values = np.full(shape, (np.nan, np.inf, -np.inf, 1e38)[place % 4])
        if np.issubdtype(np.dtype(entries[key].dtype), np.floating):
            extreme[key] = values
    made.store.reopen()
    made.store.append(Record(3, extreme, {"loss": float("nan"), "accuracy": 1e308}))
    made.store.append(Record(4, {}, {"loss": 1.0}))
    return Trace(made.store)


def test_a_trace_that_means_harm_does_none_in_any_view(tab):
    tab.events.clear()
    with address_of(hostile(), tab) as address:
        for epoch in (1, 3, 4):
            for view in opened(tab, address, f"e{epoch}/{HOSTILE[0].replace('/', '%2F')}/n3"):
                tab.js(f"nissl.look.view = '{view}'")
                tab.until(
                    f"nissl.look.view === '{view}' && !nissl.look.loading && !!document.querySelector('main h1, main .trouble')?.innerText"
                )
                assert tab.js("document.querySelectorAll('img[onerror], #nissl script, iframe').length") == 0, view
                assert tab.js("document.title").endswith("nissl")
        said = [one for one in tab.complaints() if not one.startswith("Failed to load resource")]
        assert said == [], "what cannot be made is told in words"
