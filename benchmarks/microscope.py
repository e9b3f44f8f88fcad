"""How soon the microscope's page shows something, and how fast one scrubs: in a Chromium without a screen or a graphics card.

Three layers of 1,024 units, ten classes, 900 ribbons; a step counts from the key to the last pixel, with tiles, ribbons and words.
The graphics card is imitated on the processor's cores: what else the machine does (`load`) slows a step. With --quick nothing is written.
"""

import gzip
import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks._viewer.browsed import run  # noqa: E402

from nissl.apps._view.assets import PAGE  # noqa: E402
from nissl.apps.report import report  # noqa: E402
from nissl.apps.server import prepared  # noqa: E402
from nissl.testing.specimens import chain, trace  # noqa: E402
from tests.browser import chromium  # noqa: E402

REACH = {
    "first picture, served, s": 1.5,
    "first picture, one file, s": 1.2,
    "scrub step, ms": 100,
    "bundle, gz kB": 250,
}
PAINTED = "document.querySelector('canvas')?.dataset.epoch === '{}' && document.querySelector('canvas').dataset.at"
STEP = """(async place => {
  const canvas = document.querySelector("canvas"), began = performance.now();
  nissl.look.to(place);
  const wanted = String(nissl.look.index.epochs[place]);
  while (canvas.dataset.epoch !== wanted) await new Promise(requestAnimationFrame);
  const card = canvas.getContext("webgl2");
  if (card) card.readPixels(0, 0, 1, 1, 6408, 5121, new Uint8Array(4));
  else canvas.getContext("2d").getImageData(0, 0, 1, 1);
  return performance.now() - began;
})(%d)"""


def first(tab: chromium.Page, address: str, epoch: int, runs: int) -> tuple[float, float]:
    """Seconds from asking for the page to its first picture: for the first time, and the median; the browser keeps nothing."""
    tab.ask("Network.setCacheDisabled", cacheDisabled=True)
    found = []
    for _ in range(runs):
        tab.go("about:blank")
        tab.go(address)
        found.append(float(tab.until(PAINTED.format(epoch), 60)) / 1000)
    return found[0], statistics.median(found)


def scrubbed(tab: chromium.Page, epochs: int, stains: str, steps: int) -> tuple[float, float]:
    """Median and 95 % of a step over epochs that are there already, in milliseconds."""
    tab.js(f"nissl.look.stains = [{stains}]")
    for place in range(epochs):
        tab.js(
            f"Promise.all([nissl.look.files.cells({place}), nissl.look.files.paths({place}, 'causal')]).then(() => 1)"
        )
    found = sorted(tab.js(STEP % (step % epochs)) for step in range(1, steps + 1))
    return statistics.median(found), found[int(0.95 * (len(found) - 1))]


def measured(quick: bool) -> dict[str, Any]:
    """All rows."""
    units, epochs, runs, steps = (256, 4, 1, 8) if quick else (1024, 40, 5, 100)
    seen = trace(chain(units, units, units, 10), epochs=range(epochs), followed=range(epochs))
    rows: dict[str, Any] = {"epochs": epochs}
    server, held, address, _ = prepared(seen)
    threading.Thread(target=server.run, kwargs={"sockets": [held]}, daemon=True).start()
    with tempfile.TemporaryDirectory() as folder, chromium.page(width=1600, height=1000) as tab:
        rows["browser"] = tab.ask("Browser.getVersion")["product"]
        rows["first picture, served, s"], rows["again, served, s"] = first(tab, address, epochs - 1, runs)
        for name, stains in (("", "3,8"), (", ten classes", "0,1,2,3,4,5,6,7,8,9")):
            middle, late = scrubbed(tab, epochs, stains, steps)
            rows[f"scrub step{name}, ms"], rows[f"scrub step{name}, 95 %, ms"] = round(middle), round(late)
        tab.go("about:blank")
        began = time.perf_counter()
        file = report(seen, Path(folder) / "wide.html")
        rows["report written, s"] = time.perf_counter() - began
        rows["report, MB"] = file.stat().st_size / 1e6
        rows["first picture, one file, s"], rows["again, one file, s"] = first(tab, file.as_uri(), epochs - 1, runs)
    server.should_exit = True
    bundle = [gzip.compress((PAGE / name).read_bytes(), mtime=0) for name in ("app.js", "app.css")]
    rows["bundle, gz kB"] = sum(map(len, bundle)) / 1000
    return rows


if __name__ == "__main__":
    run(__doc__, "microscope", REACH, measured)
