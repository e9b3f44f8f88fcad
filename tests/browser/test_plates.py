"""Layers too large for a cell a unit: in a real browser every unit has its own pixel, is found there, and brushed."""

import base64

import numpy as np
import pytest

from nissl.core.palette import PAPER, STAIN10, rgb
from nissl.testing.specimens import chain, trace
from nissl.views._staining.dye import Causal
from tests.browser.conftest import address_of

UNITS, SIDE = 22_500, 150
COUNTERSTAIN = rgb("#6f6f78")
DONE = "document.querySelector('.plate canvas')?.dataset.epoch === '{}'"


@pytest.fixture(scope="module")
def seen():
    return trace(chain(UNITS, 8, 10), epochs=(0, 1, 2), followed=(0, 1, 2), weights=False)


@pytest.fixture(scope="module")
def wide(seen):
    with address_of(seen) as address:
        yield address


@pytest.fixture
def opened(quiet, wide):
    quiet.size(1000, 900)
    quiet.go(f"{wide}#/e1/hidden_1?view=layers")
    quiet.until(DONE.format(1))
    return quiet


def order(tab):
    return np.array(tab.js("nissl.look.files.part('plates/0.bin').then(ground => [...ground.order])"))


def wanted(seen, epoch):
    found = Causal(seen, epoch).stain("hidden_1", range(10))
    return found.depth.argmax(1), found.depth.max(1), found.grey


def seen_pixels(tab):
    return np.frombuffer(tab.pixels(".plate canvas"), np.uint8).reshape(SIDE * SIDE, 3).astype(float)


def test_every_unit_has_a_pixel_of_its_own_colour(opened, seen):
    assert f"{UNITS:,} of {UNITS:,} neurons, a pixel each, none left out" in opened.js(
        "document.querySelector('.plate').innerText"
    )
    lies = order(opened)
    for epoch in (1, 2):
        owner, depth, grey = wanted(seen, epoch)
        inks = np.array([rgb(ink) for ink in STAIN10])[owner]
        clear = -np.log(np.maximum(inks, 0.02)) * depth[:, None] - np.log(COUNTERSTAIN) * grey[:, None]
        colours = 255 * np.array(rgb(PAPER)) * np.exp(-clear)
        assert np.ptp(colours, 0).min() > 100, "there is something to see"
        np.testing.assert_allclose(seen_pixels(opened), colours[lies], atol=4)  # half a step of depth and of grey
        opened.key("ArrowRight")
        opened.until(DONE.format(2))


def test_a_stain_that_is_let_go_leaves_its_units_pale_and_the_others_as_they_were(opened, seen):
    before = seen_pixels(opened)
    at = opened.js("document.querySelector('.plate canvas').dataset.at")
    opened.key("3")
    opened.until(f"document.querySelector('.plate canvas').dataset.at !== '{at}'")
    owner, depth, _ = wanted(seen, 1)
    lies = order(opened)
    own = (owner[lies] == 3) & (depth[lies] > 0.3)
    after = seen_pixels(opened)
    assert own.any() and (np.ptp(after[own], 1) < 30).all()
    np.testing.assert_array_equal(after[owner[lies] != 3], before[owner[lies] != 3])


def test_a_unit_is_found_under_the_pointer_kept_by_its_own_number_and_found_again(opened, seen, wide):
    lies = order(opened)
    x, y, wide_, high = opened.js(
        "(() => { const b = document.querySelector('.plate .map').getBoundingClientRect(); return [b.x, b.y, b.width, b.height] })()"
    )
    column, row = 71, 33
    unit = int(lies[row * SIDE + column])
    opened.click(x + (column + 0.5) * wide_ / SIDE, y + (row + 0.5) * high / SIDE)
    opened.until(f"location.hash === '#/e1/hidden_1/n{unit}?view=layers'")
    assert f"neuron {unit}" in opened.js("document.querySelector('.lens').innerText")
    opened.go("about:blank")
    opened.go(f"{wide}#/e1/hidden_1/n{unit}?view=neuron")
    opened.until(
        f"document.querySelector('section[aria-label=Neuron] h1')?.innerText.includes('neuron {unit} of hidden_1')"
    )
    opened.until("document.querySelector('.said p').innerText.includes('This one alone')")
    for place, name in enumerate(("attribution", "probe_class_mean")):
        said = opened.js(
            f"[...document.querySelectorAll('.twins section:nth-child({place + 1}) .value')].map(one => Number(one.innerText))"
        )
        np.testing.assert_allclose(said, seen.read("hidden_1", name, [1])[0][unit], rtol=6e-3, atol=2e-3)


def test_a_line_round_units_brushes_just_these(opened):
    lies = order(opened)
    x, y, wide_, high = opened.js(
        "(() => { const b = document.querySelector('.plate .map').getBoundingClientRect(); return [b.x, b.y, b.width, b.height] })()"
    )
    corners = [(20.25, 10.25), (60.25, 10.25), (60.25, 30.25), (20.25, 30.25), (20.25, 11.25)]
    spots = [(x + c * wide_ / SIDE, y + r * high / SIDE) for c, r in corners]
    for what, spot in zip(
        ["mousePressed", *["mouseMoved"] * 5, "mouseReleased"], [spots[0], *spots, spots[-1]], strict=True
    ):
        opened.mouse(what, *spot)
    found = opened.until("nissl.look.brushing.all[0]?.units")
    rows, columns = np.mgrid[10:30, 20:60]
    inside = sorted(lies[rows * SIDE + columns].ravel().tolist())
    assert len(set(found) ^ set(inside)) <= 2 * (40 + 20), "but for what the line itself runs through"
    faint = np.frombuffer(
        base64.b64decode(
            opened.js(
                "(() => { const c = document.querySelector('.plate canvas'), d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;"
                "let t = ''; for (let i = 3; i < d.length; i += 4) t += String.fromCharCode(d[i]); return btoa(t) })()"
            )
        ),
        np.uint8,
    )
    np.testing.assert_array_equal(faint == 255, np.isin(lies, found))


def test_a_page_that_holds_no_plates_says_so_and_shows_cells(quiet, seen, tmp_path):
    from nissl.apps.report import report

    quiet.go(report(seen, tmp_path / "wide.html").as_uri() + "#/e1/hidden_1?view=layers")
    quiet.until(
        "document.querySelector('section[aria-label=Layers]')?.innerText.includes('Not every unit can be shown here')"
    )
    assert quiet.js("document.querySelectorAll('.plate:not([hidden])').length") == 0
    assert quiet.js("document.querySelectorAll('.maps .map canvas').length") == 11
