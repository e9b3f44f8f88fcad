"""Topographic maps in a real browser: nissl's places and colours, its most responsive regions, one selection for all views."""

from dataclasses import replace

import numpy as np
import pytest

from nissl.core.palette import ramp
from nissl.core.topomap import topomap
from nissl.testing.specimens import specimen
from tests.browser.conftest import address_of

READY = "document.querySelectorAll('.topo canvas').length === 10"


def page_values(epoch):
    """(class, unit), as the page shows activity: above the unit's mean over classes."""
    mean = specimen("followed").read("hidden_1", "probe_class_mean", [epoch])[0].astype(float)
    return (mean - mean.mean(1, keepdims=True)).T


def test_units_lie_and_are_coloured_as_nissl_has_them(quiet, followed):
    quiet.go(f"{followed}#/e2/hidden_1?view=maps&dye=contrast")
    quiet.until(f"{READY} && document.querySelector('.quality') !== null")
    one = topomap(specimen("followed"), "hidden_1")
    values = page_values(2)
    limit = float(np.quantile(np.abs(page_values(5)), 0.99))
    low, side = one.positions.min(0) - one.side / 2, float(np.ptp(one.positions, 0).max() + one.side)
    extent = np.ptp(one.positions, 0) + one.side
    low = low - (side - extent) / 2
    for number in (0, 7):
        seen, size = quiet.js(
            f"(() => {{ const c = document.querySelectorAll('.topo canvas')[{number}]; return [[...c.getContext('2d').getImageData(0, 0, c.width, c.height).data], c.width] }})()"
        )
        pixels = np.reshape(seen, (size, size, 4))[..., :3]
        column, row = ((one.positions - low) / side * size).astype(int).T
        expected = 255 * ramp("change", 0.5 + np.clip(values[number] / limit, -1, 1) / 2)
        np.testing.assert_allclose(pixels[row, column], expected, atol=3)
    wide, high = quiet.js("(b => [b.width, b.height])(document.querySelector('.topo').getBoundingClientRect())")
    assert wide == pytest.approx(high, abs=1)
    told = quiet.js("[...document.querySelectorAll('.quality b')].map(one => Number(one.innerText))")
    np.testing.assert_allclose(told[0], one.quality["trustworthiness"].value, rtol=6e-3)


@pytest.mark.parametrize("number", [0, 4])
def test_the_most_responsive_region_is_nissls_and_is_chosen_everywhere(quiet, followed, number):
    quiet.go(f"{followed}#/e5/hidden_1?view=maps&dye=contrast")
    quiet.until(READY)
    quiet.js(f"document.querySelectorAll('.region')[{number}].click()")
    quiet.until("nissl.look.brushed !== null")
    one = topomap(specimen("followed"), "hidden_1")
    region = replace(one, values=page_values(5)[None]).region(number)
    assert sorted(quiet.js("nissl.look.brushed.units")) == list(region.units)
    assert quiet.js("nissl.look.brushed.layer") == "hidden_1"
    assert quiet.js("document.querySelectorAll('.topo .chosen').length") == 10 * len(region.units)
    assert quiet.js("document.querySelector('.chosen-list h2').innerText").startswith(
        f"{len(region.units)} neurons of 64"
    )


def test_a_line_drawn_round_units_chooses_them(quiet, followed):
    quiet.go(f"{followed}#/e5/hidden_1?view=maps")
    quiet.until(READY)
    x, y, side = quiet.js(
        "(() => { const b = document.querySelector('.topo').getBoundingClientRect(); return [b.x, b.y, b.width] })()"
    )
    corners = [(0.01, 0.01), (0.49, 0.01), (0.49, 0.49), (0.01, 0.49), (0.01, 0.02)]
    at = [(x + side * a, y + side * b) for a, b in corners]
    quiet.mouse("mousePressed", *at[0])
    for px, py in at[1:]:
        quiet.ask("Input.dispatchMouseEvent", type="mouseMoved", x=px, y=py, button="left", buttons=1)
    quiet.mouse("mouseReleased", *at[-1])
    quiet.until("nissl.look.brushed !== null")
    one = topomap(specimen("followed"), "hidden_1")
    inside = np.flatnonzero((one.positions < 0.47).all(1))
    assert (
        set(inside) <= set(quiet.js("nissl.look.brushed.units")) <= set(np.flatnonzero((one.positions < 0.53).all(1)))
    )


@pytest.mark.parametrize("name", ["no classes", "many classes", "silent", "one unit"])
def test_no_trace_breaks_it(quiet, name):
    with address_of(specimen(name), quiet) as address:
        quiet.go(f"{address}#/?view=maps")
        quiet.until(
            "document.querySelector('section[aria-label=Maps]') && !document.querySelector('.foot[role=status]')", 20
        )
        assert quiet.js("document.documentElement.scrollWidth - innerWidth") <= 0
