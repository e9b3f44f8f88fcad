"""What is seen is taken along as a picture and as numbers; anything is found by its name; both by keys alone."""

import base64
import csv
import io
import zlib
from xml.etree import ElementTree

import numpy as np
import pytest

from nissl.core.palette import rgb
from nissl.testing.sampled import sampled
from nissl.testing.specimens import specimen
from tests.browser.conftest import address_of

PAINTED = "nissl.look.cells?.epoch === {0} && !!document.querySelector('section.view h1')?.innerText && {1}"
CATCH = """(() => { window.caught = []; const real = URL.createObjectURL.bind(URL);
URL.createObjectURL = blob => { caught.push(blob); return real(blob); }; HTMLAnchorElement.prototype.click = function () { this.dataset.taken = this.download; caught.name = this.download; }; })()"""
BYTES = "caught[0].arrayBuffer().then(b => { let t = ''; for (const v of new Uint8Array(b)) t += String.fromCharCode(v); return btoa(t) })"


def opened(tab, address, hash_, ready="true"):
    tab.go("about:blank")
    tab.go(f"{address}#/{hash_}")
    tab.until(PAINTED.format(hash_[1], ready))
    tab.js(CATCH)


def taken(tab, what):
    tab.js("caught.length = 0")
    tab.key("e")
    tab.until("document.querySelector('dialog.take')?.open")
    tab.js(f"[...document.querySelectorAll('dialog.take li button')].find(b => b.innerText === '{what}').click()")
    tab.until("caught.length === 1")
    tab.until("!document.querySelector('dialog.take')")
    return tab.js("caught.name"), base64.b64decode(tab.js(BYTES))


def table(data):
    return list(csv.reader(io.StringIO(data.decode(), newline="")))


def test_the_numbers_are_the_traces(quiet, followed):
    opened(quiet, followed, "e5")
    name, data = taken(quiet, "CSV")
    assert name == "specimen-e5-pathways.csv"
    header, *rows = table(data)
    assert header[:5] == ["epoch", "layer", "unit", "units", "what"]
    for layer in ("hidden_1", "hidden_2"):
        own = np.array([row[5:] for row in rows if row[1] == layer], float)
        known = specimen("followed").read(layer, "attribution", [5])[0]
        np.testing.assert_allclose(own, known, atol=2e-4 * np.abs(known).max())
    quiet.js("nissl.look.view = 'confusion'")
    quiet.until("document.querySelector('section.view h1').innerText.startsWith('What each example')")
    _, *rows = table(taken(quiet, "CSV")[1])
    counts = np.array([row[3] for row in rows], int).reshape(10, 10)
    np.testing.assert_array_equal(counts, specimen("followed").array("probe_confusion", epoch=5))


def test_a_picture_holds_words_cells_and_the_place(quiet, followed):
    opened(quiet, followed, "e5/hidden_1/n3?stain=0,4&lamp=dark", "nissl.picture?.()")
    name, data = taken(quiet, "SVG")
    assert name == "specimen-e5-hidden_1-n3-pathways.svg"
    words = "".join(ElementTree.fromstring(data.decode()).itertext())
    for said in ("What each unit adds to 0 and 4", "hidden_2", "share recognised", "e5/hidden_1/n3?stain=0,4"):
        assert said in words
    assert b"<script" not in data
    _, data = taken(quiet, "PNG")
    assert data[:4] == b"\x89PNG"
    seen = pixels(data)
    box = quiet.js(
        "(() => { const b = document.querySelector('section.view').getBoundingClientRect(), c = document.querySelector('canvas').getBoundingClientRect(); return [c.x - b.x, c.y - b.y] })()"
    )
    shades = quiet.js("Array.from({length: 64}, (_, cell) => nissl.shade({slide: 0, cell}))")
    at = quiet.js(
        "(() => { const s = nissl.picture().slabs[0].slide; return Array.from({length: 64}, (_, cell) => { const p = s.place[cell], c = p % s.columns + .5, r = Math.floor(p / s.columns) + .5; return [s.origin[0] + c * s.across[0] + r * s.down[0], s.origin[1] + c * s.across[1] + r * s.down[1]] }) })()"
    )
    near = [
        np.abs(seen[int(2 * (y + box[1])), int(2 * (x + box[0]))] - 255 * rgb(shade)).max() < 12
        for (x, y), shade in zip(at, shades, strict=True)
        if shade
    ]
    assert np.mean(near) > 0.8, "cells are where they are on the screen, at twice its pixels"


def pixels(data):
    """(row, column, rgb) of a PNG of 8 bits, without a library."""
    at, packed, (width, height, kind) = 8, b"", (0, 0, 0)
    while at < len(data):
        size, name = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        body = data[at + 8 : at + 8 + size]
        if name == b"IHDR":
            width, height, kind = int.from_bytes(body[:4], "big"), int.from_bytes(body[4:8], "big"), body[9]
        if name == b"IDAT":
            packed += body
        at += size + 12
    deep = {2: 3, 6: 4}[kind]
    lines = np.frombuffer(zlib.decompress(packed), np.uint8).reshape(height, 1 + width * deep)
    found, above = np.zeros((height, width, deep), np.uint8), np.zeros((width, deep), np.int64)
    for row, line in enumerate(lines):
        above = unfiltered(int(line[0]), line[1:].reshape(width, deep).astype(np.int64), above)
        found[row] = above
    return found[..., :3].astype(float)


def unfiltered(how, line, above):
    if how == 0:
        return line
    if how == 1:
        return np.cumsum(line, 0) % 256
    if how == 2:
        return (line + above) % 256
    found, left, corner = line.copy(), np.zeros(line.shape[1], np.int64), np.zeros(line.shape[1], np.int64)
    for x in range(len(line)):
        if how == 3:
            guess = (left + above[x]) // 2
        else:
            whole = left + above[x] - corner
            far = np.abs(np.stack([whole - left, whole - above[x], whole - corner]))
            guess = np.where(
                (far[0] <= far[1]) & (far[0] <= far[2]), left, np.where(far[1] <= far[2], above[x], corner)
            )
        found[x] = left = (line[x] + guess) % 256
        corner = above[x]
    return found


VIEWS = {
    "neuron": ("e5/hidden_1/n3?view=neuron", ["epoch", "layer", "unit", "what", "class", "value"]),
    "samples": ("e5?view=samples", ["epoch", "example", "is", "said", "p said", "p is"]),
    "sample": ("e5?view=samples&sample=3", ["example", "epoch", "what", "of", "value", "usually"]),
    "projector": ("e5/hidden_1?view=projector", ["epoch", "layer", "example", "x", "y", "is", "said", "gathered"]),
    "maps": ("e5/hidden_1?view=maps", ["epoch", "layer", "unit", "units", "x", "y", *"0123456789"]),
    "graph": ("e5?view=graph&stain=3", ["epoch", "node", "kind", "parameters", "multiplications", "3"]),
    "run": ("e5?view=run", ["epoch", "layer", "what", "value"]),
}


def test_each_view_gives_the_numbers_that_it_shows(quiet):
    seen, found = sampled(), {}
    with address_of(seen, quiet) as address:
        for name, (hash_, header) in VIEWS.items():
            opened(quiet, address, hash_)
            quiet.until("nissl.look.table !== null && nissl.look.table().rows.length > 0")
            if name in ("neuron", "sample"):
                quiet.until("new Set(nissl.look.table().rows.map(row => row[0] + '/' + row[1])).size > 3")
            named, *found[name] = table(taken(quiet, "CSV")[1])
            assert named == header
    mean = seen.read("hidden_1", "probe_class_mean", [5])[0][3]
    own = [float(row[5]) for row in found["neuron"] if row[0] == "5" and row[3] == "activity"]
    np.testing.assert_allclose(own, mean, atol=2e-4 * np.abs(mean).max())
    is_, said = seen.array("probe_label", 5), seen.array("probe_prediction", 5)
    assert {(int(row[2]), int(row[3])) for row in found["samples"]} == {
        (a, b) for a, b in zip(is_, said, strict=True) if a != b
    }
    assert len(found["samples"]) == (is_ != said).sum()
    assert [int(row[5]) for row in found["projector"]] == is_.tolist()
    assert [int(row[2]) for row in found["maps"]] == list(range(12))
    assert {row[1] for row in found["graph"]} >= {"hidden_1", "hidden_2", "output"}
    told = {int(row[0]): float(row[3]) for row in found["run"] if row[2] == "loss, held out" or row[2] == "loss"}
    assert told == pytest.approx(dict(zip(seen.epochs, seen.scalars["probe_loss"].values, strict=True)))
    outputs = seen.read("output", "samples", [5])[0][3].astype(float)
    chances = [float(row[4]) for row in found["sample"] if row[1] == "5" and row[2] == "probability"]
    np.testing.assert_allclose(chances, np.exp(outputs) / np.exp(outputs).sum(), atol=0.005)


def test_structures_give_their_units(quiet, followed):
    opened(quiet, followed, "e5?view=structures&target=3-8", "document.querySelectorAll('.members li').length > 0")
    header, *rows = table(taken(quiet, "CSV")[1])
    assert header == ["epoch", "target", "layer", "unit", "score", "low", "high"]
    family = specimen("followed").structures(5)
    wanted = [(name, unit.layer, unit.unit) for name in "38" for unit in family[name].units]
    assert [(row[1], row[2], int(row[3])) for row in rows] == wanted


@pytest.mark.parametrize(("words", "then"), [
    ("hidden_2 7", "nissl.look.picked?.slide === 1 && nissl.look.picked.cell === 7"),
    ("hidden_1", "nissl.look.view === 'layers' && nissl.look.slide === 0"),
    ("epoch 2", "nissl.look.epoch === 2"),
    ("view conf", "false"),
    ("conf", "nissl.look.view === 'confusion'"),
])  # fmt: skip
def test_anything_is_found_by_its_name(quiet, followed, words, then):
    opened(quiet, followed, "e5")
    quiet.key("/")
    quiet.until("document.querySelector('dialog.find')?.open")
    for letter in words:
        quiet.key(letter)
    if then == "false":
        quiet.until("document.querySelector('dialog.find p')?.innerText === 'Nothing is called so in this run.'")
        return
    quiet.until("!!document.querySelector('dialog.find li')")
    quiet.key("Enter")
    quiet.until(then)
    quiet.until("document.querySelector('dialog.find') === null")
