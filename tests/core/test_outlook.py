"""Addresses of the page in Python: the same strings mean the same, and what means nothing is refused in words."""

import json
from dataclasses import asdict
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import nissl
from nissl.core.outlook import VIEWS, Outlook
from nissl.errors import BadValue
from nissl.testing.specimens import specimen

KNOWN = json.loads((Path(__file__).parents[2] / "web" / "tests" / "addresses.json").read_text())
names = st.text(min_size=1, max_size=8)
numbers = st.integers(0, 10**6)
several = st.lists(numbers, min_size=1, max_size=20).map(lambda found: tuple(sorted(set(found))))


@st.composite
def outlooks(draw):
    maybe = lambda of: draw(st.none() | of)  # noqa: E731 - a word for what is said twelve times
    epoch = maybe(numbers)
    layer = None if epoch is None else maybe(names.filter(lambda name: not name.startswith("L_")))
    versus = maybe(numbers)
    return Outlook(
        epoch=epoch, layer=layer, unit=None if layer is None else maybe(numbers), view=maybe(st.sampled_from(VIEWS)),
        stains=maybe(st.lists(names, max_size=4).map(tuple)), versus=versus, compared=versus is not None and draw(st.booleans()),
        other=maybe(numbers), sample=maybe(numbers), target=maybe(st.lists(names, min_size=1, max_size=2).map(tuple)),
        brush=draw(st.dictionaries(names, several, max_size=3)), examples=maybe(st.lists(numbers, min_size=1, max_size=20, unique=True).map(tuple)),
        cell=maybe(st.tuples(names, names, st.none() | numbers)),
        dye=maybe(st.sampled_from(["causal", "contrast"]) | names.map("saved:{}".format)), lamp=maybe(st.sampled_from(["bright", "dark"])),
    )  # fmt: skip


@given(outlooks())
def test_it_comes_back_as_it_was_written_whatever_names_are_like(one):
    for text in (str(one), f"#/{one}"):
        assert Outlook.of(text) == one
    assert str(one).isascii()
    assert " " not in str(one)


@pytest.mark.parametrize("known", KNOWN, ids=lambda known: known["text"])
def test_it_is_read_as_the_page_reads_it(known):
    if "wrong" in known:
        with pytest.raises(BadValue) as refused:
            Outlook.of(known["text"])
        assert known["wrong"] in str(refused.value)
        return
    found = Outlook.of("#/" + known["text"])
    assert str(found) == known["text"]
    says = {**known["says"]}
    if "brush" in says:
        says["brush"] = {one["layer"]: one["units"] for one in says["brush"]}
    if "cell" in says:
        says["cell"] = [says["cell"]["is"], says["cell"]["said"], says["cell"]["epoch"]]
    assert json.loads(json.dumps(asdict(found))) == json.loads(json.dumps(asdict(Outlook()))) | says


def test_a_trace_takes_all_of_it_and_refuses_what_means_nothing():
    trace = specimen("followed")
    whole = "#/e5/hidden_1/n3?stain=3,8&vs=e2&brush=hidden_1:3-7,12;hidden_2:4&examples=3,7-9&cell=3-8:e2&dye=saved:a+b"
    assert trace[whole].signature == "E_5-L_hidden_1-n_3"
    with pytest.raises(BadValue, match="brush=hidden_1:x means nothing here: it is units by layer"):
        trace["e5?brush=hidden_1:x"]


def test_a_view_opens_at_an_outlook_as_at_its_address(monkeypatch):
    opened = []
    monkeypatch.setattr("nissl.apps.server.view", lambda run, at, **serving: opened.append(at))
    there = nissl.Outlook.of("#/e5/hidden_1/n3?stain=3,8")
    nissl.view("run", there)
    specimen("followed").view(there)
    assert opened == ["e5/hidden_1/n3?stain=3,8"] * 2


def test_examples_keep_the_order_in_which_they_were_gathered_and_units_are_numbered():
    told = "e5?brush=hidden_1:3-5,9&examples=12,7-9,3"
    found = nissl.Outlook.of("e5?brush=hidden_1:9,3-5,4&examples=12,7-9,8,3")
    assert (found.brush, found.examples, str(found)) == ({"hidden_1": (3, 4, 5, 9)}, (12, 7, 8, 9, 3), told)
    assert str(nissl.Outlook(epoch=5, brush={"hidden_1": (9, 5, 4, 3)}, examples=(12, 7, 8, 9, 3))) == told
