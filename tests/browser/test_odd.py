"""The page with what it was not made for: from disk, from a plain host, of odd traces, broken and hostile ones."""

import functools
import http.server
import threading

import numpy as np
import pytest

from nissl.apps.report import report, site
from nissl.core.store import ArraySpec, Record
from nissl.core.trace import Trace
from nissl.stores.disk import Disk
from nissl.stores.memory import Memory
from nissl.testing.specimens import chain, specimen, trace
from tests.browser.conftest import address_of, leave

PAINTED = "document.querySelector('canvas')?.dataset.painter"
HOSTILE = (
    "<script>document.title='in'</script>", "<img src=x onerror=\"document.title='in'\">", "</script><script>alert(1)</script>",
    "{{7*7}} ${7*7}", "a,b/c?d#e&f=%00", "\u202egnirts", "", " ", "x" * 400, "\U0001f9e0",
)  # fmt: skip


class Plain(http.server.SimpleHTTPRequestHandler):
    """A host that knows no Range, and says nothing."""

    def log_message(self, *_):
        pass


@pytest.fixture
def hosted(tmp_path, tab):
    made = site(specimen("followed"), tmp_path / "site")
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Plain, directory=str(made)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}/", made
    leave(tab)
    server.shutdown()
    thread.join()
    server.server_close()


def words(tab):
    return tab.js("document.body.innerText")


def test_a_report_opens_from_disk_and_steps(quiet, tmp_path):
    file = report(specimen("followed"), tmp_path / "a run.html")
    quiet.go(f"{file.as_uri()}#/e1?stain=3")
    quiet.until(PAINTED)
    quiet.key("ArrowRight")
    quiet.until("document.querySelector('canvas').dataset.epoch === '2'")
    quiet.until("location.hash === '#/e2?stain=3'")
    asked = [address for address in quiet.requests() if not address.startswith(("data:", "about:"))]
    assert {address.split("#")[0] for address in asked} == {file.as_uri()}


def test_a_report_that_was_cut_short_says_so(tab, tmp_path):
    file = report(specimen("followed"), tmp_path / "a.html")
    text = file.read_text()
    at = text.index('data-name="cells/1.bin"')
    file.write_text(text[:at] + text[at:].replace(">", ">AAAA", 1))
    tab.go(f"{file.as_uri()}#/e1")
    tab.until("document.querySelector('.trouble')?.innerText.includes('cells/1.bin is damaged')")
    tab.key("ArrowRight")
    tab.until("document.querySelector('canvas').dataset.epoch === '2' && !document.querySelector('.trouble')")


def test_a_folder_on_a_plain_host_is_the_page(quiet, hosted):
    address, _ = hosted
    quiet.go(f"{address}#/e1")
    quiet.until(PAINTED)
    quiet.key("ArrowRight")
    quiet.until("document.querySelector('canvas').dataset.epoch === '2'")


def test_a_folder_that_lost_a_file_says_so_and_shows_the_others(tab, hosted):
    address, made = hosted
    (made / "data" / "cells" / "1.bin").unlink()
    (made / "data" / "cells" / "2.bin").write_bytes((made / "data" / "cells" / "2.bin").read_bytes()[:100])
    tab.go(f"{address}#/e0")
    tab.until(PAINTED)
    tab.key("ArrowRight")
    tab.until(
        "document.querySelector('.trouble')?.innerText.includes('This host does not hold what its cells answer (cells/1.bin)')"
    )
    tab.key("ArrowRight")
    tab.until("document.querySelector('.trouble')?.innerText.includes('was cut short')")
    tab.key("ArrowRight")
    tab.until("document.querySelector('canvas').dataset.epoch === '5' && !document.querySelector('.trouble')")


def test_a_folder_without_its_run_says_what_it_lacks(tab, hosted):
    address, made = hosted
    (made / "data" / "index.json").unlink()
    tab.go(f"{address}#/e0")
    tab.until(
        "document.querySelector('.notice')?.innerText.includes('There is no run here: this host has no data/index.json.')"
    )


ODD = (
    "no classes", "one unit", "deep", "many classes", "several labels", "wide", "followed at last", "long names", "many epochs",
    "silent", "no weights", "unheard classes", "twelve classes",
)  # fmt: skip


@pytest.mark.parametrize("name", ODD)
def test_every_kind_of_trace_is_painted(quiet, name):
    seen = specimen(name)
    with address_of(seen, quiet) as address:
        quiet.go(address)
        quiet.until(PAINTED)
        assert quiet.js("document.querySelector('h1').innerText.length") > 20
        over = quiet.js("document.documentElement.scrollWidth - innerWidth")
        assert over <= 0, "nothing is wider than the page"
        if len(seen.epochs) > 1:
            quiet.key("Home")
            quiet.until(f"document.querySelector('canvas').dataset.epoch === '{seen.epochs[0]}'")


def test_names_with_markup_stay_names(quiet, tmp_path):
    layers = chain(12, 10)
    odd = [layers[0].__class__(**vars(layers[0]) | {"name": HOSTILE[0]})]
    odd.append(layers[1].__class__(**vars(layers[1]) | {"name": HOSTILE[2], "inputs": (HOSTILE[0],)}))
    seen = trace(odd, HOSTILE, (0, 1))
    file = report(seen, tmp_path / "odd.html")
    with address_of(seen, quiet) as address:
        for where in (address, file.as_uri()):
            quiet.go("about:blank")
            quiet.go(f"{where}#/e1/{HOSTILE[0].replace('/', '%2F')}/n3")
            quiet.until(PAINTED)
            assert quiet.js("document.title").endswith("nissl")
            assert HOSTILE[0] in words(quiet)
            assert quiet.js("document.querySelectorAll('img, #nissl script, iframe').length") == 0


def test_a_server_that_ended_is_named(tab):
    with address_of(specimen("mlp")) as address:
        tab.go(address)
        tab.until(PAINTED)
    tab.js("nissl.look.files.held.clear()")
    tab.key("Home")
    tab.until("document.querySelector('.trouble')?.innerText.includes('was `nissl view` ended?')")


def test_a_run_without_activity_says_what_to_record(quiet):
    bare = Memory("bare")
    bare.create({"classes": ["a", "b"]})
    bare.declare([ArraySpec("weight", ("neuron", "input"), (2, 2), layer="a")])
    bare.append(Record(0, {"layers/a/weight": np.ones((2, 2))}, {}))
    with address_of(Trace(bare), quiet) as address:
        quiet.go(address)
        quiet.until("document.querySelector('h1')?.innerText === 'Nothing can be shown'")
        assert "Record with the quantities 'activation' and 'profile'" in words(quiet)


def test_a_run_that_is_recorded_appears_and_grows(quiet, tmp_path):
    spec = ArraySpec("probe_class_mean", ("neuron", "class"), (6, 2), layer="hidden", labels={"class": ("a", "b")})
    store = Disk(tmp_path / "live")
    store.create({"classes": ["a", "b"]})
    store.declare([spec])
    with address_of(tmp_path / "live", quiet) as address:
        quiet.go(address)
        quiet.until("document.querySelector('h1')?.innerText === 'No epoch yet'")
        for epoch in range(2):
            store.append(Record(epoch, {spec.key: np.eye(6, 2) + epoch}, {"loss": 1.0}))
            quiet.until(f"document.querySelector('canvas')?.dataset.epoch === '{epoch}'", 6)
        store.close()
        quiet.until("nissl.look.index.closed", 6)


def test_a_wrong_key_shows_nothing(tab):
    with address_of(specimen("mlp")) as address:
        tab.go(address[:-3] + "xx/")
        tab.until("document.body.innerText.includes('lacks its key')")
