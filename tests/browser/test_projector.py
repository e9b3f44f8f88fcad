"""Examples as points in a real browser: the projection's own places and colours, a line drawn around some, both painters."""

import json

import numpy as np
import pytest

from nissl.apps.report import report
from nissl.core.palette import STAIN10, rgb
from nissl.studies._feed import points
from nissl.studies.feed import Feed
from nissl.testing.sampled import sampled
from nissl.testing.specimens import specimen
from tests.browser.conftest import address_of
from tests.studies.test_feed import unpacked

CANVAS = "document.querySelector('.points canvas')"
READY = CANVAS + "?.dataset.epoch === '{}' && nissl.field()?.rings !== null"


@pytest.fixture(scope="module")
def run():
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(points, "QUICK", 0)  # PCA is there at once
        seen = sampled(epochs=(0, 5))
        with address_of(seen) as address:
            yield seen, address


def opened(tab, address, rest="", painter="canvas"):
    tab.go("about:blank")
    tab.go(f"{address}?painter={painter}#/e5/hidden_1?view=projector&stain=0,1,2,3,4,5,6,7,8,9{rest}")
    tab.until(READY.format(5))
    tab.until(f"{CANVAS}.dataset.painter === '{painter}'")
    tab.js("new Promise(then => requestAnimationFrame(() => requestAnimationFrame(() => then(1))))")


def placed(tab):
    """Where every point is on its canvas, and which class it is of."""
    found = tab.js(
        "(() => { const f = nissl.field(); return {places: [...f.places], lens: f.lens, size: f.size, width: f.width} })()"
    )
    places = np.reshape(found["places"], (-1, 2)) / 65535
    lens = found["lens"]
    at = np.stack([lens["x"] + places[:, 0] * lens["scale"], lens["y"] + (1 - places[:, 1]) * lens["scale"]], 1)
    return at, found


def apart(at):
    """How far each is from its nearest."""
    return (np.linalg.norm(at[:, None] - at[None], axis=2) + np.eye(len(at)) * 1e9).min(1)


@pytest.mark.parametrize("painter", ["canvas", "webgl2"])
def test_points_lie_where_the_projection_has_them_in_the_dye_of_their_class(quiet, run, painter):
    trace, address = run
    opened(quiet, address, painter=painter)
    feed = Feed(trace)
    np.testing.assert_array_equal(
        quiet.js("[...nissl.field().places]"), unpacked(feed.file("points/0.pca.5.bin"))[1]["places"].ravel()
    )
    at, found = placed(quiet)
    pixels = np.frombuffer(quiet.pixels(".points canvas"), np.uint8).reshape(-1, found["width"], 3)
    labels, said = trace.array("probe_label", 5), trace.array("probe_prediction", 5)
    free = apart(at) > found["size"] / 2 + 5
    ringed = free & (labels != said)
    assert free.sum() > 40
    assert ringed.sum() > 3
    for i in np.flatnonzero(free):
        x, y = at[i].astype(int)
        np.testing.assert_allclose(pixels[y, x], 255 * np.array(rgb(STAIN10[labels[i]])), atol=2)
        if ringed[i]:
            around = pixels[y - 8 : y + 9, x - 8 : x + 9].reshape(-1, 3).astype(float)
            assert np.abs(around - 255 * np.array(rgb(STAIN10[said[i]]))).sum(1).min() < 12, "the ring"
    assert quiet.js("document.querySelector('.said p').innerText").startswith("359 of 359 examples drawn")


def test_both_painters_paint_the_same(quiet, run):
    _, address = run
    seen = []
    for painter in ("canvas", "webgl2"):
        opened(quiet, address, "&vs=e0", painter)
        quiet.js("nissl.look.gathered = [...Array(90).keys()]; 1")
        quiet.until(f"{CANVAS}.dataset.gathered === '90' && nissl.field().trails !== null")
        quiet.js("new Promise(requestAnimationFrame).then(() => 1)")
        _, found = placed(quiet)
        seen.append(
            np.frombuffer(quiet.pixels(".points canvas"), np.uint8).reshape(-1, found["width"], 3).astype(float)
        )
    assert (seen[0] != seen[0][0, 0]).any()
    assert np.abs(seen[0] - seen[1]).mean() < 0.9


def test_a_line_drawn_gathers_what_lies_within_for_every_view(quiet, run):
    _, address = run
    opened(quiet, address)
    at, _ = placed(quiet)
    box = quiet.js(f"(() => {{ const b = {CANVAS}.getBoundingClientRect(); return [b.x, b.y] }})()")
    low, high = np.quantile(at, 0.2, axis=0), np.quantile(at, 0.7, axis=0)
    inside = np.flatnonzero(((at > low) & (at < high)).all(1))
    corners = [(low[0], low[1]), (high[0], low[1]), (high[0], high[1]), (low[0], high[1])]
    for what, (x, y) in zip(
        ("mousePressed", *["mouseMoved"] * 3, "mouseReleased"), [*corners, corners[-1]], strict=True
    ):
        quiet.mouse(what, box[0] + x, box[1] + y)
    quiet.until("nissl.look.gathered.length > 0")
    found = set(quiet.js("nissl.look.gathered"))
    edge = np.flatnonzero((np.abs(at[:, None] - np.stack([low, high])) < 1.5).any((1, 2)))
    assert found ^ set(inside.tolist()) <= set(edge.tolist())
    assert f"{len(found)} of 359 selected" in quiet.js("document.querySelector('.said p').innerText")
    quiet.js("[...document.querySelectorAll('.deeds button')].find(one => one.innerText === 'see them').click()")
    quiet.until("document.querySelectorAll('.examples li').length > 0")
    quiet.until(
        "document.querySelector('[aria-label=Samples] .controls [aria-pressed=true]').innerText.startsWith('gathered')"
    )
    listed = quiet.js("[...document.querySelectorAll('.examples b')].map(one => Number(one.innerText.split(' ')[1]))")
    assert set(listed) <= found
    assert len(listed) == min(len(found), 120)


def test_the_keyboard_gathers_a_class_and_a_point_is_in_the_address(quiet, run):
    trace, address = run
    opened(quiet, address)
    quiet.js("document.querySelectorAll('.mix button')[3].focus()")
    quiet.key("Enter")
    quiet.js("document.activeElement.click()")
    quiet.until("nissl.look.gathered.length > 0")
    assert quiet.js("nissl.look.gathered") == np.flatnonzero(trace.array("probe_label", 5) == 3).tolist()
    before = quiet.js("nissl.field().lens.scale")
    quiet.key("+")
    quiet.until(f"nissl.field().lens.scale > {before}")
    at, _ = placed(quiet)
    box = quiet.js(f"(() => {{ const b = {CANVAS}.getBoundingClientRect(); return [b.x, b.y, b.width, b.height] }})()")
    inside = np.flatnonzero(((at > 20) & (at < np.array(box[2:]) - 20)).all(1))
    sample = int(inside[0])
    near = np.flatnonzero(np.linalg.norm(at - at[sample], axis=1) < 0.5)
    quiet.click(box[0] + at[sample, 0], box[1] + at[sample, 1])
    quiet.until("nissl.look.sample !== null")
    assert quiet.js("nissl.look.sample") in near
    quiet.until("location.hash.includes('sample=')")
    quiet.until("document.querySelector('aside canvas.thumb') !== null")


def test_a_run_without_samples_says_what_would_record_them(quiet):
    with address_of(specimen("followed"), quiet) as address:
        for view in ("projector", "samples"):
            quiet.go("about:blank")
            quiet.go(f"{address}#/?view={view}")
            quiet.until("document.querySelector('section.view .said p')?.innerText.includes('quantities')")


def test_a_report_holds_the_points_and_pictures(quiet, tmp_path, monkeypatch):
    monkeypatch.setattr(points, "QUICK", 0)
    file = report(sampled(epochs=(5,)), tmp_path / "points.html")
    quiet.go(f"{file.as_uri()}#/e5?view=projector")
    quiet.until(READY.format(5))
    quiet.js("nissl.look.sample = 3; 1")
    quiet.until("document.querySelector('aside canvas.thumb') !== null")
    held = json.loads(quiet.js("JSON.stringify(nissl.look.index.parts.points)"))
    assert held["kept"] == [5]
    quiet.js("[...document.querySelectorAll('.controls button')].find(one => one.innerText === 't-SNE').click()")
    quiet.until("document.querySelector('.trouble')?.innerText.includes('nissl view')")
