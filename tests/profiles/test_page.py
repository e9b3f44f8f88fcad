"""The page on clusters: its lines on a real scheduler and a real worker, each a process, found by the scheduler's file."""

import subprocess
import sys

import pytest

import nissl
from tests.docs.blocks import entrusted
from tests.profiles.recorded import written

xarray = pytest.importorskip("xarray")
distributed = pytest.importorskip("distributed")
DASK = (sys.executable, "-m", "dask")
SCHEDULER = ("scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file", "dask.json")
WORKER = ("worker", "--nthreads", "1", "--memory-limit", "900MB", "--no-dashboard", "--scheduler-file", "dask.json")


def test_the_page_writes_the_contrast_of_a_whole_trace(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    written(tmp_path / "runs" / "resnet").close()
    (block,) = entrusted("how-to/run-on-a-cluster.md", __file__)
    names = {}
    started = [subprocess.Popen([*DASK, *words], stderr=subprocess.DEVNULL) for words in (SCHEDULER, WORKER)]
    try:
        exec(block.text.replace("/shared/", ""), names)  # what the page calls /shared is this folder
        with names["client"] as client:
            asked = client.run(lambda: "nissl.stores.disk" in sys.modules)
    finally:
        for process in started:
            process.kill()
            process.wait()
    assert list(asked.values()) == [True]  # it was reckoned there
    found = xarray.open_datatree("contrast.zarr", engine="zarr", consolidated=False)
    xarray.testing.assert_equal(found.load(), nissl.open("runs/resnet").profile("contrast", chunks=None))
