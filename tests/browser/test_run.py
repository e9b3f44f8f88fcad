"""The run in a real browser: the trace's own scalars, what changed on request, a click that leads there."""

import numpy as np
import pytest

from nissl.studies.changes import changes
from nissl.testing.specimens import specimen
from tests.browser.conftest import address_of

READY = "document.querySelector('section[aria-label=Run]') && !document.querySelector('.foot[role=status]')"


def values(tab):
    return tab.js(
        "Object.fromEntries([...document.querySelectorAll('.chart')].map(one => [one.querySelector('b').innerText,"
        "[...one.querySelectorAll('.value')].map(v => v.innerText)]))"
    )


def read(text):
    return np.nan if text == "–" else float(text.removesuffix(" %")) / (100 if "%" in text else 1)


def test_numbers_are_those_of_the_trace_at_each_epoch(quiet, followed):
    quiet.go(f"{followed}#/e0?view=run")
    quiet.until(READY)
    scalars = specimen("followed").scalars
    for place in range(4):
        quiet.until(f"nissl.look.place === {place}")
        shown = values(quiet)
        for name in ("loss", "accuracy"):
            expected = [scalars[full].values[place] for full in (f"probe_{name}", name)]
            np.testing.assert_allclose([read(text) for text in shown[name.capitalize()]], expected, atol=6e-3)
        quiet.key("ArrowRight")
    assert quiet.js("document.querySelectorAll('.chart path').length") == 4


def test_pointing_at_one_chart_tells_the_others_and_a_click_goes_there(quiet, followed):
    quiet.go(f"{followed}#/e5?view=run")
    quiet.until(READY)
    x, y = quiet.js(
        "(() => { const b = document.querySelector('.chart svg').getBoundingClientRect(); return [b.x + 50, b.y + 40] })()"
    )
    quiet.mouse("mouseMoved", x, y)
    first = specimen("followed").scalars["probe_accuracy"].values[0]
    quiet.until("document.querySelectorAll('.chart .pointed').length === 2")
    np.testing.assert_allclose(read(values(quiet)["Accuracy"][0]), first, atol=6e-4)
    quiet.click(x, y)
    quiet.until("location.hash === '#/e0?view=run'")


def test_what_changed_is_found_on_request_and_a_row_leads_to_its_unit(quiet):
    seen = specimen("binary")
    with address_of(seen, quiet) as address:
        quiet.go(f"{address}#/?view=run")
        quiet.until("document.querySelector('.changed button') !== null")
        assert not [a for a in quiet.requests() if "changes/" in a], "nobody waits for what was not asked for"
        quiet.js("document.querySelector('.changed button').click()")
        quiet.until("document.querySelector('.ranked tbody tr') !== null", 30)
        found = changes(seen, progress=False)
        told = quiet.js("[...document.querySelectorAll('.ranked tbody th')].map(one => one.innerText)")
        assert told == [f"{row[0]} · {row[1]}" for row in found.rows()[:20]]
        layer, unit = next(
            (row[0], row[1])
            for row in found.rows()[:20]
            if row[0] in quiet.js("nissl.look.index.layers.map(one => one.name)")
        )
        quiet.js(f"document.querySelectorAll('.ranked tbody button')[{told.index(f'{layer} · {unit}')}].click()")
        quiet.until(f"location.hash.includes('/{layer}/n{unit}?view=run')")


@pytest.mark.parametrize("name", ["no classes", "deep", "silent", "one epoch", "many epochs"])
def test_no_run_breaks_it(quiet, name):
    with address_of(specimen(name), quiet) as address:
        quiet.go(f"{address}#/?view=run")
        quiet.until(READY)
        assert quiet.js("document.documentElement.scrollWidth - innerWidth") <= 0
