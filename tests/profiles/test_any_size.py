"""The same code and the same numbers by numpy, on Dask's threads and on a cluster; of closed, live and damaged runs."""

import pickle
import sys
import threading

import numpy as np
import pytest

import nissl
from nissl.core.store import Record
from nissl.core.stored import PIECE, Stored
from nissl.errors import BadValue, NisslWarning
from tests.profiles.recorded import CLASSES, LAYERS, values, whole, written

dask = pytest.importorskip("dask")
xarray = pytest.importorskip("xarray")
MEASURES = [("mean", {}), ("contrast", {"weights": "size"}), ("contrast", {"against": "each"}), ("selectivity", {})]


@pytest.fixture
def closed(run_path):
    written(run_path).close()
    return nissl.open(run_path)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("measure", "options"), MEASURES)
def test_threads_find_what_numpy_does(run_path, measure, options, dtype):
    written(run_path, dtype=dtype).close()
    trace = nissl.open(run_path)
    expected = trace.profile(measure, chunks=None, **options)
    assert expected["conv%2F1"][measure].dtype == dtype
    for scheduler in ("threads", "synchronous"):
        with dask.config.set(scheduler=scheduler):
            xarray.testing.assert_identical(trace.profile(measure, **options).compute(), expected)


def test_numbers_are_those_of_the_definition(closed):
    mean, count = whole("class_mean"), whole("class_count")
    found = closed.profile("contrast", weights="size")["conv%2F1"]["contrast"].compute()
    np.testing.assert_allclose(found[1, :, 0], mean[1, :, 0] - mean[1, :, 1], rtol=1e-6)  # no owls yet
    assert np.isnan(found[1, :, 2]).all()
    rest = (mean[5, :, 0] * count[5, 0] + mean[5, :, 2] * count[5, 2]) / (count[5, 0] + count[5, 2])
    np.testing.assert_allclose(found[5, :, 1], mean[5, :, 1] - rest, rtol=1e-4, atol=1e-5)
    assert list(found["class"].values) == list(CLASSES)


def test_a_cluster_finds_what_numpy_does(closed):
    distributed = pytest.importorskip("distributed")
    one_each = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": ":0", "memory_limit": None}
    with distributed.LocalCluster(processes=True, **one_each) as cluster, distributed.Client(cluster) as client:
        for measure, options in MEASURES:
            found = closed.profile(measure, **options).compute()
            xarray.testing.assert_identical(found, closed.profile(measure, chunks=None, **options))
        assert any(client.run(lambda: "nissl.stores.disk" in sys.modules).values())  # it was reckoned there
        frame = closed.to_dataframe(engine="dask").compute()
    np.testing.assert_array_equal(np.sort(frame["mean"]), np.sort(closed.to_dataframe()["mean"]))


def test_arrays_travel_without_files_and_locks(closed):
    for tree in (closed.to_xarray(), closed.to_xarray(chunks="auto"), closed.profile("contrast")):
        sent = pickle.dumps(tree)
        xarray.testing.assert_identical(pickle.loads(sent).load(), tree.load())
    large = Stored(closed.store, closed.store.specs["layers/output/stats"], tuple(closed.epochs))
    assert len(pickle.dumps(large)) < 1000
    copies = [pickle.loads(pickle.dumps(large)) for _ in range(2)]
    assert copies[0].store is copies[1].store, "the index is read once in a process, not once a task"


def test_pieces_follow_how_the_trace_lies(run_path):
    store = written(run_path, epochs=9, layers={"wide": 150_000})
    store.close()
    trace = nissl.open(run_path)
    array = trace.to_xarray(chunks="auto")["wide"]["class_mean"]
    _, grain = trace.store.together("layers/wide/class_mean", trace.epochs)
    epochs, units, classes = array.chunks
    assert (epochs, classes) == ((4, 4, 1), (3,))
    assert len(units) > 1 and sum(units) == 150_000 and all(n % grain == 0 for n in units[:-1])
    assert max(epochs) * max(units) * 3 * 4 <= PIECE
    cut = trace["E_2":"E_5"].to_xarray(chunks={})["wide"]["class_mean"]
    assert cut.chunks[0] == (2, 2)  # never two epochs' worth of two blocks in one piece
    np.testing.assert_array_equal(
        cut[1, 100_000:100_003], values(store.specs["layers/wide/class_mean"], 3)[100_000:100_003]
    )


def test_chunks_may_be_asked_for(closed):
    layer = closed.to_xarray(chunks={"epoch": 3, "neuron": 40})["conv%2F1"]
    assert layer["class_mean"].chunks == ((3, 3, 3, 1), (40, 30), (3,))
    assert closed.to_xarray(chunks=-1)["output"]["stats"].chunks == ((10,), (3,), (2,))
    np.testing.assert_array_equal(layer["class_mean"].values, whole("class_mean"))
    with pytest.raises(BadValue, match="Did you mean 'epoch'"):
        closed.to_xarray(chunks={"epochs": 3})


def test_a_run_that_is_still_written(run_path):
    store = written(run_path)
    trace = nissl.open(run_path)
    tree = trace.profile("mean")
    reading = [threading.Thread(target=tree.compute) for _ in range(3)]
    for thread in reading:
        thread.start()
    for epoch in range(10, 14):
        store.append(Record(epoch, {k: values(s, epoch) for k, s in store.specs.items()}, {}))
    for thread in reading:
        thread.join()
    np.testing.assert_array_equal(tree["conv%2F1"]["mean"], whole("class_mean"))  # as of when it was asked
    store.close()
    np.testing.assert_array_equal(tree["conv%2F1"]["mean"], whole("class_mean"))  # and though it was sealed since
    assert trace.profile("mean")["output"].sizes["epoch"] == 14


def test_damage_costs_its_own_epochs_and_is_named(closed, run_path):
    shard = run_path / "layers/conv%2F1/class_mean/c/1/0/0"  # epochs 4 to 7
    content = bytearray(shard.read_bytes())
    content[30] ^= 255
    shard.write_bytes(content)
    tree = closed.profile("mean")
    with pytest.warns(NisslWarning, match=r"nan stands for what cannot be read of epochs \[4, 5, 6, 7\].*checksum"):
        found = tree["conv%2F1"]["mean"].compute()
    expected = whole("class_mean")
    expected[4:8] = np.nan
    np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(tree["output"]["mean"], whole("class_mean", "output"))
    with pytest.warns(NisslWarning, match="epoch [4-7] cannot be read"):
        assert closed.profile("mean")["output"].sizes["epoch"] == 6  # known by now, and left out as everywhere


def test_frames_are_the_same_rows(closed):
    pandas = pytest.importorskip("pandas")
    for options in ({}, {"long": True}, {"layers": "output", "stats": ["std"]}):
        expected = closed.to_dataframe(**options)
        keys = list(expected.index.names)
        lazy = closed.to_dataframe(engine="dask", **options)
        assert lazy.npartitions == 3 * len({layer for _, layer, *_ in expected.index})
        found = lazy.compute()
        found = found.astype(dict.fromkeys(found.select_dtypes("category"), expected.index.dtypes["layer"]))
        found = found.set_index(keys).sort_index()
        pandas.testing.assert_frame_equal(found, expected.sort_index(), check_index_type=False)


def test_frames_have_the_same_types_in_every_part(closed):
    pytest.importorskip("pandas")
    for long in (False, True):
        lazy = closed.to_dataframe(engine="dask", long=long)
        for part in lazy.partitions:
            assert dict(part.compute().dtypes) == dict(lazy.dtypes)
    assert closed[99:].to_dataframe(engine="dask").compute().empty


def test_a_table_too_large_names_the_frame_that_is_not(monkeypatch, closed):
    monkeypatch.setattr("nissl.core.tables.MOST", 2 * 10 * sum(LAYERS.values()) - 1)
    with pytest.raises(BadValue, match="engine='dask'"):
        closed.to_dataframe()
    assert len(closed.to_dataframe(engine="dask")) == 10 * sum(LAYERS.values())
