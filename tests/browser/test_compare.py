"""Two epochs compared in a real browser: exactly the cells that were changed are coloured, in nissl's own colours of change."""

import numpy as np
import pytest

from nissl.core.palette import PAPER, hexadecimal, ramp, rgb
from nissl.core.store import ArraySpec, Column, Record
from nissl.core.trace import Trace
from nissl.stores.memory import Memory
from nissl.testing.specimens import specimen
from tests.browser.conftest import address_of
from tests.browser.test_page import opened, picture, settled

SHADES = "Array.from({length: 12}, (_, cell) => nissl.shade({slide: 0, cell}))"
BY = {2: -0.5, 5: 1.0, 9: 0.2}
"""What class a's activity of these units changes by, of a layer whose full depth is 1."""


@pytest.fixture(scope="module")
def planted():
    store = Memory("planted")
    store.create({"classes": ["a", "b"]})
    spec = ArraySpec("probe_class_mean", ("neuron", "class"), (12, 2), layer="hidden", labels={"class": ("a", "b")}, columns=(Column("", "first"),))  # fmt: skip
    store.declare([spec])
    first = np.full((12, 2), 0.5)
    first[:, 1] = 1.0
    first[5, 0] = 0.0
    for epoch in (3, 8):
        grown = first.copy()
        for unit, by in BY.items():
            grown[unit, 0] += by * (epoch == 8)
        store.append(Record(epoch, {spec.key: grown}, {}))
    store.close()
    with address_of(Trace(store)) as address:
        yield address


def test_exactly_what_changed_is_coloured(quiet, planted):
    opened(quiet, planted, "e8?stain=a&vs=e3")
    quiet.until("nissl.look.before !== null")
    settled(quiet)
    expected = [hexadecimal(ramp("change", 0.5 + BY.get(unit, 0.0) / 2)) for unit in range(12)]
    found = quiet.js(SHADES)
    for unit in range(12):
        np.testing.assert_allclose(255 * rgb(found[unit]), 255 * rgb(expected[unit]), atol=1.5)
        assert (found[unit] == PAPER) == (unit not in BY)
    head = quiet.js("document.querySelector('h1').innerText")
    assert head.startswith("e8 − e3: how active each unit is for a changed")
    assert "3 of 12 cells changed by more than 5 %" in quiet.js("document.querySelector('.said').innerText")
    quiet.js("nissl.look.view = 'layers'")
    quiet.until("document.querySelectorAll('.map canvas').length === 3")
    for place, coloured in ((0, 3), (1, 3), (2, 0)):
        seen = quiet.js(
            f"(() => {{ const c = document.querySelectorAll('.map canvas')[{place}]; return [...c.getContext('2d').getImageData(0, 0, c.width, c.height).data] }})()"
        )
        colours = np.reshape(seen, (-1, 4))[:12, :3]
        assert (np.abs(colours - 255 * rgb(PAPER)).max(1) > 2).sum() == coloured


def test_marks_and_the_address_say_the_same(quiet, followed):
    opened(quiet, followed, "e2?stain=3,8")
    quiet.key("a")
    quiet.until("location.hash === '#/e2?stain=3,8&mark=e2'")
    quiet.key("ArrowRight")
    quiet.until("location.hash === '#/e5?stain=3,8&mark=e2'")
    settled(quiet)
    plain = picture(quiet)
    quiet.key("c")
    quiet.until("location.hash === '#/e5?stain=3,8&vs=e2' && nissl.look.before !== null")
    settled(quiet)
    seen = picture(quiet)
    assert seen.shape != plain.shape or (np.abs(seen.astype(int) - plain).max(-1) > 8).mean() > 0.01
    assert quiet.js("document.querySelector('h1').innerText").startswith("e5 − e2: how what each unit adds to 3 and 8")
    opened(quiet, followed, "e5?stain=3,8&vs=e2")
    quiet.until("nissl.look.before !== null")
    settled(quiet)
    np.testing.assert_array_equal(picture(quiet), seen)
    quiet.key("c")
    quiet.until("location.hash === '#/e5?stain=3,8&mark=e2'")
    settled(quiet)
    np.testing.assert_array_equal(picture(quiet), plain)


def test_an_epoch_beside_itself_is_paper(quiet, followed):
    opened(quiet, followed, "e5?vs=e5&stain=3")
    quiet.until("nissl.look.before !== null")
    settled(quiet)
    shades = quiet.js("Array.from({length: 64}, (_, cell) => nissl.shade({slide: 0, cell}))")
    assert set(shades) == {PAPER}
    assert quiet.js("nissl.picture().ribbons.length") == 0


def test_confusion_shows_the_difference_of_counts(quiet, followed):
    opened_at = f"{followed}#/e5?view=confusion&vs=e1"
    quiet.go("about:blank")
    quiet.go(opened_at)
    quiet.until("nissl.look.before !== null && document.querySelector('.confused .matrix g') !== null")
    cells = quiet.js(
        "[...document.querySelectorAll('.confused .matrix g')].map(one => Number((one.querySelector('.times')?.textContent ?? '0').replace('−', '-')))"
    )
    seen = specimen("followed")
    counts = [seen.array("probe_confusion", epoch=epoch).astype(int) for epoch in (5, 1)]
    np.testing.assert_array_equal(np.reshape(cells, (10, 10)), counts[0] - counts[1])
    wrong = counts[1].sum() - np.trace(counts[1])
    assert f"{wrong} wrong at epoch 1" in quiet.js("document.querySelector('.said').innerText")


def test_maps_and_a_neuron_show_what_changed(quiet, followed):
    seen = specimen("followed")
    unit = int(seen.read("hidden_1", "probe_class_mean", [5])[0].sum(1).argmax())
    quiet.go("about:blank")
    quiet.go(f"{followed}#/e5/hidden_1/n{unit}?view=neuron&vs=e2&dye=contrast")
    quiet.until("document.querySelectorAll('.twins .bars .then').length === 20")
    assert quiet.js("document.querySelector('h1').innerText").startswith("e5 − e2:")
    for place, name in enumerate(("attribution", "probe_class_mean")):
        now, then = (seen.read("hidden_1", name, [epoch])[0][unit] for epoch in (5, 2))
        said = quiet.js(
            f"[...document.querySelectorAll('.twins .bars')[{place}].querySelectorAll('.value')].map(one => one.innerText.replace('−', '-'))"
        )
        np.testing.assert_allclose([float(one) for one in said], now - then, atol=6e-3 * np.abs(now).max())
    quiet.js("nissl.look.view = 'maps'")
    quiet.until("document.querySelectorAll('.topo canvas').length === 10 && nissl.look.table?.().rows.length === 64")
    assert quiet.js("document.querySelector('h1').innerText").startswith("e5 − e2:")
    rows = np.array(quiet.js("nissl.look.table().rows.map(row => row.slice(6))"), float)
    now, then = (seen.read("hidden_1", "probe_class_mean", [epoch])[0].astype(float) for epoch in (5, 2))
    wanted = now - now.mean(1, keepdims=True) - (then - then.mean(1, keepdims=True))
    np.testing.assert_allclose(rows, wanted, atol=1e-3 * np.abs(now).max())
    quiet.js("nissl.look.change(false)")
    quiet.until("!document.querySelector('h1').innerText.includes('−')")
