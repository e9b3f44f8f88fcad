"""Structures as the page reads them: those of the trace, saved ones, events, owners; and those found when asked for."""

import json
import sys
from dataclasses import replace

import numpy as np
import pytest

import nissl
from nissl.core.belonging import owners
from nissl.core.deletions import deletions
from nissl.core.structure import Structure
from nissl.errors import BadValue, MissingData, UnknownKey
from nissl.studies._feed.dyeing import whose
from nissl.studies._feed.structures import named, saved
from nissl.studies.alive import alive
from nissl.studies.bench import Bench
from nissl.studies.feed import Feed
from nissl.studies.train import train
from nissl.testing.specimens import chain, specimen, trace
from nissl.views._staining.rack import MOST_CELLS
from tests.studies.test_feed import unpacked


def units(head, arrays, place):
    """The named structure's units as (layer, unit), the first at the top."""
    start = sum(one["listed"] for one in head["structures"][:place])
    stop = start + head["structures"][place]["listed"]
    names = [head["layers"][k] for k in arrays["layer"][start:stop]]
    return list(zip(names, arrays["unit"][start:stop].tolist(), strict=True)), arrays["score"][start:stop]


def test_an_epochs_structures_are_the_traces():
    seen = specimen("followed")
    for epoch in (seen.epochs[-1], seen.epochs[1]):
        head, arrays = unpacked(Feed(seen).file(f"structures/{epoch}.bin"))
        family = seen.structures(epoch)
        assert [one["target"] for one in head["structures"]] == [*family, "backbone"]
        for place, one in enumerate([*family.values(), family.backbone]):
            found, scores = units(head, arrays, place)
            assert found == [(unit.layer, unit.unit) for unit in one.units]
            np.testing.assert_allclose(scores, [unit.score for unit in one.units], rtol=1e-6)
            assert head["structures"][place]["count"] == len(one)
        assert head["total"] == sum(one.every().values())


def test_events_are_the_traces():
    seen = specimen("followed")
    head, arrays = unpacked(Feed(seen).file("structures/events.bin"))
    frame = seen.structure_events(lasting=head["lasting"])
    assert head["every"] == len(frame) == len(arrays["epoch"]) > 0
    for place, row in enumerate(frame.itertuples(index=False)):
        assert (head["kinds"][arrays["kind"][place]], seen.classes[arrays["class"][place]]) == (row.event, row[2])
        assert arrays["epoch"][place] == row.epoch
        if row.event != "freeze":
            assert (head["layers"][arrays["layer"][place]], arrays["unit"][place]) == (row.layer, row.neuron)


def test_a_report_needs_no_package_of_analysis(monkeypatch):
    for package in ("pandas", "xarray", "pyarrow", "sklearn", "dask", "polars"):
        monkeypatch.setitem(sys.modules, package, None)  # as if it were not installed
    feed = Feed(specimen("followed"))
    names = list(feed.names())
    assert "structures/events.bin" in names
    for name in names:
        assert feed.file(name)


def test_owners_over_the_epochs_are_the_traces():
    seen = specimen("followed")
    feed = Feed(seen)
    for place, layer in enumerate(feed.index()["layers"]):
        head, arrays = unpacked(feed.file(f"structures/owners.{place}.bin"))
        assert head["epochs"] == feed.stage.slides.followed
        for row, epoch in zip(arrays["owner"], head["epochs"], strict=True):
            table = np.asarray(seen.read(layer["name"], "attribution", [epoch])[0], float)
            assert row.tolist() == owners(table).tolist()


def test_a_saved_structure_is_a_dye_of_every_cell(tmp_path):
    seen = specimen("followed")
    three, eight = seen.structures()["3"], seen.structures()["8"]
    whole = three.having({"hidden_1": [0]})
    few = replace(whole, scores={"hidden_1": three.scores["hidden_1"]}, ranking={"hidden_1": three.ranking["hidden_1"]})
    kept = [one.save(tmp_path / f"{name}.json") for name, one in (("a", three), ("b", three - eight), ("c", few))]
    feed = Feed(seen, saved=kept)
    assert {f"structures/dye.{place}.bin" for place in range(3)} <= set(feed.names())
    for place, one in enumerate((three, three - eight, few)):
        head, arrays = unpacked(feed.file(f"structures/dye.{place}.bin"))
        assert (head["target"], head["class"], head["count"]) == (one.target, 3, len(one))
        slides = feed.index()["layers"]
        assert set(arrays) == {str(k) for k, layer in enumerate(slides) if layer["name"] in one.scores}
        for name, table in arrays.items():
            scores = one.scores[slides[int(name)]["name"]]
            np.testing.assert_allclose(
                table[0] / 32767 * head["tables"][name]["most"], scores, atol=np.abs(scores).max() / 6e4
            )


@pytest.mark.parametrize(
    ("target", "number"),
    [
        ("3", 0),
        ("33", 1),
        ("3 and not 8", 0),
        ("(33 | 3)", 1),
        ("((3 - 33) & 8)", 0),
        ("backbone", -1),
        ("a (b)", 2),
        ("a (b) and not 3", 2),
    ],
)
def test_whose_ink_a_structure_takes(target, number):
    assert whose(target, ("3", "33", "a (b)")) == number


def test_cells_of_several_units_take_the_mean_of_their_scores(tmp_path):
    seen = trace(chain(MOST_CELLS + 500, 10), epochs=(0, 1))
    units = {name: seen.units(name) for name in seen.layers}
    rng = np.random.default_rng(0)
    scores = {name: rng.normal(size=count) for name, count in units.items()}
    one = Structure("0", {}, scores, scores, scores, scores, {}, {"by": "made up"}, "none")
    feed = Feed(seen, saved=[one.save(tmp_path / "one.json")])
    head, arrays = unpacked(feed.file("structures/dye.0.bin"))
    several = 0
    for place, (name, glass) in enumerate(feed.stage.slides.shown.items()):
        wanted = [scores[name][glass.cell == cell].mean() for cell in range(len(glass.first))]
        found = arrays[str(place)][0] / 32767 * head["tables"][str(place)]["most"]
        np.testing.assert_allclose(found, wanted, atol=1e-4)
        several += not glass.alone
    assert several


def test_a_saved_structure_is_shown_and_one_of_another_network_refused(tmp_path):
    seen = specimen("followed")
    one = seen.structures()["3"]
    good, bad = one.save(tmp_path / "three.json"), tmp_path / "bad.json"
    text = json.loads(good.read_text())
    bad.write_text(json.dumps({**text, "scores": {**text["scores"], "hidden_1": [1.0]}}))
    broken = tmp_path / "broken.json"
    broken.write_text("{")
    feed = Feed(seen, saved=[good, bad, broken, tmp_path / "gone.json"])
    assert feed.index()["parts"]["structures"]["saved"] == ["three", "bad", "broken", "gone"]
    head, arrays = unpacked(feed.file("structures/saved.0.bin"))
    assert units(head, arrays, 0)[0] == [(unit.layer, unit.unit) for unit in one.units]
    for place, words in ((1, "another network"), (2, "no structure that nissl saved"), (3, "no file")):
        with pytest.raises((BadValue, ValueError, MissingData), match=words):
            feed.file(f"structures/saved.{place}.bin")
    for odd in ("saved.9.bin", "saved.x.bin", "owners.9.bin", "events.1.bin", "5.3.bin", "x.bin", "5", "../5.bin"):
        with pytest.raises(UnknownKey):
            feed.file(f"structures/{odd}")


def test_files_lie_beside_the_run_or_are_named(tmp_path):
    one = specimen("followed").structures()["3"]
    beside = one.save(tmp_path / "structures" / "digits" / "a.json")
    assert saved(str(tmp_path / "digits")) == [beside]
    assert saved("") == saved("s3://bucket/run") == saved(str(tmp_path / "other")) == []
    assert named([beside, beside.parent]) == [beside, beside]
    for odd in (tmp_path / "none.json", tmp_path / "structures"):
        with pytest.raises(MissingData):
            named([odd])


def test_without_any_it_is_said_what_would_record_them():
    feed = Feed(specimen("binary"))
    assert "--quantities structures" in feed.index()["parts"]["structures"]["absent"]
    assert not [name for name in feed.names() if name.startswith("structures/")]


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    pytest.importorskip("torch")
    run = tmp_path_factory.mktemp("runs") / "digits"
    train(run, epochs=3, progress=False, device="cpu", model_options={"hidden": (20, 12)}, seed=1)
    trace = nissl.open(run)
    return Bench(Feed(trace, network=alive(trace, str(run))).stage)


def test_what_is_found_when_asked_for_is_nissls(bench):
    told, shares = bench.answer("structure", {"target": ["3"], "by": "attribution_patching", "size": 0.2}), []
    seen = bench.rig.stage.subject
    one = nissl.structure(seen.model, seen.discovery, "3", by="attribution_patching", size=0.2, classes=seen.classes)
    assert [(told["layers"][k], unit) for k, unit in zip(told["layer"], told["unit"], strict=True)] == [
        (unit.layer, unit.unit) for unit in one.units
    ]
    np.testing.assert_allclose(told["low"], [unit.low for unit in one.units], rtol=1e-5)
    assert told["every_edge"] == len(one.edges) > 0
    assert told["edges"][0][4] == pytest.approx(one.edges[0].signed, rel=1e-5)
    pair = bench.answer("structure", {"target": ["3", "8"]}, shares.append)
    assert len(pair["structures"]) == 1
    assert "margin" in pair["recipe"]["metric"]
    assert max(shares) > 0
    json.dumps([told, pair], allow_nan=False)


def test_a_proof_and_the_table_of_deletions_are_nissls(bench):
    question = {"target": ["3"], "by": "attribution_patching", "size": 0.2}
    told = bench.answer("verify", question)
    seen = bench.rig.stage.subject
    one = nissl.structure(seen.model, seen.discovery, "3", by="attribution_patching", size=0.2, classes=seen.classes)
    report = one.verify(bench.rig.judging)
    assert told["verdict"] == list(report.verdict)
    assert told["deleted"]["accuracy"] == pytest.approx(report.deleted.accuracy)
    assert told["held_out"] is True
    table = bench.answer("deletions", {"by": "attribution_patching", "size": 0.2})
    family = nissl.structures(seen.model, seen.discovery, by="attribution_patching", size=0.2, classes=seen.classes)
    wanted = deletions(family, bench.rig.judging)
    np.testing.assert_allclose(table["accuracy"], wanted.accuracy, rtol=1e-5)
    assert table["deleted"] == list(wanted.deleted)
    json.dumps([told, table], allow_nan=False)


@pytest.mark.parametrize("question", [
    {}, {"target": []}, {"target": ["x"]}, {"target": ["3", "3"]}, {"target": ["1", "2", "3"]}, {"target": [3]},
    {"target": ["3"], "by": "../x"}, {"target": ["3"], "size": 0.0}, {"target": ["3"], "size": 7.0}, {"target": ["3"], "x": 1},
], ids=range(10))  # fmt: skip
def test_odd_questions_are_refused(bench, question):
    with pytest.raises(BadValue):
        bench.answer("structure", question)
