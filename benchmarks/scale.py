"""The page with a layer of a million units, and with 1,000 classes, 300 layers and 500 epochs: in a Chromium without a graphics card.

Both runs are planted, and written to disk as any recording is. A step counts until the picture of every unit is painted and the page has
done all else that the view shows ("frame"); cold: the page holds nothing of that epoch, and the server has read its block of epochs before,
which the first who looks at it waits for. A freeze is the longest piece of work that keeps the page from answering: while a view is
entered, and at steps in it.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks._viewer.browsed import run  # noqa: E402
from benchmarks._viewer.planted import many, wide  # noqa: E402

from nissl.apps.server import prepared  # noqa: E402
from tests.browser import chromium  # noqa: E402

VIEWS = ("layers", "neuron", "samples", "confusion", "projector", "structures", "maps", "graph", "run", "pathways")
SERVE = "import sys; from nissl.apps.server import view; view(sys.argv[1], browser=False)"
REACH = {
    "a million units · drawn": 1_000_000,
    "a million units · next epoch, prefetched, ms": 50,
    "a million units · cold, ms": 300,
    "many of all · command to first picture, s": 3,
    "many of all · longest freeze, ms": 200,
}
STEP = """(async place => {
  const canvas = document.querySelector(".plate canvas"), began = performance.now();
  nissl.look.to(place);
  const wanted = String(nissl.look.index.epochs[place]);
  while (canvas.dataset.epoch !== wanted) await new Promise(requestAnimationFrame);
  const painted = Number(canvas.dataset.at) - began;
  canvas.getContext("2d").getImageData(0, 0, 1, 1);
  return [painted, performance.now() - began];
})(%d)"""
WATCH = """window.longest = 0;
new PerformanceObserver(all => { for (const one of all.getEntries()) longest = Math.max(longest, one.duration); }).observe({type: "longtask"}); 1"""
PAINTED = "document.querySelector('canvas')?.dataset.at"


@contextmanager
def served(run: Path) -> Iterator[str]:
    """The page's address; in this process, so that what is measured is the page's and the server's work alone."""
    server, held, address, _ = prepared(run)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [held]}, daemon=True)
    thread.start()
    try:
        yield address
    finally:
        server.should_exit = True
        thread.join(10)


def commanded(run: Path, tab: chromium.Page) -> float:
    """Seconds from the command in a shell to the first picture, the browser being open."""
    began = time.perf_counter()
    process = subprocess.Popen([sys.executable, "-c", SERVE, run], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        address = process.stdout.readline().strip().rpartition(" ")[2]
        tab.go(address)
        tab.until(PAINTED, 60)
        return time.perf_counter() - began
    finally:
        tab.go("about:blank")
        process.terminate()
        process.wait(20)


def units(folder: Path, count: int, epochs: int, runs: int) -> dict[str, Any]:
    """A layer of so many units."""
    began = time.perf_counter()
    wide(folder, count, epochs)
    rows: dict[str, Any] = {"units": count, "epochs": epochs, "trace written, s": time.perf_counter() - began}
    with served(folder) as address, chromium.page(width=1440, height=1000) as tab:
        began = time.perf_counter()
        tab.go(f"{address}#/e{epochs // 2}?view=layers")
        tab.until(f"document.querySelector('.plate canvas')?.dataset.epoch === '{epochs // 2}'", 180)
        rows["first picture, s"] = time.perf_counter() - began
        names = [f"plates/0.{epoch}.contrast.bin" for epoch in range(epochs)]
        began = time.perf_counter()
        tab.until(f"{json.dumps(names[:2])}.every(name => nissl.look.files.held.has(name)) && !nissl.look.loading", 180)
        for name in names:  # the server has read the block
            tab.js(f"fetch('data/{name}').then(answer => answer.arrayBuffer()).then(() => 1)")
        rows["all epochs of the block, s"] = time.perf_counter() - began
        cold, warm = _steps(tab, epochs, runs)
        tab.js("nissl.look.to(1)")
        said = tab.js("document.querySelector('.plate').innerText")
        rows["drawn"] = int(said.split(" of ")[0].split()[-1].replace(",", ""))
    for name, found in (("cold, ms", cold), ("next epoch, prefetched, ms", warm)):
        rows[f"{name.removesuffix(', ms')}, painted, ms"] = statistics.median(painted for painted, _ in found)
        rows[name] = statistics.median(whole for _, whole in found)
    return rows


def _steps(tab: chromium.Page, epochs: int, runs: int) -> tuple[list[list[float]], list[list[float]]]:
    """Milliseconds until painted, and until the frame is done: with nothing of an epoch in the page, and with all of it there."""
    cold, warm = [], []
    for place in range(min(runs, epochs)):
        tab.js(
            "nissl.look.files.soon('plates', []); nissl.look.files.soon('near', []); nissl.look.files.held.clear(); 1"
        )
        tab.until("nissl.look.files.busy === 0", 60)
        cold.append(tab.js(STEP % place))
    for place in range(epochs):
        tab.js(STEP % place)
    tab.until("nissl.look.files.waiting === 0 && nissl.look.files.busy === 0", 120)
    for step in range(1, runs + 1):
        time.sleep(0.2)
        warm.append(tab.js(STEP % (step % epochs)))
    return cold, warm


def crowd(folder: Path, classes: int, layers: int, epochs: int, runs: int, pause: float) -> dict[str, Any]:
    """So many classes, layers and epochs; `pause`: how many seconds the page is left to itself after a step."""
    began = time.perf_counter()
    many(folder, classes, layers, epochs)
    rows: dict[str, Any] = {"classes": classes, "layers": layers, "epochs": epochs}
    rows["trace written, s"] = time.perf_counter() - began
    freezes: dict[str, float] = {}
    with chromium.page(width=1440, height=900) as tab:
        tab.ask("Network.setCacheDisabled", cacheDisabled=True)
        rows["command to first picture, s"] = statistics.median(commanded(folder, tab) for _ in range(runs))
        with served(folder) as address:
            tab.go(address)
            tab.until(PAINTED, 60)
            tab.js(WATCH)
            for view in VIEWS:
                freezes[view] = _frozen(tab, view, pause)
            tab.go("about:blank")
    worst = max(freezes, key=lambda view: freezes[view])
    return rows | {"longest freeze, ms": freezes[worst], "in": worst, "freezes, ms": freezes}


def _frozen(tab: chromium.Page, view: str, pause: float) -> float:
    """The longest piece of work while a view is entered and stepped in; pieces under 50 ms are told as 0."""
    tab.js(f"longest = 0; nissl.look.view = '{view}'; 1")
    time.sleep(4 * pause)
    for _ in range(5):
        tab.js("nissl.look.step(-1); 1")
        time.sleep(pause)
    return float(tab.js("longest"))


def measured(quick: bool) -> dict[str, Any]:
    """Both."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    with tempfile.TemporaryDirectory() as folder:
        return {
            "a million units": units(Path(folder) / "wide", *((40_000, 4, 4) if quick else (1_000_000, 12, 12))),
            "many of all": crowd(
                Path(folder) / "many", *((200, 40, 20, 1, 0.1) if quick else (1000, 300, 500, 3, 0.5))
            ),
        }


if __name__ == "__main__":
    run(__doc__, "scale", REACH, measured)
