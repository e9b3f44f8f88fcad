"""The page as a widget in a real JupyterLab and a real marimo: data by messages, the address both ways, one script for several."""

import contextlib
import json
import time
import urllib.error
import urllib.request

import pytest

from nissl.apps._view.assets import PAGE
from tests.browser import chromium
from tests.browser.notebooks import INSTALL, free_port, notebook, serving
from tests.docs.blocks import entrusted

LIMIT = 400_000
ROOTS = """(function deep(from) { return [...from.querySelectorAll('*')].filter(one => one.shadowRoot)
    .flatMap(one => one.shadowRoot.querySelector('#nissl') ? [one] : deep(one.shadowRoot)) })(document)"""
PAINTED = f"{ROOTS}.every(one => one.shadowRoot.querySelector('canvas')?.dataset.painter) && {ROOTS}.length"
FIRST = """from nissl.testing.specimens import specimen
import nissl
seen = nissl.view(specimen("followed"), "e2/hidden_1/n3?stain=3", height=560)
seen"""
SECOND = 'specimen("followed").view("e5?view=layers&stain=0,4", height=560)'

ALIVE = """import json, nissl
from nissl.studies.subject import recorded_data
from nissl.studies.train import train
done = train(None, epochs=2, progress=False, device="cpu", seed=3)
digits = recorded_data(done.trace)
nissl.view(done.trace, "e2/hidden_2/n5?view=neuron", model=done.network, data=digits)"""
CUT = """(x, y), few = digits.test, tuple(part[:500] for part in digits.train)
with nissl.edit(done.network, few)["hidden_2"][5].delete():
    guess = nissl.network(done.network).forward(x).argmax(1)
json.dump([int(((guess == y) & (y == k)).sum()) for k in range(10)], open("cut", "w"))"""

RECORDED = """import nissl
from nissl.studies.subject import recorded_data
from nissl.studies.train import train
done = train("runs/digits", epochs=30, progress=False, device="cpu", seed=3)
net, (x, y) = done.network, recorded_data(done.trace).test"""


def need(name, module):
    for one in ("anywidget", module):
        pytest.importorskip(one, reason=INSTALL.format(name))


def test_the_script_is_small_and_saved_with_no_notebook():
    need("jupyterlab", "anywidget")
    from nissl.apps._view.widget import LOADER

    assert sum((PAGE / name).stat().st_size for name in ("app.js", "app.css")) <= LIMIT
    assert len(LOADER) < 2000


def executed(folder, *cells):
    """The notebook of these cells, run there."""
    need("nbclient", "nbclient")
    pytest.importorskip("ipykernel", reason=INSTALL.format("ipykernel"))
    import nbformat
    from nbclient import NotebookClient

    made = nbformat.read(notebook(folder / "a.ipynb", *cells), 4)
    NotebookClient(made, timeout=120, kernel_name="python3", resources={"metadata": {"path": str(folder)}}).execute()
    return made


def test_a_notebook_runs_and_its_cell_holds_a_widget(tmp_path):
    made = executed(tmp_path, FIRST, "print(seen.at)")
    shown = made.cells[0].outputs[0].data
    assert "application/vnd.jupyter.widget-view+json" in shown
    assert made.cells[1].outputs[0].text == "e2/hidden_1/n3?stain=3\n"
    assert len(json.dumps(made)) < 20_000


def test_the_how_to_page_s_cells_hold_widgets(tmp_path):
    blocks = entrusted("how-to/see-a-run.md", __file__)
    made = executed(tmp_path, RECORDED, *(block.text for block in blocks))
    assert len(blocks) == 2
    for cell in made.cells[1:]:
        assert "application/vnd.jupyter.widget-view+json" in cell.outputs[-1].data


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    need("jupyterlab", "jupyterlab")
    home, port = tmp_path_factory.mktemp("lab"), free_port()
    notebook(home / "cut.ipynb", ALIVE, CUT)
    notebook(home / "look.ipynb", FIRST, SECOND, 'seen.at = "e5/hidden_2/n7?stain=8"', "open('at', 'w').write(seen.at)")
    words = ["jupyterlab", "--no-browser", f"--port={port}", "--IdentityProvider.token=", "--allow-root", "--ServerApp.ip=127.0.0.1"]  # fmt: skip
    with serving(words, f"http://127.0.0.1:{port}/lab", home) as address:
        yield address, home


def asked(address):
    """None while the server is not ready to say it."""
    with contextlib.suppress(urllib.error.HTTPError), urllib.request.urlopen(address) as answer:
        return json.load(answer)


def until(true, patience=30):
    end = time.monotonic() + patience
    while not true():
        assert time.monotonic() < end
        time.sleep(0.1)


def keyed(tab, name, *, shift=False):
    tab.ask(
        "Input.dispatchKeyEvent",
        type="keyDown",
        key=name,
        code=name,
        windowsVirtualKeyCode=13,
        modifiers=8 * shift,
        text="\r",
    )
    tab.ask("Input.dispatchKeyEvent", type="keyUp", key=name, code=name, windowsVirtualKeyCode=13, modifiers=8 * shift)


def run_next(tab):
    """The chosen cell, and on to the next one."""
    keyed(tab, "Enter", shift=True)


@pytest.fixture
def leaving(tab):
    """JupyterLab asks whether one really wants to leave it: a tab of its own is just closed."""
    with chromium.page(width=1300, height=1500) as opened:
        yield opened


def opened(tab, address, name, cells):
    """At its first cell, its kernel ready."""
    tab.go(f"{address}/tree/{name}?reset")  # what was open before stays closed
    tab.until(f"document.querySelectorAll('.jp-CodeCell').length === {cells}", 90)
    sessions = f"{address[:-3]}api/sessions"
    until(lambda: {s["path"]: s["kernel"]["execution_state"] for s in asked(sessions) or ()}.get(name) == "idle", 60)
    tab.js("document.querySelector('.jp-CodeCell .cm-content').focus()")


def test_a_network_of_the_notebook_is_cut_from_its_cell(leaving, lab):
    (address, home), tab = lab, leaving
    opened(tab, address, "cut.ipynb", 2)
    run_next(tab)
    titles = f"[...{ROOTS}[0].shadowRoot.querySelectorAll('.cut .effect li')].map(one => one.title)"
    tab.until(f"{ROOTS}[0]?.shadowRoot.querySelector('.cut .toll')?.ariaBusy === 'false' && {titles}.length === 10", 90)
    run_next(tab)
    until(lambda: (home / "cut").exists() and (home / "cut").read_text())
    seen = [int(title.replace(",", "").rpartition("before ")[2].split()[0]) for title in tab.js(titles)]
    assert seen == json.loads((home / "cut").read_text())


def test_two_widgets_in_jupyterlab(leaving, lab):
    (address, home), tab = lab, leaving
    opened(tab, address, "look.ipynb", 4)
    run_next(tab)
    tab.until(f"{PAINTED} === 1", 90)
    run_next(tab)
    tab.until(f"{ROOTS}[1]?.shadowRoot.querySelectorAll('.map canvas').length === 11", 60)
    assert tab.js(f"{ROOTS}[0].look.hash") == "#/e2/hidden_1/n3?stain=3"
    assert tab.js(f"{ROOTS}[1].look.hash") == "#/e5/hidden_2?view=layers&stain=0,4"

    run_next(tab)  # the address from Python
    tab.until(f"{ROOTS}[0].shadowRoot.querySelector('canvas')?.dataset.epoch === '5'", 30)
    tab.until(f"{ROOTS}[0].look.hash === '#/e5/hidden_2/n7?stain=8'")
    tab.js(f"{ROOTS}[0].shadowRoot.querySelector('[aria-label=\"one epoch back\"]').click()")  # and to it
    tab.until(f"{ROOTS}[0].shadowRoot.querySelector('canvas')?.dataset.epoch === '2'", 30)
    assert tab.js(f"{ROOTS}[1].look.epoch") == 5, "each has its own cursor"
    time.sleep(0.5)
    run_next(tab)
    until(lambda: (home / "at").exists() and (home / "at").read_text())
    assert (home / "at").read_text() == "e2/hidden_2/n7?stain=8"


MARIMO = """import marimo
app = marimo.App(width="full")

@app.cell
def _():
    from nissl.testing.specimens import specimen
    import nissl
    import marimo as mo
    seen = mo.ui.anywidget(nissl.view(specimen("followed"), "e2?stain=3", height=560))
    seen
    return (seen,)

@app.cell
def _(seen):
    open("at", "w").write(seen.value["at"])
    return

if __name__ == "__main__":
    app.run()
"""


def test_in_marimo(tab, tmp_path):
    need("marimo", "marimo")
    (tmp_path / "look.py").write_text(MARIMO)
    port = free_port()
    words = ["marimo", "-q", "run", "look.py", "--headless", "--no-token", f"--port={port}", "--host=127.0.0.1"]
    tab.size(1300, 900)
    with serving(words, f"http://127.0.0.1:{port}/", tmp_path) as address:
        tab.go(address)
        tab.until(f"{PAINTED} === 1", 90)
        assert tab.js(f"{ROOTS}[0].look.hash") == "#/e2?stain=3"
        tab.js(f"{ROOTS}[0].shadowRoot.querySelector('[aria-label=\"one epoch on\"]').click()")
        tab.until(f"{ROOTS}[0].shadowRoot.querySelector('canvas')?.dataset.epoch === '5'", 30)
        until(lambda: (tmp_path / "at").read_text() == "e5?stain=3")
        tab.go("about:blank")
