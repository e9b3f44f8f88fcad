"""Another run's files: its numbers, its confusion, and which units answer to which."""

import json

import numpy as np
import pytest

from nissl.apps.report import site
from nissl.core.change.twins import TABLE
from nissl.errors import NotHeard, UnknownKey
from nissl.studies.changes import changes
from nissl.studies.feed import Feed
from nissl.testing.specimens import chain, specimen, trace
from tests.studies.test_feed import unpacked


def two():
    return specimen("mlp"), trace(chain(48, 32, 10), epochs=(0, 1, 2, 3))


def test_the_other_run_is_told_counted_and_matched():
    one, other = two()
    feed = Feed(one, beside=("other", other))
    told = feed.index()["parts"]["beside"]
    assert (told["name"], told["epochs"], told["same"]) == ("other", [0, 1, 2, 3], True)
    np.testing.assert_allclose(told["scalars"]["probe_loss"], other.scalars["probe_loss"].values, rtol=1e-5)
    _, arrays = unpacked(feed.file("beside/3.bin"))
    np.testing.assert_array_equal(arrays["confusion"], other.array("probe_confusion", epoch=3))
    head, _ = unpacked(feed.file("beside/twins.bin"))
    found = changes(one, other)
    assert head["sentences"] == list(found.sentences)
    assert head["every"] == len(found.rows())
    for said, row in zip(head["units"], found.rows(), strict=True):
        assert [said[name] for name in TABLE[:4]] == list(row[:4])
        np.testing.assert_allclose(said["correlation"], row[4], rtol=1e-5)


def test_a_folder_holds_the_other_run_too(tmp_path):
    one, other = two()
    made = site(one, tmp_path / "site", beside=other) / "data"
    assert sorted(file.name for file in (made / "beside").iterdir()) == [
        "0.bin",
        "1.bin",
        "2.bin",
        "3.bin",
        "twins.bin",
    ]
    assert "beside" in json.loads((made / "index.json").read_text())["parts"]


def test_what_is_not_there_is_refused():
    feed = Feed(specimen("mlp"))
    assert "beside" not in feed.index()["parts"]
    with pytest.raises(UnknownKey, match="--beside"):
        feed.file("beside/twins.bin")
    feed = Feed(specimen("mlp"), beside=("bare", specimen("unjudged")))
    with pytest.raises(NotHeard, match="bare recorded no predictions"):
        feed.file("beside/5.bin")
    with pytest.raises(KeyError):
        feed.file("beside/77.bin")
