"""A run at an address, as people use it: recorded, read, exported, and opened without nissl."""

import sys
from pathlib import Path

import numpy as np
import pytest
import zarr
from obstore.store import from_url

import nissl
from nissl.apps.cli import main
from nissl.errors import BadValue, MissingDependency, NoTrace, TraceExists
from nissl.stores.disk import Disk
from nissl.stores.objects import Objects
from tests.stores.trace_of import KEYS, begun, values


def test_a_closed_run_is_plain_zarr(address):
    begun(address, 7, Objects, block=3).close()
    kept = from_url(address, client_options={"allow_http": True})
    group = zarr.open_group(zarr.storage.ObjectStore(kept, read_only=True), mode="r")
    assert group.attrs["nissl"]["classes"] == ["cat", "dog", "owl"]
    for key in KEYS:
        assert np.array_equal(group[key][:], np.stack([values(epoch)[key] for epoch in range(7)]))
    names = Objects(address).files()
    assert not [name for name in names if name.startswith(("_hot", "_commits", "_ranks", "_sealing"))]


def test_the_same_bytes_as_on_disk(address, run_path):
    for made, path in ((Disk, run_path), (Objects, address)):
        begun(path, 7, made, block=3).close()
    here, there = Disk(run_path), Objects(address)
    shards = [name for name in here.files() if "/c/" in name and not name.endswith("time/c/0")]
    assert len(shards) > 10
    assert set(there.files()) - {"_lock"} == set(here.files()) - {"_lock"}
    assert all(here.file(name) == there.file(name) for name in shards if not name.startswith("time"))


def test_a_reference_network_is_trained_at_an_address_and_goes_on(address, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    few = ["--model.hidden", "4", "--no-progress"]
    main(["train", address, "--epochs", "1", *few])
    main(["train", address, "--epochs", "2", "--resume", *few])
    assert nissl.open(address).epochs == [0, 1, 2]
    assert f"trace: {address}" in capsys.readouterr().out
    assert (tmp_path / "checkpoints" / "run" / "best_model.pt").exists()
    assert [found.name for found in tmp_path.iterdir()] == ["checkpoints"]


def test_a_script_is_not_recorded_at_an_address_and_that_is_said(address, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["record", "--out", address, "--", sys.executable, "-c", "0"]) == 2
    assert "nissl.record(model, address)" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_without_obstore_it_is_said_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "obstore.store", None)
    with pytest.raises(MissingDependency, match=r"s3://bucket/run.*pip install 'nissl\[s3\]'"):
        nissl.open("s3://bucket/run")


def test_an_address_in_a_path_is_refused():
    with pytest.raises(BadValue, match="as text"):
        nissl.open(Path("s3://bucket/run"))


@pytest.mark.usefixtures("s3")
def test_bad_addresses_are_refused_in_words():
    for bad in ("file:///tmp/run", "memory:///a", "foo://bucket/run", "https://somewhere/run"):
        with pytest.raises(BadValue, match="s3://"):
            Objects(bad)
    with pytest.raises(NoTrace, match="s3://traces/nothing"):
        nissl.open("s3://traces/nothing")
    with pytest.raises(FileNotFoundError, match="no such bucket"):
        Objects("s3://nobody/run").create({})


def test_a_network_is_recorded_there_and_read_from_there(address):
    torch = pytest.importorskip("torch")
    model = torch.nn.Sequential(torch.nn.Linear(4, 5), torch.nn.ReLU(), torch.nn.Linear(5, 2))
    data = [(torch.randn(8, 4), torch.randint(0, 2, (8,))) for _ in range(3)]

    def train(epochs, **options):
        with nissl.record(model, address, progress=False, **options) as recorder:
            for _ in recorder.epochs(epochs):
                for x, _ in recorder.batches(data):
                    model(x)

    train(2)
    train(4, resume=True)
    trace = nissl.open(address)
    assert trace.epochs == [1, 2, 3, 4]
    assert len(trace["E_3"][trace.layers[0]]["n_2"])
    with pytest.raises(TraceExists):
        train(1)
    train(1, overwrite=True)
    assert nissl.open(address).epochs == [1]


def test_the_terminal_takes_addresses(address, tmp_path, capsys, monkeypatch):
    from nissl.apps.cli import main

    begun(address, 3, Objects).close()
    monkeypatch.chdir(tmp_path)
    assert main(["info", address]) == 0
    assert address in capsys.readouterr().out
    assert main(["show", address, "e1/hidden_1/n2"]) == 0
    assert main(["export", address, "--to", "zarr"]) == 0
    assert np.array_equal(zarr.open_group("run.zarr", mode="r")[KEYS[0]][1], values(1)[KEYS[0]])
