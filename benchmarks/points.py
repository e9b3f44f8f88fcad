"""How fast the Projector shows and gathers a million points, in a Chromium without a screen or a graphics card.

A planted feed: 1,000,000 examples of ten classes in clouds that drift apart over the epochs. A swap counts from the step to the last pixel, of points that
are there already and of such that must be fetched; a brush from the end of the drag to the last pixel, with the class mix told. Drawn are all, unsampled.
"""

import statistics
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks._viewer.browsed import run  # noqa: E402

from nissl.apps.server import prepared  # noqa: E402
from nissl.studies import feed  # noqa: E402
from nissl.studies._feed.packing import packed  # noqa: E402
from nissl.studies._feed.part import Part  # noqa: E402
from nissl.testing.specimens import chain, trace  # noqa: E402
from tests.browser import chromium  # noqa: E402

COUNT, CLASSES = 1_000_000, 10
REACH = {"drawn": COUNT, "epoch swap, ms": 800, "brush, ms": 800}
PAINTED = "document.querySelector('.points canvas')?.dataset.epoch === '{}' && nissl.field()?.inks.length === {} && nissl.field().rings !== null"
SWAP = """(async place => {
  const canvas = document.querySelector(".points canvas"), began = performance.now();
  nissl.look.to(place);
  const wanted = String(nissl.look.index.epochs[place]);
  while (canvas.dataset.epoch !== wanted) await new Promise(requestAnimationFrame);
  return Number(canvas.dataset.at) - began;
})(%d)"""
BRUSH = """(async () => {
  const canvas = document.querySelector(".points canvas"), box = canvas.getBoundingClientRect(), was = canvas.dataset.at;
  const at = (name, x, y) => canvas.dispatchEvent(new PointerEvent(name, {clientX: box.x + x, clientY: box.y + y, button: 0, pointerId: 1, bubbles: true}));
  canvas.setPointerCapture = () => undefined;
  const [w, h] = [box.width, box.height];
  at("pointerdown", w * .3, h * .3);
  for (let k = 0; k < 60; k++) { const a = k / 60 * 2 * Math.PI; at("pointermove", w * (.5 - .2 * Math.cos(a)), h * (.5 - .25 * Math.sin(a))); }
  const began = performance.now();
  at("pointerup", w * .3, h * .3);
  while (canvas.dataset.at === was || Number(canvas.dataset.gathered) === 0) await new Promise(requestAnimationFrame);
  const took = Number(canvas.dataset.at) - began, found = nissl.look.gathered.length;
  nissl.look.gathered = [];
  while (canvas.dataset.gathered !== "0") await new Promise(requestAnimationFrame);
  return [took, found];
})()"""


class Planted(Part):
    """Answers and points of a million examples."""

    def __init__(self, stage: Any):
        super().__init__(stage)
        rng = np.random.default_rng(0)
        self.labels = rng.integers(0, CLASSES, COUNT).astype(np.int16)
        self.middle = rng.uniform(0.15, 0.85, (CLASSES, 2))
        self.noise = rng.normal(0, 0.05, (COUNT, 2))
        self.wrong = rng.random(COUNT) < 0.03

    def names(self) -> Any:
        return iter(())


class Answers(Planted):
    """Three of a hundred are wrong."""

    def told(self) -> dict[str, Any]:
        return {"count": COUNT, "epochs": self.trace.epochs, "kept": [], "labelled": True}

    def file(self, rest: str) -> bytes:
        if rest == "labels.bin":
            return packed({}, {"labels": self.labels})
        said = np.where(self.wrong, (self.labels + 1) % CLASSES, self.labels).astype(np.int16)
        sure = np.full(COUNT, 200, np.uint8)
        return packed({}, {"said": said, "sure": sure, "own": sure})


class Points(Planted):
    """Ten clouds that drift apart."""

    def told(self) -> dict[str, Any]:
        layers = [{"name": "hidden_2", "units": 32, "epochs": self.trace.epochs}]
        return {"layers": layers, "count": COUNT, "first": 0, "by": ["pca", "tsne"], "kept": []}

    def file(self, rest: str) -> bytes:
        epoch = int(rest.split(".")[2])
        grown = (epoch + 1) / len(self.trace.epochs)
        places = 0.5 + grown * (self.middle[self.labels] - 0.5) + self.noise
        said = {
            "epoch": epoch,
            "layer": "hidden_2",
            "by": "pca",
            "trust": 0.9,
            "kept": 0.5,
            "jump": 0.05,
            "near": 15,
            "looked": 1000,
        }
        return packed(said, {"places": np.rint(places.clip(0, 1) * 65535).astype(np.uint16)})


def swapped(tab: chromium.Page, epochs: int, runs: int) -> dict[str, Any]:
    """Medians in milliseconds: of a step to an epoch that must be fetched, and of one that is there."""
    tab.js("nissl.look.files.soon('points', []); nissl.look.files.held.clear(); 1")
    cold = []
    for place in range(epochs):
        cold.append(tab.js(SWAP % place))
        tab.js("nissl.look.files.soon('points', []); 1")
    warm = [tab.js(SWAP % (k % epochs)) for k in range(runs)]
    return {
        "epoch swap, fetched first, ms": round(statistics.median(cold)),
        "epoch swap, ms": round(statistics.median(warm)),
    }


def measured(quick: bool) -> dict[str, Any]:
    """All rows."""
    epochs, runs = (3, 3) if quick else (8, 24)
    kept = dict(feed.PARTS)
    feed.PARTS.update(answers=Answers, points=Points)
    seen = trace(chain(64, 32, 10), epochs=range(epochs))
    server, held, address, _ = prepared(seen)
    threading.Thread(target=server.run, kwargs={"sockets": [held]}, daemon=True).start()
    try:
        with chromium.page(width=1600, height=1000) as tab:
            tab.go(f"{address}#/e{epochs - 1}?view=projector")
            tab.until(PAINTED.format(epochs - 1, COUNT), 180)
            for epoch in range(epochs):  # the server has made what is asked for
                for name in (f"points/0.pca.{epoch}.bin", f"answers/{epoch}.bin"):
                    tab.js(f"fetch('data/{name}').then(answer => answer.arrayBuffer()).then(() => 1)")
            rows = {"painter": tab.js("document.querySelector('.points canvas').dataset.painter")}
            rows |= {"drawn": tab.js("nissl.field().inks.length")} | swapped(tab, epochs, runs)
            tab.js(SWAP % (epochs - 1))
            brushes = [tab.js(BRUSH) for _ in range(runs)]
    finally:
        server.should_exit = True
        feed.PARTS.clear()
        feed.PARTS.update(kept)
    took = [one for one, _ in brushes]
    return rows | {
        "gathered": brushes[0][1],
        "brush, ms": round(statistics.median(took)),
        "brush, slowest, ms": round(max(took)),
    }


if __name__ == "__main__":
    run(__doc__, "points", REACH, measured)
