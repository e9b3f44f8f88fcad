"""Large layers: every unit of them as nissl's own pictures stain it, and one unit over all epochs as it was recorded."""

import json

import numpy as np
import pytest

from nissl.core.store import Record
from nissl.core.trace import open as opened
from nissl.errors import NisslError, UnknownKey
from nissl.stores.disk import Disk
from nissl.studies._feed import plate as plates
from nissl.studies._feed.plate import DEEPEST, DEPTHS, GREYEST, GREYS
from nissl.studies.feed import Feed
from nissl.testing.specimens import chain, trace
from nissl.views._staining.dye import Causal, Contrast
from nissl.views._staining.rack import averaged
from tests.studies.test_feed import table, unpacked

UNITS, EPOCHS = 25_000, (0, 1, 2, 5)


@pytest.fixture(scope="module")
def seen():
    return trace(chain(UNITS, 12, 10), epochs=EPOCHS, followed=(1, 2, 5), weights=False, unheard=(7,))


def stained(seen, dye, epoch):
    """Whose each unit is, its depth and its grey, as a picture of all classes has it."""
    found = (Causal if dye == "causal" else Contrast)(seen, epoch).stain("hidden_1", range(10))
    owner = np.where(found.silent, 10, found.depth.argmax(1))
    return owner, found.depth.max(1), found.grey, found.silent


@pytest.mark.parametrize(("dye", "epoch"), [("causal", 2), ("contrast", 5), ("contrast", 0)])
def test_every_unit_is_stained_as_in_nissls_own_pictures(seen, dye, epoch):
    feed = Feed(seen)
    order = unpacked(feed.file("plates/0.bin"))[1]["order"]
    assert sorted(order) == list(range(UNITS))
    head, arrays = unpacked(feed.file(f"plates/0.{epoch}.{dye}.bin"))
    owner, depth, grey, silent = (found[order] for found in stained(seen, dye, epoch))
    assert silent.any() and not silent.all()
    np.testing.assert_allclose(arrays["depth"] * (head["deepest"] / (DEPTHS - 1)), depth, atol=DEEPEST / DEPTHS)
    np.testing.assert_allclose(arrays["grey"] * (head["greyest"] / (GREYS - 1)), grey, atol=GREYEST / GREYS)
    dyed = (depth > 0) | silent
    np.testing.assert_array_equal(arrays["owner"][dyed], owner[dyed])


def test_order_and_full_depth_of_a_large_layer_come_from_one_read_of_the_last_epoch(seen, monkeypatch):
    asked, real = [], type(seen).read

    def read(trace, layer, name, epochs=None, *rest):
        asked.append((layer, name, *epochs))
        return real(trace, layer, name, epochs, *rest)

    monkeypatch.setattr(type(seen), "read", read)
    feed = Feed(seen)
    feed.index()
    feed.file("cells/2.bin")
    for name in ("attribution", "probe_class_mean"):
        assert asked.count(("hidden_1", name, 5)) == 1
        assert asked.count(("hidden_1", name, 2)) == 1


@pytest.mark.parametrize("dye", ["causal", "contrast"])
def test_cells_are_the_means_of_their_units(seen, dye):
    feed = Feed(seen)
    recorded = {"causal": "attribution", "contrast": "probe_class_mean"}[dye]
    values = seen.read("hidden_1", recorded, [2])[0]
    cell = unpacked(feed.file("units/0.bin"))[1]["cell"].astype(int)
    found = table(feed, 2, 0, dye)
    np.testing.assert_allclose(found, averaged(values, cell), atol=np.nanmax(np.abs(found)) / 30_000)
    order = unpacked(feed.file("plates/0.bin"))[1]["order"]
    counts = feed.index()["layers"][0]["counts"]
    np.testing.assert_array_equal(cell[order], np.arange(UNITS) // counts[0])


def test_a_block_of_epochs_on_disk_is_read_in_pieces_and_says_the_same(seen, tmp_path, monkeypatch):
    store = Disk(tmp_path / "run", block=3)
    store.create(
        {name: said for name, said in seen.header.items() if name in ("model", "classes", "layers", "settings")}
    )
    store.declare(list(seen.store.specs.values()))
    for entry in seen.entries:
        held = {key: seen.store.read(key, [entry.epoch])[0] for key in entry.arrays}
        store.append(Record(entry.epoch, held, entry.scalars))
    store.close()
    monkeypatch.setattr(plates, "AT_ONCE", 1 << 20)
    again, feed = Feed(opened(tmp_path / "run")), Feed(seen)
    for name in (
        "plates/0.1.causal.bin",
        "plates/0.2.causal.bin",
        "plates/0.5.contrast.bin",
        "plates/0.0.contrast.bin",
    ):
        for array, values in unpacked(feed.file(name))[1].items():
            np.testing.assert_array_equal(unpacked(again.file(name))[1][array], values)


@pytest.mark.parametrize("unit", [0, 17, UNITS - 1])
def test_a_unit_over_all_epochs_is_what_the_trace_says(seen, unit):
    head, arrays = unpacked(Feed(seen).file(f"history/0.{unit}.bin"))
    for dye, recorded in (("causal", "attribution"), ("contrast", "probe_class_mean")):
        epochs = (1, 2, 5) if dye == "causal" else EPOCHS
        expected = np.full((len(EPOCHS), 10), np.nan)
        for epoch in epochs:
            expected[EPOCHS.index(epoch)] = seen.read("hidden_1", recorded, [epoch])[0][unit]
        steps = arrays[dye].astype(float)
        found = np.where(steps == -32768, np.nan, steps / 32767 * head["tables"][dye]["most"])
        np.testing.assert_allclose(found.T, expected, atol=np.nanmax(np.abs(expected)) / 32_000)


def test_one_unit_is_read_without_the_others(seen, monkeypatch):
    asked = []
    read = type(seen).read

    def told(self, layer, name, epochs, where=()):
        asked.append(where)
        return read(self, layer, name, epochs, where)

    feed = Feed(seen)
    feed.stage.slides.shown, [feed.stage.slides.full("hidden_1", dye) for dye in ("causal", "contrast")]
    monkeypatch.setattr(type(seen), "read", told)
    feed.file("history/0.77.bin")
    assert asked and all(where == (slice(77, 78),) for where in asked)


@pytest.mark.parametrize(
    "name",
    ["plates/1.bin", "plates/0.3.contrast.bin", "plates/0.0.causal.bin", "plates/0.5.red.bin", "plates/0.5.bin",
     f"history/0.{UNITS}.bin", "history/0.bin", "history/9.0.bin"],
)  # fmt: skip
def test_what_is_not_there_is_refused(seen, name):
    with pytest.raises((UnknownKey, NisslError)):
        Feed(seen).file(name)


def test_reports_hold_none_of_it(seen):
    assert not [name for name in Feed(seen).names() if name.startswith(("plates/", "history/"))]
    assert json.loads(Feed(seen).file("index.json"))["layers"][0]["cells"] <= 10_000
