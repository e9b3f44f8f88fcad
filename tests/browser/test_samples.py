"""Single examples in a real browser: the list, one example's page, what a cell of the confusion gathers, what drives a unit."""

import itertools

import numpy as np
import pytest

from nissl.apps import server
from nissl.core.attributing import attribute
from nissl.data.digits import Digits
from nissl.studies.subject import Subject
from nissl.testing.sampled import sampled
from tests.browser.conftest import address_of


@pytest.fixture(scope="module")
def run():
    from torch import nn

    model = nn.Sequential()
    for name, layer in (
        ("flat", nn.Flatten()), ("hidden_1", nn.Linear(64, 12)), ("bend_1", nn.ReLU()), ("hidden_2", nn.Linear(12, 8)),
        ("bend_2", nn.ReLU()), ("output", nn.Linear(8, 10)),
    ):  # fmt: skip
        model.add_module(name, layer)
    splits = Digits().load()
    seen = sampled(epochs=(0, 5))
    with pytest.MonkeyPatch.context() as patched:
        made = lambda: Subject("mine", model, splits.train, splits.test, splits.classes)  # noqa: E731
        patched.setattr(server, "alive", lambda *_: made)
        with address_of(seen) as address:
            yield seen, address, model


def opened(tab, address, rest):
    tab.go("about:blank")
    tab.go(f"{address}#/{rest}")
    tab.until("nissl.look.phase === 'ready' && !nissl.look.loading")


def test_mistakes_are_listed_the_surest_first_and_one_has_a_page(quiet, run):
    seen, address, _ = run
    opened(quiet, address, "e5?view=samples")
    quiet.until("document.querySelectorAll('.examples li').length > 0")
    said, is_ = seen.array("probe_prediction", 5), seen.array("probe_label", 5)
    wrong = np.flatnonzero(said != is_)
    listed = quiet.js("[...document.querySelectorAll('.examples b')].map(one => Number(one.innerText.split(' ')[1]))")
    assert sorted(listed) == wrong.tolist()
    outputs = seen.read("output", "samples", [5])[0].astype(float)
    sure = (np.exp(outputs) / np.exp(outputs).sum(1, keepdims=True)).max(1)
    assert (np.diff(sure[listed]) < 0.005).all()
    quiet.js("document.querySelector('.examples button').click()")
    quiet.until(f"location.hash.includes('sample={listed[0]}')")
    quiet.until("document.querySelectorAll('.panels .pixels').length === 5")
    assert quiet.js("[...document.querySelectorAll('.panels thead th')].slice(1).map(one => one.innerText)") == [
        "source", "baseline", "saliency", "delta", "overlay",
    ]  # fmt: skip
    assert len(quiet.js("[...document.querySelectorAll('.odd li')].map(one => one.innerText)")) == 12
    quiet.key("n")
    quiet.until(f"nissl.look.sample === {listed[1]}")
    quiet.key("Escape")
    quiet.until("nissl.look.sample === null && nissl.look.view === 'samples'")


def test_a_map_has_the_sign_and_the_depth_of_nissls_own(quiet, run):
    _, address, model = run
    opened(quiet, address, "e5?view=samples&sample=9")
    quiet.until("document.querySelectorAll('.panels .pixels').length === 5")
    buttons = "[...document.querySelectorAll('.explained .choice button')]"
    quiet.js(f"{buttons}.find(one => one.innerText === 'guided backprop').click()")
    quiet.until("document.querySelectorAll('.panels .pixels').length === 2")
    found = attribute(model, Digits().load().test.x[9:10], by="guided_backprop").values[0, 0]
    pixels = np.frombuffer(quiet.pixels(".panels td:last-child canvas"), np.uint8).reshape(8, 8, 3).astype(float)
    warm = pixels[..., 0] - pixels[..., 2]
    deep = np.abs(found) > 0.3 * np.abs(found).max()
    assert (np.sign(warm[deep]) == np.sign(found[deep])).all()


def test_a_cell_of_the_confusion_gathers_its_examples_for_every_view(quiet, run):
    seen, address, _ = run
    opened(quiet, address, "e5?view=confusion")
    quiet.until("document.querySelectorAll('.confused .matrix g rect').length === 100")
    said, is_ = seen.array("probe_prediction", 5), seen.array("probe_label", 5)
    i, j = next((a, b) for a in range(10) for b in range(10) if a != b and ((is_ == a) & (said == b)).any())
    quiet.until("document.querySelector('.film') === null || document.querySelectorAll('.film .matrix').length > 0")
    quiet.until("document.querySelector('.foot.aside')?.innerText.includes('gathers')")
    quiet.js(
        f"document.querySelectorAll('.confused .matrix g rect')[{10 * i + j}].dispatchEvent(new MouseEvent('click', {{bubbles: true}}))"
    )
    wanted = np.flatnonzero((is_ == i) & (said == j)).tolist()
    quiet.until("nissl.look.gathered.length > 0")
    assert quiet.js("nissl.look.gathered") == wanted
    cell = quiet.until("/[?&](cell=[^&]*)/.exec(location.hash)?.[1]")
    quiet.js("nissl.look.brushed = {layer: 'hidden_1', units: [3, 4, 7]}")
    whole = quiet.until(
        f"location.hash.includes('{cell}') && location.hash.includes('brush=hidden_1:3-4,7') && location.hash"
    )
    quiet.go("about:blank")
    quiet.go(f"{address}{whole}")
    quiet.until("nissl.look.gathered?.length > 0")
    assert quiet.js("nissl.look.gathered") == wanted
    assert quiet.js("nissl.look.brushing.all") == [{"layer": "hidden_1", "units": [3, 4, 7]}]
    quiet.key("Home")
    quiet.until(f"location.hash.includes('{cell}:e5')")
    quiet.key("End")
    quiet.until("!nissl.look.loading && nissl.look.epoch === 5")
    assert seen[whole].number == 5  # the same words do in Python
    quiet.js("[...document.querySelectorAll('.foot button')].find(one => one.innerText.startsWith('see ')).click()")
    quiet.until(f"document.querySelectorAll('.examples li').length === {len(wanted)}")


def test_driving_examples_and_a_portrait_on_request(quiet, run):
    seen, address, _ = run
    opened(quiet, address, "e5/hidden_1/n3?view=neuron")
    quiet.until("document.querySelectorAll('.drives canvas').length === 9")
    values = seen.read("hidden_1", "samples", [5])[0].astype(float)[:, 3]
    titles = quiet.js("[...document.querySelectorAll('.drives button')].map(one => Number(one.title.split(' ')[1]))")
    assert titles == np.argsort(-values, kind="stable")[:9].tolist()
    quiet.js(
        "[...document.querySelectorAll('.drivers button')].find(one => one.innerText === 'draw its portrait').click()"
    )
    quiet.until("document.querySelector('.portrait canvas') !== null", 60)
    quiet.js("document.querySelector('.drives button').click()")
    quiet.until(f"nissl.look.sample === {titles[0]} && nissl.look.view === 'samples'")


def test_letters_stay_readable_however_many_epochs_there_are(quiet):
    with address_of(sampled(epochs=range(60)), quiet) as address:
        quiet.size(390, 844)
        opened(quiet, address, "e59?view=samples&sample=3")
        quiet.until("document.querySelectorAll('.answers text').length > 12")
        sizes = quiet.js(
            "[...document.querySelectorAll('.answers text')].map(one => parseFloat(getComputedStyle(one).fontSize) * one.getScreenCTM().a)"
        )
        assert min(sizes) >= 11
        edges = quiet.js(
            "[...document.querySelectorAll('.answers text[text-anchor=middle]')].map(one => (b => [b.left, b.right])(one.getBoundingClientRect()))"
        )
        assert all(before[1] <= after[0] for before, after in itertools.pairwise(edges))
        assert quiet.js("document.documentElement.scrollWidth - innerWidth") <= 0
