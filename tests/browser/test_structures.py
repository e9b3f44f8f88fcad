"""Structures in a real browser: the trace's own units, sets, events and owners; brushed from here, seen everywhere."""

import json

import numpy as np
import pytest

from nissl.core.belonging import owners
from nissl.core.palette import STAIN10, rgb
from nissl.testing.specimens import chain, specimen, trace
from tests.browser.conftest import address_of


def opened(tab, address, hash_):
    tab.go("about:blank")
    tab.go(f"{address}#/{hash_}")
    tab.until(
        "nissl.look.phase === 'ready' && !nissl.look.loading && document.querySelectorAll('.members li').length > 0"
    )


def listed(tab):
    return tab.js(
        "[...document.querySelectorAll('.members')[0].querySelectorAll('li button')].map(one => one.innerText)"
    )


def sets(tab):
    return tab.js(
        "Object.fromEntries([...document.querySelectorAll('.sets li')].map(one => [one.querySelector('button').innerText, Number(one.querySelector('b').innerText)]))"
    )


def members(one):
    return {(unit.layer, unit.unit) for unit in one.units}


def test_units_sets_and_epochs_are_the_traces_and_a_click_brushes_them(quiet, followed):
    opened(quiet, followed, "e5?view=structures&target=3-8&vs=e2")
    seen = specimen("followed")
    family = seen.structures(5)
    three, eight = family["3"], family["8"]
    assert listed(quiet) == [f"{unit.layer} · {unit.unit}" for unit in three.units[:24]]
    quiet.until("document.querySelectorAll('.sets li').length === 7")
    then = seen.structures(2)["3"]
    common = members(three) & members(then)
    assert sets(quiet) == {
        "3 & 8": len(three & eight), "3 − 8": len(three - eight), "8 − 3": len(eight - three), "backbone": len(family.backbone),
        "stayed": len(common), "here alone (epoch 5)": len(three) - len(common), "there alone (epoch 2)": len(then) - len(common),
    }  # fmt: skip
    jaccard = len(common) / len(members(three) | members(then))
    assert quiet.js("document.querySelector('[aria-label=\"beside another epoch\"] p b').innerText") == f"{jaccard:.2f}"
    quiet.js("document.querySelectorAll('.sets button')[1].click()")
    wanted = {name: sorted(which) for name, which in (three - eight).members.items()}
    brushed = quiet.js("Object.fromEntries(nissl.look.brushing.all.map(one => [one.layer, one.units]))")
    assert brushed == wanted
    quiet.js("nissl.look.view = 'pathways'")
    quiet.until("document.querySelector('.over .brushed')?.getAttribute('d').length > 20")


def test_a_target_is_in_the_address_and_chosen_by_hand(quiet, followed):
    opened(quiet, followed, "e5?view=structures")
    quiet.js("document.querySelectorAll('.target')[0].querySelectorAll('button')[4].click()")
    quiet.until("location.hash === '#/e5?view=structures&target=4'")
    quiet.js("document.querySelectorAll('.target')[1].querySelectorAll('button')[8].click()")
    quiet.until("location.hash === '#/e5?view=structures&target=4-7'")
    four = specimen("followed").structures(5)["4"]
    quiet.until(
        f"document.querySelector('.members button').innerText === '{four.units[0].layer} · {four.units[0].unit}'"
    )
    quiet.js("document.querySelector('.members button').click()")
    quiet.until(f"location.hash.startsWith('#/e5/{four.units[0].layer}/n{four.units[0].unit}?')")
    quiet.key("ArrowLeft")
    quiet.until("document.querySelector('h1').innerText.includes('at epoch 2')")
    earlier = specimen("followed").structures(2)["4"]
    quiet.until(
        f"document.querySelector('.members button').innerText === '{earlier.units[0].layer} · {earlier.units[0].unit}'"
    )


def test_the_strip_is_dyed_by_owners(quiet, followed):
    opened(quiet, followed, "e5/hidden_1?view=structures&target=3")
    seen = specimen("followed")
    epochs = quiet.js("nissl.look.index.dyes[0].epochs")
    quiet.js("nissl.look.slide = 0")
    quiet.until(f"document.querySelector('.owners canvas')?.height === {seen.units('hidden_1')}")
    flat = quiet.js(
        "(() => { const c = document.querySelector('.owners canvas'); return [...c.getContext('2d').getImageData(0, 0, c.width, c.height).data] })()"
    )
    pixels = np.reshape(flat, (seen.units("hidden_1"), len(epochs), 4))[..., :3]
    for column, epoch in enumerate(epochs):
        owner = owners(np.asarray(seen.read("hidden_1", "attribution", [epoch])[0], float))
        inks = np.array([np.round(255 * np.array(rgb(ink))) for ink in STAIN10])
        wanted = np.sort(np.bincount(owner[owner >= 0], minlength=10))
        distance = np.abs(pixels[:, column, None] - inks[None]).max(2)
        found = np.where(distance.min(1) <= 1, distance.argmin(1), -1)
        assert np.sort(np.bincount(found[found >= 0], minlength=10)).tolist() == wanted.tolist()
        assert (
            np.bincount(found[found >= 0], minlength=10).tolist()
            == np.bincount(owner[owner >= 0], minlength=10).tolist()
        )


@pytest.mark.parametrize("lamp", ["bright", "dark"])
def test_of_many_classes_the_strip_has_the_colours_of_its_legend(quiet, lamp):
    seen = trace(chain(300, 40), [f"class number {i}" for i in range(40)], (1, 2), followed=(1, 2))
    with address_of(seen, quiet) as address:
        opened(quiet, address, f"e2?stain=class%20number%203,class%20number%207&view=structures&lamp={lamp}")
        quiet.until(
            "document.querySelector('.owners canvas')?.height === 300 && document.querySelectorAll('.inks li').length === 3"
        )
        told = quiet.js(
            "[...document.querySelectorAll('.inks .chip')].map(one => getComputedStyle(one).backgroundColor)"
        )
        drawn = quiet.js(
            "(() => { const c = document.querySelector('.owners canvas'), d = c.getContext('2d').getImageData(1, 0, 1, c.height).data;"
            " return [...Array(c.height).keys()].map(row => `rgb(${[...d.slice(4 * row, 4 * row + 3)].join(', ')})`) })()"
        )
        owner = owners(np.asarray(seen.read("hidden_1", "attribution", [2])[0], float))
        for colour, whose in zip(
            told, (owner == 3, owner == 7, (owner >= 0) & (owner != 3) & (owner != 7)), strict=True
        ):
            assert drawn.count(colour) == whose.sum() > 0


def test_without_structures_it_is_said_how_to_have_them(quiet):
    with address_of(specimen("binary"), quiet) as address:
        quiet.go(f"{address}#/?view=structures")
        quiet.until("document.querySelector('.structures .said p')?.innerText.includes('--quantities structures')")
        assert quiet.js("document.querySelectorAll('.structures .choice').length") == 0


def test_a_saved_structure_dyes_cells_and_is_named(quiet, tmp_path):
    seen = specimen("followed")
    three = seen.structures()["3"]
    with address_of(seen, quiet, structure=[three.save(tmp_path / "mine & yours.json")]) as address:
        quiet.go(f"{address}#/e2")
        quiet.until("nissl.look.phase === 'ready' && !nissl.look.loading && document.querySelector('.dyes select')")
        quiet.js(
            "(() => { const s = document.querySelector('.dyes select'); s.value = '2'; s.dispatchEvent(new Event('change', {bubbles: true})) })()"
        )
        quiet.until("location.hash === '#/e2?stain=3&dye=saved:mine+%26+yours'")
        named = "adds to 3, as the saved mine & yours has it"
        quiet.until(f"document.querySelector('.legend').innerText.includes({json.dumps(named)})")
        again = quiet.js("location.hash")
        quiet.go("about:blank")
        quiet.go(f"{address}{again}")
        quiet.until("nissl.look.dyeHere === 'structure' && document.querySelector('canvas')?.dataset.epoch === '2'")
        for slide, name in enumerate(("hidden_1", "hidden_2")):
            scores = np.asarray(three.scores[name])
            shades = quiet.js(f"[...Array({len(scores)}).keys()].map(cell => nissl.shade({{slide: {slide}, cell}}))")
            assert [shade is None for shade in shades] == (scores <= 0).tolist()
            dark = [sum(int(shade[k : k + 2], 16) for k in (1, 3, 5)) if shade else 999 for shade in shades]
            order = np.argsort(-scores, kind="stable")[: (scores > 0).sum()]
            assert np.all(np.diff(np.array(dark)[order]) >= -3)  # the more it adds, the deeper
        for view in ("layers", "maps", "neuron", "graph", "structures", "projector"):
            quiet.js(f"nissl.look.view = '{view}'")
            quiet.until("document.querySelector('section.view h1').innerText.length > 10")


HOSTILE = ("<img src=x onerror=alert(1)>", "a-b", "%2D", "ä & ö")


def test_names_are_plain_text_and_come_back_from_the_address(quiet):
    seen = trace(chain(12, 10, 4), HOSTILE, (1, 2, 3), followed=(1, 2, 3))
    with address_of(seen, quiet) as address:
        quiet.go(f"{address}#/?view=structures")
        quiet.until("document.querySelectorAll('.members li').length > 0")
        quiet.js("nissl.look.targets = [0, 1]")
        quiet.until("location.hash.includes('target=')")
        quiet.js("nissl.look.go({...nissl.look.address, target: null}); nissl.look.targets = [1, 2]")
        quiet.until("location.hash.endsWith('target=a%2Db-%252D')")
        found = quiet.js("location.hash")
        quiet.go("about:blank")
        quiet.go(f"{address}{found}")
        quiet.until("JSON.stringify(nissl.look.targets) === '[1,2]'")
        quiet.until(f"document.querySelector('h1').innerText.includes({json.dumps('behind a-b and behind %2D')})")
        assert quiet.js("document.querySelectorAll('main img').length") == 0


@pytest.mark.parametrize("name", ["no classes", "many classes", "several labels", "followed at last", "silent"])
def test_the_view_breaks_on_no_odd_trace(quiet, name):
    with address_of(specimen(name), quiet) as address:
        quiet.size(390, 800)
        quiet.go(f"{address}#/?view=structures")
        quiet.until("document.querySelector('section.page h1')?.innerText.length > 20")
        quiet.key("Home")
        quiet.until("nissl.look.place === 0 && !nissl.look.loading")
        assert quiet.js("document.documentElement.scrollWidth - innerWidth") <= 0
