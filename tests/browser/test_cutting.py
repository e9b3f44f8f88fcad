"""The live network in a real browser: what deleting brushed units shows is what nissl.edit does in Python."""

import json

import pytest

import nissl
from nissl.apps.report import report
from nissl.studies.subject import subject
from nissl.studies.train import train
from nissl.testing.specimens import specimen
from tests.browser.conftest import address_of

pytest.importorskip("torch")


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    path = tmp_path_factory.mktemp("runs") / "digits"
    quantities = ("profile", "predictions", "structures", "weights")
    train(
        path, epochs=2, progress=False, device="cpu", model_options={"hidden": (25, 16)}, quantities=quantities, seed=3
    )
    return path


@pytest.fixture(scope="module")
def alive(run, tab):
    with address_of(run, tab) as address:
        yield address


def right(model, data):
    x, y = data
    guess = nissl.network(model).forward(x).argmax(1)
    return [int(((guess == y) & (y == k)).sum()) for k in range(10)]


def opened(tab, address, hash_):
    tab.go("about:blank")
    tab.go(f"{address}#/{hash_}")
    tab.until("nissl.look.phase === 'ready' && !nissl.look.loading")


TITLES = "[...document.querySelectorAll('.effect li')].map(one => one.title)"


def seen(tab, where):
    """By class: recognised before, of how many, and then."""
    titles = tab.js(TITLES.replace(".effect", f"{where} .effect"))
    numbers = [
        [int(word) for word in title.split(": ")[1].replace(",", "").split() if word.isdigit()] for title in titles
    ]
    return [[one[place] for one in numbers] for place in range(3)]


def settled(tab, where):
    tab.until(f"document.querySelectorAll('{where} .effect li').length === 10")
    tab.until(f"document.querySelector('{where} .toll').ariaBusy === 'false'")


def stays_in_every_view(quiet):
    for view in ("pathways", "neuron", "confusion"):
        quiet.js(f"nissl.look.view = {json.dumps(view)}")
        quiet.until("document.querySelector('.tray h2')?.innerText === '6 units of hidden_1'")
        if view == "pathways":
            quiet.until("document.querySelector('.over .brushed')?.getAttribute('d').length > 20")
    quiet.js("document.querySelector('.tray .quiet').click()")
    quiet.until("!document.querySelector('.tray')")


def test_units_drawn_round_are_deleted_kept_and_turned_as_in_python(quiet, alive, run):
    """With the mouse on the map, as somebody would; every number of the tray."""
    opened(quiet, alive, "e2/hidden_1?view=layers")
    quiet.until("document.querySelectorAll('.map canvas').length === 11")
    x, y, wide = quiet.js(
        "(() => { const b = document.querySelector('.map').getBoundingClientRect(); return [b.x, b.y, b.width / 5] })()"
    )
    corners = [(0.1, 0.1), (2.9, 0.1), (2.9, 1.9), (0.1, 1.9)]
    quiet.mouse("mouseMoved", x + 0.1 * wide, y + 0.1 * wide)
    quiet.mouse("mousePressed", x + 0.1 * wide, y + 0.1 * wide)
    for column, row in (*corners, corners[0]):
        quiet.mouse("mouseMoved", x + column * wide, y + row * wide)
    quiet.mouse("mouseReleased", x + 0.1 * wide, y + 0.1 * wide)
    order = quiet.js("nissl.look.index.layers[0].orders.causal")
    units = sorted(order[place] for place in (0, 1, 2, 5, 6, 7))
    quiet.until("document.querySelector('.tray h2')?.innerText === '6 units of hidden_1'")
    assert quiet.js("nissl.look.brushed") == {"layer": "hidden_1", "units": units}
    assert quiet.js("nissl.look.picked") is None, "a line chooses no single cell"
    made = subject(str(run))
    settled(quiet, ".tray")
    before, counts, then = seen(quiet, ".tray")
    assert before == right(made.model, made.held_out)
    assert counts == [int((made.held_out[1] == k).sum()) for k in range(10)]
    picked = nissl.edit(made.model, made.discovery)["hidden_1"][units]
    with picked.delete():
        assert then == right(made.model, made.held_out)
    for button, edit in ((2, picked.keep()), (3, picked.scale(2.0))):
        quiet.js(f"document.querySelector('.tray .choice button:nth-child({button})').click()")
        quiet.js("new Promise(done => setTimeout(done, 60))")
        settled(quiet, ".tray")
        with edit:
            quiet.until(
                f"JSON.stringify({TITLES}.map(one => Number(one.split('recognised before, ')[1].split(' ')[0])))"
                f" === {json.dumps(json.dumps(right(made.model, made.held_out), separators=(',', ':')))}"
            )
    stays_in_every_view(quiet)


def test_units_are_brushed_by_keys_and_single_clicks(quiet, alive):
    opened(quiet, alive, "e2/hidden_2/n3?view=layers")
    quiet.key("x")
    quiet.until("nissl.look.brushed?.units.join() === '3'")
    quiet.key(".")
    quiet.key("x")
    quiet.until("nissl.look.brushed?.units.length === 2")
    quiet.key("x")
    quiet.until("nissl.look.brushed?.units.join() === '3'")
    quiet.key("]")
    quiet.key("x")
    quiet.until(
        "nissl.look.brushing.all.length === 2 && document.querySelector('.tray h2').innerText === '2 units of 2 layers'"
    )


def test_a_neuron_page_measures_its_deletion_beside_the_estimate(quiet, alive, run):
    opened(quiet, alive, "e2/hidden_2/n5?view=neuron")
    settled(quiet, ".cut")
    made = subject(str(run))
    unit = nissl.edit(made.model, made.discovery)["hidden_2"][5]
    with unit.delete():
        assert seen(quiet, ".cut")[2] == right(made.model, made.held_out)
    epoch = quiet.js(
        "Number(document.querySelector('.cut .toll p').innerText.match(/epoch (\\d+)|this epoch/)?.[1] ?? 2)"
    )
    rows = quiet.until(
        "document.querySelectorAll('.odds td').length === 10 && [...document.querySelectorAll('.odds tbody tr')].map(row => [...row.children].map(one => Number(one.innerText)))"
    )
    table = nissl.open(run).read("hidden_2", "attribution", [epoch])[0][5]
    for name, _, estimate in rows:
        assert estimate == pytest.approx(float(table[int(name)]), rel=6e-3, abs=3e-4)
    quiet.js(
        "(() => { const s = document.querySelector('.cut input'); s.value = 0.5; s.dispatchEvent(new Event('input', {bubbles: true})) })()"
    )
    quiet.until("document.querySelector('.cut h2').innerText.includes('turned × 0.5')")
    quiet.js("new Promise(done => setTimeout(done, 260))")
    settled(quiet, ".cut")
    with unit.scale(0.5):
        assert seen(quiet, ".cut")[2] == right(made.model, made.held_out)


def test_where_nothing_can_be_cut_it_is_said_why(quiet, followed, run, tmp_path):
    quiet.go("about:blank")
    quiet.go(report(run, tmp_path / "digits.html").as_uri() + "#/e2/hidden_1/n2?view=neuron")
    quiet.until("document.querySelector('.cut')?.innerText.includes('a copy of the page without the network')")
    opened(quiet, followed, "e5/hidden_1/n2?view=neuron")
    quiet.key("x")
    quiet.until("document.querySelector('.tray')?.innerText.includes('--model FILE.py:NAME')")
    assert quiet.js("[...document.querySelectorAll('.tray .choice button')].every(one => one.disabled)")
    assert "ask/" not in " ".join(quiet.requests())
    assert specimen("followed").units("hidden_1") > 2


def test_a_structure_is_found_proved_and_cut_from_the_page(quiet, alive, run):
    opened(quiet, alive, "e2?view=structures&target=3")
    quiet.js(
        "[...document.querySelectorAll('.whence .choice button')].find(one => one.innerText === 'found now').click()"
    )
    quiet.until("document.querySelectorAll('.whence > button').length === 1")
    quiet.js(
        "(() => { const s = document.querySelector('.whence select'); s.value = 'attribution_patching'; s.dispatchEvent(new Event('change', {bubbles: true})) })()"
    )
    quiet.js("document.querySelector('.whence > button').click()")
    quiet.until("document.querySelectorAll('.edges li').length > 0", 40)
    made = subject(str(run))
    one = nissl.structure(
        made.model, made.discovery, "3", by="attribution_patching", classes=made.classes, progress=False
    )
    names = quiet.js(
        "[...document.querySelectorAll('.members')[0].querySelectorAll('li button')].map(one => one.innerText)"
    )
    assert names == [f"{unit.layer} · {unit.unit}" for unit in one.units[:24]]
    quiet.js("document.querySelector('.proof .choose button').click()")
    quiet.until("document.querySelectorAll('.words li').length > 2", 60)
    report = one.verify(made.held_out, progress=False)
    words = quiet.js(
        "[...document.querySelectorAll('.words .holds b')].map(one => one.innerText.replace('✓', '').trim())"
    )
    assert words == [finding.word for finding in report.findings if finding.holds]
    shown = quiet.js("[...document.querySelectorAll('.verdict tbody tr')][1].children[1].innerText")
    assert shown == f"{100 * report.deleted.accuracy:.1f} %"
    quiet.js("document.querySelector('.found h2 .link').click()")
    settled(quiet, ".tray")
    edit = sum_of(
        [nissl.edit(made.model, made.discovery)[name][list(which)].delete() for name, which in one.members.items()]
    )
    with edit:
        assert seen(quiet, ".tray")[2] == right(made.model, made.held_out)


def sum_of(edits):
    whole, *rest = edits
    for edit in rest:
        whole = whole + edit
    return whole
