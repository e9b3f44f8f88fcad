"""Layers, neuron and confusion in a real browser: the trace's own numbers, one selection through all of them."""

import base64
import json

import numpy as np
import pytest

from nissl.core.palette import PAPER, STAIN10, absorb, rgb
from nissl.testing.specimens import chain, specimen, trace
from tests.browser.conftest import address_of

READY = (
    "nissl.look.cells?.epoch === {0} && document.querySelector('section.view.page h1')?.innerText.includes('epoch {0}')"
)


def opened(tab, address, hash_):
    tab.go("about:blank")
    tab.go(f"{address}#/{hash_}")
    tab.until(READY.format(hash_[1]))


def added(layer, epoch):
    return specimen("followed").read(layer, "attribution", [epoch])[0].astype(float)


def numbers(tab, selector):
    return tab.js(f"[...document.querySelectorAll({json.dumps(selector)})].map(one => Number(one.innerText))")


def test_a_map_a_class_shows_what_each_unit_adds(quiet, followed):
    opened(quiet, followed, "e5/hidden_1?view=layers")
    quiet.until("document.querySelectorAll('.map canvas').length === 11")
    table = added("hidden_1", 5)
    positive = np.maximum(table, 0)
    full = np.percentile(positive.max(1), 99)
    order = quiet.js("nissl.look.index.layers[0].orders.causal")
    for k in (0, 7):
        data = base64.b64decode(quiet.js(
            f"(() => {{ const c = document.querySelectorAll('.map canvas')[{k + 1}]; const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;"
            "return btoa(String.fromCharCode(...d)) })()"
        ))  # fmt: skip
        seen = np.frombuffer(data, np.uint8).reshape(-1, 4)[:64, :3].astype(float)
        depth = np.sqrt(np.minimum(positive[order, k] / full, 1))
        np.testing.assert_allclose(seen, 255 * absorb(rgb(PAPER), depth[:, None], (STAIN10[k],)), atol=1.6)
        listed = numbers(quiet, f".maps figure:nth-child({k + 2}) .best button")
        assert listed == np.argsort(-table[:, k], kind="stable")[:6].tolist()
    owners = np.where(positive.max(1) > 0, positive.argmax(1), -1)
    said = quiet.js(
        "[...document.querySelectorAll('figcaption .aside')].map(one => Number(one.innerText.split(' ')[0]))"
    )
    assert said == [int((owners == k).sum()) for k in range(10)]


def test_a_cell_of_one_map_is_marked_on_all_and_kept_in_every_view(quiet, followed):
    opened(quiet, followed, "e5/hidden_2?view=layers")
    quiet.until("document.querySelectorAll('.map canvas').length === 11")
    x, y, unit = quiet.js(
        "(() => { const b = document.querySelectorAll('.map')[1].getBoundingClientRect(), o = nissl.look.index.layers[1].orders.causal;"
        "return [b.x + b.width / 12, b.y + b.height / 12, o[0]] })()"
    )
    quiet.click(x, y)
    quiet.until(f"location.hash === '#/e5/hidden_2/n{unit}?view=layers'")
    assert quiet.js("document.querySelectorAll('.map .spot.kept').length") == 11
    quiet.key("Enter")
    quiet.until(
        f"document.querySelector('section[aria-label=Neuron] h1')?.innerText.startsWith('neuron {unit} of hidden_2')"
    )
    quiet.key("Escape")
    quiet.until("document.querySelector('.stage canvas')?.dataset.painter")
    assert quiet.js("document.querySelectorAll('.ring.picked').length") == 1
    quiet.until(f"location.hash === '#/e5/hidden_2/n{unit}'")


def test_a_neuron_has_both_profiles_and_its_history(quiet, followed):
    opened(quiet, followed, "e2/hidden_2/n7?view=neuron&stain=3,8")
    seen = specimen("followed")
    for place, name in enumerate(("attribution", "probe_class_mean")):
        said = numbers(quiet, f".twins section:nth-child({place + 1}) .value")
        np.testing.assert_allclose(said, seen.read("hidden_2", name, [2])[0][7], rtol=6e-3, atol=2e-4)
    quiet.until("document.querySelector('.said p').innerText.includes('4 of 4 epochs read')")
    lines = quiet.js(
        "[...document.querySelectorAll('.twins .plot path')].map(one => one.getAttribute('d').split('L').length)"
    )
    assert lines == [4, 4, 4, 4], "two classes of each profile, over four epochs"
    quiet.key("ArrowRight")
    quiet.until(READY.format(5))
    said = numbers(quiet, ".twins section:nth-child(1) .value")
    np.testing.assert_allclose(said, seen.read("hidden_2", "attribution", [5])[0][7], rtol=6e-3, atol=2e-4)


def test_without_a_neuron_the_strongest_are_offered(quiet, followed):
    tab = quiet
    tab.go("about:blank")
    tab.go(f"{followed}#/e5?view=neuron&stain=4")
    tab.until("document.querySelectorAll('section.page .foot button').length === 2")
    assert numbers(tab, "section.page .foot button") == [
        int(added(name, 5)[:, 4].argmax()) for name in ("hidden_1", "hidden_2")
    ]


def test_confusion_holds_the_counts_and_a_click_stains_two_classes(quiet, followed):
    opened(quiet, followed, "e2?view=confusion")
    seen = specimen("followed")
    counts = seen.array("probe_confusion", epoch=2)
    cells = quiet.js(
        "[...document.querySelectorAll('.confused .matrix g')].map(one => Number(one.querySelector('.times')?.textContent ?? 0))"
    )
    np.testing.assert_array_equal(np.reshape(cells, (10, 10)), counts)
    wrong = int(counts.sum() - np.trace(counts))
    assert f"{counts.sum()} examples judged · {wrong} wrong" in quiet.js("document.querySelector('.said p').innerText")
    quiet.until("document.querySelectorAll('.film .matrix').length === 4")
    assert quiet.js("document.querySelectorAll('.lines .plot path').length") == 20
    i, j = next((i, j) for i, j in np.argwhere(counts > 0) if i < j)
    quiet.js(
        f"document.querySelectorAll('.confused .matrix g rect')[{10 * i + j}].dispatchEvent(new MouseEvent('click', {{bubbles: true}}))"
    )
    quiet.until(f"location.hash === '#/e2?view=confusion&stain={i},{j}'")
    quiet.js("document.querySelectorAll('.film button')[3].click()")
    quiet.until(READY.format(5))


@pytest.mark.parametrize("view", ["layers", "neuron", "confusion"])
@pytest.mark.parametrize(
    "name", ["no classes", "many classes", "several labels", "followed at last", "unjudged", "silent"]
)
def test_no_view_breaks_on_odd_traces(quiet, name, view):
    from tests.browser.conftest import address_of

    with address_of(specimen(name), quiet) as address:
        quiet.go(f"{address}#/?view={view}")
        quiet.until("document.querySelector('section.page h1')?.innerText.length > 20")
        quiet.key("Home")
        quiet.until("nissl.look.place === 0 && !nissl.look.loading")
        assert quiet.js("document.documentElement.scrollWidth - innerWidth") <= 0


def test_names_of_ordinary_length_are_whole_where_they_stand(quiet):
    names = ["airplane", "automobile", "bird", "cat", "dog"]
    quiet.size(1440, 900)
    with address_of(trace(chain(16, 5), names), quiet) as address:
        quiet.go(f"{address}#/e5")
        quiet.until("document.querySelectorAll('.port .name').length === 5")
        cut = "[...document.querySelectorAll('.port .name')].filter(one => one.scrollWidth > one.clientWidth).length"
        assert quiet.js("[...document.querySelectorAll('.port .name')].map(one => one.innerText)") == names
        assert quiet.js(cut) == 0
        opened(quiet, address, "e5?view=confusion")
        quiet.until("document.querySelectorAll('.confused .matrix g rect').length === 25")
        above = "[...document.querySelectorAll('.confused .matrix text[transform]')]"
        assert quiet.js(f"{above}.map(one => one.firstChild.data)") == names
        outside = quiet.js(
            f"""{above}.filter(one => {{ const a = one.getBoundingClientRect(), b = one.ownerSVGElement.getBoundingClientRect();
            return a.left < b.left - 1 || a.right > b.right + 1 || a.top < b.top - 1 }}).length"""
        )
        assert outside == 0


def test_bars_begin_at_one_line_whatever_their_names(quiet):
    begins = (
        "[...new Set([...document.querySelectorAll('{}')].map(one => Math.round(one.getBoundingClientRect().left)))]"
    )
    with address_of(trace(chain(16, 5), ["a", "automobile", "bird", "cat", "dog"]), quiet) as address:
        quiet.go(f"{address}#/e5/hidden_1/n3?view=neuron&stain=0")
        quiet.until("document.querySelectorAll('section.page .bars .well').length >= 5")
        assert len(quiet.js(begins.format("section.page .bars .well"))) == 1
        assert quiet.js("Math.min(...[...document.querySelectorAll('section.page .bars .well')].map(one => one.clientWidth))") > 40  # fmt: skip


def test_a_class_without_an_example_has_no_blank_map_and_no_line_at_nothing(quiet):
    with address_of(specimen("followed unheard"), quiet) as address:
        quiet.go(f"{address}#/e5/hidden_1/n3?view=layers&stain=0,3")
        quiet.until("document.querySelectorAll('.maps .unheard').length === 2")
        assert quiet.js("document.querySelectorAll('.maps canvas').length") == 9  # all together, and eight classes
        assert "most its own" not in quiet.js("document.querySelector('.maps figure:has(.unheard)').innerText")
        quiet.go(f"{address}#/e5/hidden_1/n3?view=maps&stain=0,3")
        quiet.until("document.querySelectorAll('.maps .unheard').length === 2 && nissl.look.view === 'maps'")
        assert "region" not in quiet.js("document.querySelector('.maps figure:has(.unheard)').innerText")
        quiet.go(f"{address}#/e5/hidden_1/n3?view=neuron&stain=0,3")
        quiet.until(
            "[...document.querySelectorAll('.plot')].map(one => one.querySelectorAll('path').length).join() === '1,1'"
        )


@pytest.mark.parametrize(("wide", "least"), [(1440, 13), (390, 7)])
def test_names_beside_the_pathways_are_told_apart_by_their_ends(quiet, wide, least):
    names = [f"striped salamander no. {number}" for number in range(20, 40)]
    quiet.size(wide, 900)
    with address_of(trace(chain(16, 20), names, range(3)), quiet) as address:
        quiet.go(f"{address}#/e2?stain=0,3,7,9,12,19")
        quiet.until("document.querySelectorAll('.port .name').length === 6")
        ports = "[...document.querySelectorAll('.port .name')]"
        assert quiet.js(f"{ports}.every(one => one.scrollWidth <= one.clientWidth)")
        assert quiet.js(f"{ports}.map(one => one.innerText.slice(-2)).join()") == "20,23,27,29,32,39"
        assert quiet.js(f"{ports}.every(one => one.innerText.length >= {least})")


@pytest.mark.parametrize(("wide", "side"), [(1440, 14), (390, 7)])
def test_of_a_hundred_classes_the_most_mistaken_have_a_matrix(quiet, wide, side):
    seen = specimen("many classes")
    counts = np.asarray(seen.array("probe_confusion", epoch=2))
    quiet.size(wide, 900)
    with address_of(seen, quiet) as address:
        quiet.go(f"{address}#/e2?view=confusion&stain=3,4")
        quiet.until("document.querySelectorAll('.confused .lines path').length === 2")
        assert quiet.js("document.querySelectorAll('.confused > .matrix g').length") == side**2
        said = quiet.js("document.querySelector('.said p').innerText")
        wrong = counts.sum() - np.trace(counts)
        assert f"{wrong:,} wrong" in said
        assert f"{side} of 100 classes" in said
        quiet.js(
            "document.querySelectorAll('.confused > .matrix g .live')[1].dispatchEvent(new MouseEvent('click', {bubbles: true}))"
        )
        assert quiet.js("nissl.look.stains") == sorted(quiet.js("nissl.look.cells.among")[:2])
        quiet.go(f"{address}#/e2?view=confusion&vs=e0")
        then = np.asarray(seen.array("probe_confusion", epoch=0))
        quiet.until(
            f"document.querySelector('.said p').innerText.includes('{then.sum() - np.trace(then):,} wrong at epoch 0')"
        )
        assert "as they are at epoch 2" in quiet.js("document.querySelector('.said p').innerText")


def test_beside_the_bars_of_a_few_of_many_classes_is_the_course_of_those(quiet):
    seen = specimen("followed many classes")
    table = np.asarray(seen.read("hidden_1", "attribution", [7])[0])
    unit = int(np.argmax(table[:, 50:].max(1)))
    with address_of(seen, quiet) as address:
        quiet.go(f"{address}#/e7/hidden_1/n{unit}?view=layers&stain=3,4")
        quiet.until(
            "document.querySelectorAll('.strip canvas').length === 1 && document.querySelector('.strip canvas').height === 12"
        )
        strongest = sorted(np.argsort(-np.abs(table[unit]))[:12].tolist())
        shown = quiet.js("[...document.querySelectorAll('aside .bars .name')].map(one => one.title)")
        assert shown == [f"class number {k}" for k in strongest]
        quiet.until("nissl.look.files.busy === 0")
        grey = quiet.js(
            "(() => { const c = document.querySelector('.strip canvas'); const d = c.getContext('2d').getImageData(c.width - 1, 0, 1, 12).data;"
            " return [...Array(12).keys()].map(k => d[4 * k] + d[4 * k + 1] + d[4 * k + 2]) })()"
        )
        assert int(np.argmin(grey)) == int(np.argmax([table[unit][k] for k in strongest]))
