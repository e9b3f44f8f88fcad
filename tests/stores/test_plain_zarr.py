"""A closed run is read by zarr and xarray alone, at every kind of array."""

import subprocess
import sys

import numpy as np
import pytest

from nissl.core.store import ArraySpec, Column, Record
from nissl.stores.disk import Disk
from nissl.testing.stores import PROFILE, SPECS, STATS, values
from tests.stores.trace_of import KEYS, begun, until
from tests.stores.trace_of import values as others

zarr = pytest.importorskip("zarr")
EPOCHS = (0, 3, 4, 5, 9, 11, 12)


@pytest.fixture
def closed(run_path):
    store = Disk(run_path, block=3)
    store.create({"classes": ["cat", "dög"]})
    store.declare(tuple(SPECS.values()))
    for epoch in EPOCHS:
        keys = [key for key in SPECS if epoch != 4 or key != PROFILE.key]
        store.append(Record(epoch, values(epoch, keys), {"loss": epoch / 7} | ({"late": 1.0} if epoch > 5 else {})))
    store.close()
    return run_path


def test_zarr_reads_every_array(closed):
    group = zarr.open_group(closed, mode="r")
    assert group.metadata.consolidated_metadata is not None
    assert group.attrs["nissl"]["classes"] == ["cat", "dög"]
    assert group["epoch"][:].tolist() == list(EPOCHS)
    for key, spec in SPECS.items():
        array = group[key]
        assert [n.partition("_")[0] for n in array.metadata.dimension_names] == ["epoch", *spec.dims]
        for place, epoch in enumerate(EPOCHS):
            if (epoch, key) == (4, PROFILE.key):
                assert np.isnan(array[place]).all()
            else:
                assert array[place].tobytes() == values(epoch)[key].tobytes(), key
    np.testing.assert_array_equal(group["metrics/loss"][:], [epoch / 7 for epoch in EPOCHS])
    np.testing.assert_array_equal(group["metrics/late"][:], [np.nan] * 4 + [1] * 3)
    assert group["layers/conv.1%2Fa%20b"].attrs["name"] == "conv.1/a b"


def test_zarr_reads_it_without_the_consolidated_copy(closed):
    with pytest.warns(UserWarning, match="_lock|index.json"):  # what is no part of a hierarchy is pointed out
        keys = {path for path, _ in zarr.open_group(closed, mode="r", use_consolidated=False).members(max_depth=None)}
    assert set(SPECS) <= keys


def test_xarray_reads_layers_with_their_coordinates(closed):
    xarray = pytest.importorskip("xarray")
    layer = xarray.open_zarr(closed, group=STATS.key.rpartition("/")[0]).load()
    assert layer.coords["stat"].values.tolist() == ["count", "mean", "std"]
    assert layer.coords["class"].values.tolist() == ["cat", "dög"]
    chosen = layer["stats"].sel(epoch=9, stat="mean")
    np.testing.assert_array_equal(chosen.values, values(9)[STATS.key][:, 1])
    tree = xarray.open_datatree(closed, engine="zarr")
    assert tree["network"]["confusion"].dims == ("epoch", "class", "predicted")
    assert tree["metrics"]["loss"].sel(epoch=12) == 12 / 7


def test_dimensions_of_one_name_and_two_sizes_get_names_of_their_own(run_path):
    xarray = pytest.importorskip("xarray")
    store = Disk(run_path)
    store.create({})
    one = ArraySpec("a", ("neuron", "stat"), (4, 2), "l", columns=(Column("x"), Column("y")))
    two = ArraySpec("b", ("neuron", "stat"), (4, 1), "l", columns=(Column("z"),))
    store.declare([one, two])
    store.append(Record(1, {one.key: np.ones((4, 2)), two.key: np.ones((4, 1))}))
    store.close()
    layer = xarray.open_zarr(run_path, group="layers/l").load()
    assert layer["b"].dims == ("epoch", "neuron", "stat_b")
    assert layer.coords["stat_b"].values.tolist() == ["z"]


def test_safetensors_reads_a_segment(run_path):
    numpy = pytest.importorskip("safetensors.numpy")
    store = begun(run_path, 1)
    found = numpy.load_file(run_path / "_hot" / "E_00000000.r00000.safetensors")
    assert all(np.array_equal(found[key], array) for key, array in others(0).items())
    store.close()


def test_neither_recording_nor_reading_loads_zarr(run_path):
    code = f"""
import sys
from tests.stores.trace_of import begun, whole
store = begun({str(run_path)!r}, 5, block=2)
store.close()
whole(store, range(5))
assert "zarr" not in sys.modules and "pandas" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_zarr_reads_what_is_sealed_while_the_run_goes_on(run_path):
    store = begun(run_path, 4, block=2)
    late = ArraySpec("late", ("neuron",), (5,), "output")
    store.declare([late])
    for epoch in range(4, 9):
        store.append(Record(epoch, others(epoch) | {late.key: np.full(5, epoch)}))
    until(lambda: len(list(run_path.glob("_hot/*"))) == 1)
    for key, first in ((KEYS[0], 0), (late.key, 4)):
        array = zarr.open_array(run_path / key, mode="r")
        assert array.shape[0] >= 8
        for epoch in range(first, 8):
            assert np.array_equal(array[epoch], (others(epoch) | {late.key: np.full(5, epoch, "f4")})[key])
    store.close()
    assert zarr.open_array(run_path / late.key, mode="r").shape == (9, 5)
