"""The run's files: layers' health, the cost of recording, what changed."""

import numpy as np
import pytest

from nissl.core.change.found import TABLE
from nissl.core.trace import open as opened
from nissl.core.vitals import vitals
from nissl.errors import UnknownKey
from nissl.studies.changes import changes
from nissl.studies.feed import Feed
from nissl.studies.train import train
from nissl.testing.specimens import specimen
from tests.studies.test_feed import unpacked


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    train(
        folder / "run", epochs=3, model_options={"hidden": (12,)}, quantities=["activation", "profile", "weights", "gradient"],
        progress=False,
    )  # fmt: skip
    return opened(folder / "run")


def test_layers_are_as_the_trace_has_them_and_costs_as_its_header(trained):
    feed = Feed(trained)
    head, arrays = unpacked(feed.file("run/layers.bin"))
    assert head["layers"] == list(trained.layers)
    expected = vitals(trained)
    assert arrays.keys() == expected.keys() >= {"dead", "gradient", "update"}
    for name, table in expected.items():
        np.testing.assert_allclose(arrays[name], table, rtol=1e-6)
    costs, held = feed.index()["parts"]["run"]["costs"], trained.header["costs"]
    assert costs["bytes"] == held["bytes"]
    steps = np.nansum(trained.scalars["steps"].values)
    np.testing.assert_allclose(costs["step"], held["seconds_hearing"] / steps, rtol=1e-4)
    after = held["seconds_reading"] + held["seconds_writing"]
    share = (held["seconds_hearing"] + after) / (np.nansum(trained.scalars["seconds"].values) + after)
    np.testing.assert_allclose(costs["share"], share, rtol=1e-4)


def test_changes_are_those_that_nissl_finds():
    seen = specimen("binary")
    head, arrays = unpacked(Feed(seen).file("changes/found.bin"))
    found = changes(seen, progress=False)
    assert head["sentences"] == list(found.sentences)
    assert head["every"] == len(found.rows()) == len(head["units"])
    for said, row in zip(head["units"], found.rows(), strict=True):
        assert (said["layer"], said["neuron"]) == row[:2]
        np.testing.assert_allclose(said["moved"], dict(zip(TABLE, row, strict=True))["moved"], rtol=1e-5)
    for row, scan in enumerate(found.scans.values()):
        np.testing.assert_allclose(arrays["drift"][row], scan.previous, rtol=1e-6)
    assert arrays["turned"].sum() == len(found.turned()) == head["turned"]
    assert arrays["jumped"].sum() == sum(map(len, found.moved.values()))


def test_what_is_not_there_is_said():
    told = Feed(specimen("no classes")).index()["parts"]
    assert told["run"]["costs"] is None
    head, _ = unpacked(Feed(specimen("mlp")).file("run/layers.bin"))
    assert head["lacking"]["update"] == "weights"
    for name in ("run/x.bin", "changes/x.bin"):
        with pytest.raises(UnknownKey):
            Feed(specimen("mlp")).file(name)
