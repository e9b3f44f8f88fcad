"""The page in a real browser: it paints what the trace holds, and stepping, staining and pointing change it."""

from itertools import pairwise

import numpy as np
import pytest

from nissl.core.marks import Ribbons
from nissl.core.palette import COUNTERSTAIN, PAPER, absorb, rgb
from nissl.testing.specimens import specimen
from nissl.views.pathways import Pathways
from tests.views.seeing import slides

PAINTED = "document.querySelector('canvas')?.dataset.epoch === '{}' && document.querySelector('canvas').dataset.painter"
SHADES = """(layer, count) => Array.from({length: count}, (_, cell) => nissl.shade({slide: layer, cell}))"""


def opened(tab, address, hash_="", query=""):
    """The page anew, painted at the epoch of its address."""
    tab.go("about:blank")
    tab.go(f"{address}{query}#/{hash_}")
    epoch = hash_.split("/")[0].split("?")[0][1:] or "5"
    return tab.until(PAINTED.format(epoch))


def picture(tab):
    """(row, column, rgb) of the canvas."""
    width, height = tab.js("[document.querySelector('canvas').width, document.querySelector('canvas').height]")
    return np.frombuffer(tab.pixels(), np.uint8).reshape(height, width, 3)


STILL = """(async () => {
  const seen = () => { const { width, height, dataset } = document.querySelector("canvas"); return [width, height, dataset.at].join(); };
  const before = seen();
  for (let frame = 0; frame < 3; frame++) await new Promise(requestAnimationFrame);
  return seen() === before && document.querySelector("canvas").dataset.epoch === String(nissl.look.epoch);
})()"""


def settled(tab):
    """The epoch that is looked at is on the canvas, which nothing has painted anew for three frames."""
    tab.until(STILL)


def centres(tab, layer, count):
    """Where cells lie on the canvas."""
    found = tab.js(
        f"""(() => {{ const one = nissl.picture().slabs[{layer}].slide; return Array.from({{length: {count}}}, (_, cell) => {{
        const p = one.place[cell], c = p % one.columns + .5, r = Math.floor(p / one.columns) + .5;
        return [one.origin[0] + c * one.across[0] + r * one.down[0], one.origin[1] + c * one.across[1] + r * one.down[1]]; }}) }})()"""
    )
    return np.array(found)


@pytest.mark.parametrize(
    ("dye", "stains"), [("causal", [3, 8]), ("causal", range(10)), ("contrast", [1]), ("contrast", range(10))]
)
def test_cells_have_the_colours_of_nissls_own_picture(quiet, followed, dye, stains):
    opened(quiet, followed, f"e2?dye={dye}&stain={','.join(map(str, stains))}")
    drawn = slides(Pathways(specimen("followed"), epoch=2, dye=dye, classes=list(stains)).describe())
    for number, name in enumerate(("hidden_1", "hidden_2")):
        tiles = drawn[name]
        light = np.clip(
            absorb(rgb(PAPER), np.concatenate([tiles.grey[:, None], tiles.depth], 1), (COUNTERSTAIN, *tiles.dyes)), 0, 1
        )
        expected = {
            int(unit): 255 * colour
            for unit, colour, quiet_ in zip(tiles.unit, light, tiles.silent, strict=True)
            if not quiet_
        }
        found = quiet.js(f"({SHADES})({number}, {len(tiles.unit)})")
        assert {unit for unit, colour in enumerate(found) if colour} == set(expected)
        for unit, colour in expected.items():
            np.testing.assert_allclose(255 * rgb(found[unit]), colour, atol=1.5)
        order = quiet.js(f"Array.from(nissl.picture().slabs[{number}].slide.order)")
        assert order == tiles.unit.tolist(), "and lie in the same order"


@pytest.mark.parametrize("asked", ["webgl2", "canvas"])
def test_pixels_are_those_colours(quiet, followed, asked):
    assert opened(quiet, followed, "e5?stain=0,4", f"?painter={asked}") == asked
    quiet.js("nissl.look.paths = null")  # cells alone
    settled(quiet)
    seen = picture(quiet)
    for layer, count in ((0, 64), (1, 32)):
        shades = quiet.js(f"({SHADES})({layer}, {count})")
        at = centres(quiet, layer, count).round().astype(int)
        for (x, y), shade in zip(at, shades, strict=True):
            if shade:
                np.testing.assert_allclose(seen[y, x], 255 * rgb(shade), atol=2)
    assert (seen[2, 2] == np.round(255 * rgb(PAPER))).all()


def test_both_painters_paint_the_same(quiet, followed):
    quiet.size(800, 560)
    for hash_ in ("e5?stain=0,4", "e5?stain=0,1,2,4", "e2?stain=3&lamp=dark"):
        seen = []
        for query in ("?painter=webgl2", "?painter=canvas"):
            assert query.endswith(opened(quiet, followed, hash_, query))
            settled(quiet)
            seen.append(picture(quiet).astype(float))
        difference = np.abs(seen[0] - seen[1])
        assert difference.mean() < 3, hash_
        assert (difference.max(-1) > 60).mean() < 0.01, hash_


def test_ribbons_are_painted_where_paths_are_and_have_their_class_s_dye(quiet, followed):
    quiet.size(1300, 700)
    opened(quiet, followed, "e5?stain=4")
    settled(quiet)
    with_them = picture(quiet).astype(float)
    (drawn,) = [m for m in Pathways(specimen("followed"), classes=[4]).describe().marks if isinstance(m, Ribbons)]
    assert quiet.js("nissl.picture().ribbons.length / 11") == len(drawn.width)
    quiet.js("nissl.look.paths = null")
    settled(quiet)
    changed = np.abs(picture(quiet) - with_them).sum(-1) > 12
    x, y = quiet.js(
        "(() => { const p = document.querySelectorAll('.port')[4].getBoundingClientRect(), c = document.querySelector('canvas').getBoundingClientRect(); return [p.x - c.x, p.y - c.y + p.height / 2] })()"
    )
    assert changed[round(y) - 8 : round(y) + 8, round(x) - 12].any(), "they end at the port of class 4"
    assert changed.mean() > 0.02
    red, green, _ = (with_them[changed] - 251).mean(0)
    assert red > green, "of magenta-red, which takes more green than red from the light"


def test_stepping_changes_the_picture_and_the_address(quiet, followed):
    opened(quiet, followed, "e0")
    settled(quiet)
    seen = [picture(quiet)]
    for epoch in (1, 2, 5):
        quiet.key("ArrowRight")
        quiet.until(PAINTED.format(epoch))
        settled(quiet)
        seen.append(picture(quiet))
        quiet.until(f"location.hash === '#/{f'e{epoch}'}'")
        assert f"at epoch {epoch}" in quiet.js("document.querySelector('h1').innerText")
    for one, other in pairwise(seen):
        assert (np.abs(one.astype(int) - other).max(-1) > 8).mean() > 0.01
    quiet.key("Home")
    quiet.until(PAINTED.format(0))
    settled(quiet)
    np.testing.assert_array_equal(picture(quiet), seen[0])


def test_playing_goes_to_the_end_and_stops_or_begins_anew(quiet, followed):
    opened(quiet, followed, "e0")
    quiet.key(" ")
    quiet.until("nissl.look.playing")
    quiet.until(PAINTED.format(5))
    quiet.until("!nissl.look.playing")
    quiet.js("nissl.look.looping = true")
    quiet.key(" ")
    quiet.until("nissl.look.epoch === 0")
    quiet.until("nissl.look.epoch === 5")
    quiet.until("nissl.look.epoch === 0")
    quiet.key(" ")
    quiet.until("!nissl.look.playing")


@pytest.mark.parametrize("hash_", ["e2/hidden_2/n7?stain=3,8&dye=contrast&lamp=dark", "e1?stain=", "e5/hidden_1/n63"])
def test_an_address_is_the_whole_state(quiet, followed, hash_):
    opened(quiet, followed, hash_)
    settled(quiet)
    quiet.until(f"location.hash === '#/{hash_}'")
    first = picture(quiet)
    opened(quiet, followed, hash_)
    settled(quiet)
    np.testing.assert_array_equal(picture(quiet), first)


def test_pointing_at_a_cell_tells_and_clicking_keeps(quiet, followed):
    opened(quiet, followed, "e5")
    box = quiet.js(
        "(() => { const b = document.querySelector('canvas').getBoundingClientRect(); return [b.x, b.y] })()"
    )
    shades = quiet.js(f"({SHADES})(0, 64)")
    unit = next(i for i, shade in enumerate(shades) if shade)
    x, y = centres(quiet, 0, 64)[unit] + box
    quiet.mouse("mouseMoved", x, y)
    quiet.until(f"document.querySelector('aside h2').innerText === 'hidden_1 · neuron {unit}'")
    added = specimen("followed").read("hidden_1", "attribution", [5])[0][unit]
    said = quiet.js("[...document.querySelectorAll('.bars .value')].map(v => Number(v.innerText))")
    np.testing.assert_allclose(said, added, rtol=6e-3, atol=2e-4)
    quiet.click(x, y)
    quiet.until(f"location.hash === '#/e5/hidden_1/n{unit}'")
    quiet.mouse("mouseMoved", 5, 5)
    assert quiet.js("document.querySelector('aside h2').innerText") == f"hidden_1 · neuron {unit}"
    quiet.until("document.querySelector('.strip canvas')?.width === 4")
    quiet.key("Escape")
    quiet.until("location.hash === '#/e5'")


def test_a_class_is_stained_by_its_chip_and_seen_alone_while_pointed_at(quiet, followed):
    opened(quiet, followed, "e5")
    x, y = quiet.js(
        "(() => { const b = document.querySelectorAll('.port')[3].getBoundingClientRect(); return [b.x + 40, b.y + b.height / 2] })()"
    )
    quiet.mouse("mouseMoved", x, y)
    quiet.until(
        "document.querySelector('h1').innerText === 'What each unit adds to 3 at epoch 5, and the paths that lead there.'"
    )
    quiet.click(x, y)
    quiet.mouse("mouseMoved", 5, 5)
    quiet.until("location.hash === '#/e5?stain=0,1,2,4,5,6,7,8,9'")
    assert "9 of 10 classes stained" in quiet.js("document.querySelector('.said p').innerText")


def test_the_lamp_follows_the_system_until_it_is_chosen(quiet, followed):
    quiet.prefer(color_scheme="dark")
    opened(quiet, followed, "e5")
    settled(quiet)
    assert picture(quiet)[2, 2].max() < 30
    quiet.key("d")
    quiet.until("document.documentElement.dataset.lamp === 'bright'")
    quiet.until("location.hash === '#/e5?lamp=bright'")
    settled(quiet)
    assert picture(quiet)[2, 2].min() > 240


def test_nothing_is_asked_of_anybody_else(quiet, followed):
    opened(quiet, followed, "e5")
    quiet.key("ArrowLeft")
    quiet.until(PAINTED.format(2))
    asked = [address for address in quiet.requests() if not address.startswith(("data:", "about:"))]
    assert len(asked) > 5
    assert all(address.startswith(followed) for address in asked)
    assert quiet.js(
        "document.fonts.check('13px \"Inter Variable\"') && [...document.fonts].some(f => f.status === 'loaded')"
    )


def test_a_card_that_is_imitated_is_left_alone(quiet, followed):
    assert opened(quiet, followed, "e5") == "canvas"


def test_a_card_that_is_taken_away_is_replaced(quiet, followed):
    opened(quiet, followed, "e5", "?painter=webgl2")
    settled(quiet)
    before = picture(quiet)
    quiet.js("document.querySelector('canvas').getContext('webgl2').getExtension('WEBGL_lose_context').loseContext()")
    quiet.js("document.querySelector('canvas').dataset.epoch = ''")
    quiet.until(PAINTED.format(5))
    settled(quiet)
    np.testing.assert_array_equal(picture(quiet), before)
