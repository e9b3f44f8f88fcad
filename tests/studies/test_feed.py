"""What the page reads of a trace, unpacked without nissl and held to the trace and to nissl's own picture of it."""

import gzip
import json

import numpy as np
import pytest

from nissl.core.marks import Ribbons
from nissl.errors import UnknownKey
from nissl.studies._feed.paths import ALL_RIBBONS, RIBBONS
from nissl.studies.feed import Feed
from nissl.testing.specimens import SPECIMENS, chain, specimen, trace
from nissl.views.pathways import Pathways


def unpacked(data):
    """As docs/design/viewer.md says."""
    whole = gzip.decompress(data)
    length = int.from_bytes(whole[:4], "little")
    head = json.loads(whole[4 : 4 + length])
    assert (4 + length) % 4 == 0
    arrays = {}
    for one in head["arrays"]:
        kind = np.dtype(one["type"]).newbyteorder("<")
        count = int(np.prod(one["shape"]))
        arrays[one["name"]] = np.frombuffer(whole, kind, count, 4 + length + one["at"]).reshape(one["shape"])
    return head, arrays


def table(feed, epoch, layer, dye):
    """(unit, class), as it was recorded."""
    head, arrays = unpacked(feed.file(f"cells/{epoch}.bin"))
    steps = arrays[f"{layer}.{dye}"].astype(float)
    return np.where(steps == -32768, np.nan, steps / 32767 * head["tables"][f"{layer}.{dye}"]["most"]).T


@pytest.mark.parametrize("name", SPECIMENS)
def test_every_trace_has_a_page(name):
    seen = specimen(name)
    feed, again = Feed(seen, name), Feed(seen, name)
    names = list(feed.names())
    index = json.loads(feed.file("index.json"))
    assert index["epochs"] == seen.epochs
    assert len(names) == len(set(names)) > len(seen.epochs)
    for file in (*names[:4], *names[-3:]):
        assert feed.file(file) == again.file(file), "the same trace, the same bytes"
        if file.endswith(".bin"):
            unpacked(feed.file(file))
    for layer in index["layers"]:
        for order in layer["orders"].values():
            assert sorted(order) == list(range(layer["cells"]))


@pytest.mark.parametrize("name", ["followed", "followed cnn", "unheard classes", "binary"])
def test_cells_hold_what_was_recorded(name):
    seen = specimen(name)
    feed = Feed(seen)
    epoch = seen.epochs[1]
    for place, layer in enumerate(feed.index()["layers"]):
        wanted = {"contrast": "probe_class_mean"} | ({"causal": "attribution"} if layer["followed"] else {})
        for dye, recorded in wanted.items():
            expected = seen.read(layer["name"], recorded, [epoch])[0]
            found = table(feed, epoch, place, dye)
            np.testing.assert_allclose(found, expected, atol=np.nanmax(np.abs(expected)) / 32_000)
            assert (found[np.abs(expected) > 1e-4] != 0).all(), "what isn't nothing stays so"
            assert (found[expected == 0] == 0).all()


@pytest.mark.parametrize(
    ("name", "dye"), [("followed", "causal"), ("followed", "contrast"), ("cnn", "contrast"), ("followed cnn", "causal")]
)
def test_a_class_alone_has_the_paths_of_nissls_own_picture(name, dye):
    seen = specimen(name)
    feed = Feed(seen)
    for epoch in (seen.epochs[-1], seen.epochs[1]):
        head, arrays = unpacked(feed.file(f"paths/{epoch}.{dye}.bin"))
        for number in (0, 3):
            (drawn,) = [
                m
                for m in Pathways(seen, epoch=epoch, classes=[number], dye=dye).describe().marks
                if isinstance(m, Ribbons)
            ]
            at = np.cumsum([0, *(b["count"] for b in head["bundles"])])
            own = [arrays["strength"][at[i] : at[i + 1]] for i, b in enumerate(head["bundles"]) if b["class"] == number]
            strength = np.abs(np.concatenate(own)) / 32767
            np.testing.assert_allclose(np.sort(strength), np.sort(((drawn.width - 0.8) / 2.8) ** 2), atol=1 / 30_000)
            assert (np.concatenate(own) < 0).sum() == drawn.dashed.sum()


def test_paths_lead_from_the_strongest_products():
    """By brute force: activation x weight x gradient, in the last gap, where the gradient is the output's own."""
    seen = trace(chain(12, 10), epochs=(1,))
    head, arrays = unpacked(Feed(seen).file("paths/1.contrast.bin"))
    mean = seen.read("hidden_1", "probe_class_mean", [1])[0].astype(float)
    weight = seen.read("output", "weight", [1])[0].astype(float)
    at = 0
    for bundle in head["bundles"]:
        k, count = bundle["class"], bundle["count"]
        assert (bundle["source"], bundle["target"]) == (0, -1)
        slope = np.eye(10)[k] - 0.1
        size = mean[:, k] * (slope @ weight)
        expected = np.argsort(-np.abs(size), kind="stable")[:count]
        np.testing.assert_array_equal(arrays["start"][at : at + count], expected)
        np.testing.assert_array_equal(arrays["strength"][at : at + count] < 0, size[expected] < 0)
        assert bundle["total"] == (size != 0).sum()
        at += count


def test_of_many_classes_each_has_fewer_paths_and_no_picture_is_empty():
    feed = Feed(specimen("many classes"))
    head, _ = unpacked(feed.file("paths/2.contrast.bin"))
    counts = {k: sum(b["count"] for b in head["bundles"] if b["class"] == k) for k in range(100)}
    assert max(counts.values()) <= ALL_RIBBONS // 100 < RIBBONS
    assert min(counts.values()) > 0
    assert len(feed.index()["stains"]) == 8


def test_cells_of_a_large_layer_are_the_mean_of_alike_units():
    seen = trace(chain(25_000, 3), ("a", "b", "c"), (0, 1))
    feed = Feed(seen)
    layer = feed.index()["layers"][0]
    assert (layer["units"], layer["cells"]) == (25_000, 8334)
    assert sum(layer["counts"]) == 25_000
    found = table(feed, 1, 0, "contrast")
    recorded = seen.read("hidden_1", "probe_class_mean", [1])[0].astype(float)
    assert found.shape == (8334, 3)
    np.testing.assert_allclose(found.T @ layer["counts"], recorded.sum(0), rtol=1e-3)
    alike = recorded[layer["first"]].argmax(1) == found.argmax(1)
    assert alike.mean() > 0.98


def test_mistakes_are_the_commonest_and_counted():
    seen = specimen("mlp")
    head, arrays = unpacked(Feed(seen).file("cells/5.bin"))
    counts = seen.array("probe_confusion", epoch=5)
    np.testing.assert_array_equal(arrays["confusion"], counts)
    assert head["judged"] == counts.sum()
    for is_, said, times in head["mistakes"]:
        assert counts[is_, said] == times > 0
    times = [n for *_, n in head["mistakes"]]
    assert times == sorted(times, reverse=True)
    np.testing.assert_allclose(head["right"], np.diagonal(counts) / counts.sum(1), rtol=1e-5)


def test_of_many_classes_those_of_the_commonest_mistakes_stand_side_by_side():
    seen = specimen("many classes")
    head, arrays = unpacked(Feed(seen).file("cells/2.bin"))
    counts = np.asarray(seen.array("probe_confusion", epoch=2))
    among = head["among"]
    assert len(set(among)) == len(among) == 14 and "confusion" not in arrays
    np.testing.assert_array_equal(arrays["confused"], [[counts[i, j] for j in among] for i in among])
    assert head["each"] == [counts[i].sum() for i in among]
    wrong = counts - np.diag(np.diag(counts))
    assert (head["wrong"], head["kinds"]) == (wrong.sum(), np.count_nonzero(wrong))
    assert set(head["mistakes"][0][:2]) <= set(among) and head["mistakes"][0][2] == wrong.max()


def test_why_there_are_no_paths_is_said():
    assert "no weights were kept" in unpacked(Feed(specimen("no weights")).file("paths/5.contrast.bin"))[0]["absent"]
    assert "names no classes" in unpacked(Feed(specimen("no classes")).file("paths/5.contrast.bin"))[0]["absent"]
    assert "no output for each class" in unpacked(Feed(specimen("bins")).file("paths/5.contrast.bin"))[0]["absent"]


@pytest.mark.parametrize(
    "name", ["cells/3.bin", "paths/0.causal.bin", "paths/5.blue.bin", "../index.json", "cells/5", ""]
)
def test_a_file_that_is_not_there_is_refused(name):
    with pytest.raises(UnknownKey):
        Feed(specimen("mlp")).file(name)


def test_numbers_that_no_json_has_do_not_break_it():
    seen = specimen("unheard classes")
    head, _ = unpacked(Feed(seen).file("cells/5.bin"))
    assert head["right"][0] is None
    assert json.loads(Feed(seen).file("index.json"))["scalars"]["loss"][0] is None


def test_in_a_large_layer_it_is_told_which_cell_shows_each_unit():
    seen = trace(chain(12_000, 40, 3), tuple("abc"), (1,), weights=False)
    feed = Feed(seen)
    large = feed.index()["layers"][0]
    assert [name for name in feed.names() if name.startswith("units/")] == ["units/0.bin"]
    _, arrays = unpacked(feed.file("units/0.bin"))
    cell = arrays["cell"]
    assert len(cell) == 12_000
    assert np.bincount(cell).tolist() == large["counts"]
    assert cell[large["first"]].tolist() == list(range(large["cells"]))
    for odd in ("units/9.bin", "units/x.bin", "units/0"):
        with pytest.raises(UnknownKey, match="PLACE"):
            feed.file(odd)
