"""The topographic maps' files: nissl's own places and quality, turned to face one another."""

import numpy as np
import pytest

from nissl.core.topomap import topomap
from nissl.errors import UnknownKey
from nissl.studies.feed import Feed
from nissl.testing.specimens import chain, specimen, trace
from tests.studies.test_feed import unpacked


def places(arrays):
    return np.stack([arrays["x"], arrays["y"]], 1)


@pytest.mark.parametrize("by", ["grid", "pca"])
def test_places_and_quality_are_those_of_topomap(by):
    seen = specimen("followed")
    feed = Feed(seen)
    expected = topomap(seen, ["hidden_1", "hidden_2"], by=by)
    for place, name in enumerate(("hidden_1", "hidden_2")):
        head, arrays = unpacked(feed.file(f"maps/{place}.{by}.bin"))
        np.testing.assert_allclose(places(arrays), expected[name].positions, atol=1e-6)
        assert head["quality"].keys() == expected[name].quality.keys() >= {"trustworthiness", "kept", "moran", "resize"}
        for measure, one in expected[name].quality.items():
            np.testing.assert_allclose(head["quality"][measure]["value"], one.value, rtol=1e-4, atol=1e-9)
            np.testing.assert_allclose(head["quality"][measure]["chance"], one.chance, rtol=1e-4)


def test_cells_of_several_units_have_one_place():
    seen = trace(chain(12_000, 3), ("a", "b", "c"), (0, 1))
    feed = Feed(seen)
    layer = feed.index()["layers"][0]
    _, arrays = unpacked(feed.file("maps/0.pca.bin"))
    assert len(arrays["x"]) == layer["cells"] < 12_000


def test_what_is_not_there_is_refused_or_said():
    feed = Feed(specimen("followed"))
    for name in ("maps/0.blue.bin", "maps/9.grid.bin", "maps/grid.bin"):
        with pytest.raises(UnknownKey):
            feed.file(name)
    told = Feed(specimen("no classes")).index()["parts"]["maps"]
    assert "quantity 'profile'" in told["absent"]
    assert not [name for name in Feed(specimen("no classes")).names() if name.startswith("maps/")]
