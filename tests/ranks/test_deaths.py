"""A process that dies takes with it what it saw, and nothing else; the trace says so, and goes on with the next launch."""

import os
import subprocess
import sys

import pytest

import nissl
from nissl.errors import NisslWarning


def test_the_others_epochs_survive_and_say_who_is_missing(tmp_path, launch):
    launch("dies1", tmp_path, dies=1)
    with pytest.warns(NisslWarning, match="without .* rank 1 saw: E_3, E_4"):
        trace = nissl.open(tmp_path / "run")
    assert trace.epochs == [1, 2, 3, 4] and trace.closed
    assert trace.missing == {3: (1,), 4: (1,)} and "rank 1" in repr(trace)
    counts = [trace.read("0", "count", [epoch])[0, 0] for epoch in trace.epochs]
    assert counts == [200, 200, 100, 100]
    told = subprocess.run(
        [sys.executable, "-m", "nissl", "info", str(tmp_path / "run")], capture_output=True, text=True, check=True
    )
    assert "missing: E_3: what rank 1 saw" in told.stdout
    launch("resumed", tmp_path)
    with pytest.warns(NisslWarning, match="E_3, E_4"):
        trace = nissl.open(tmp_path / "run")
    assert trace.epochs == [1, 2, 3, 4, 5, 6] and list(trace.missing) == [3, 4]
    assert (trace.read("0", "count", [5, 6]) == 200).all()


def test_what_was_committed_survives_the_first_rank_too(tmp_path, launch):
    launch("dies0", tmp_path, dies=0)
    trace = nissl.open(tmp_path / "run")
    assert trace.epochs == [1, 2] and not trace.closed and not trace.missing
    launch("resumed", tmp_path)
    trace = nissl.open(tmp_path / "run")
    assert trace.epochs == [1, 2, 3, 4, 5, 6] and trace.closed and not trace.missing
    assert (trace.read("0", "count", trace.epochs) == 200).all()


def test_one_that_comes_back_gives_what_it_owes(tmp_path, launch):
    launch("returns", tmp_path)
    trace = nissl.open(tmp_path / "run")
    assert trace.epochs == [1, 2, 3, 4] and trace.closed and not trace.missing
    assert (trace.read("0", "count", trace.epochs) == 100).all()


SCRIPT = """
import os, sys, signal
from pathlib import Path
import torch
from torch import nn
from torch.nn import functional as F
import nissl

torch.distributed.init_process_group("gloo")
rank, folder = torch.distributed.get_rank(), Path(sys.argv[1])
torch.manual_seed(0)
model = nn.parallel.DistributedDataParallel(nn.Sequential(nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 3)))
x, y = torch.randn(40, 4), torch.arange(40) % 3
loader = torch.utils.data.DataLoader(list(zip(x, y)), 5, sampler=torch.utils.data.DistributedSampler(range(40)))
optimizer = torch.optim.SGD(model.parameters(), 0.1)
with nissl.record(model, folder / "run", resume=True) as recorder:
    for epoch in recorder.epochs(4):
        for inputs, labels in recorder.batches(loader):
            if rank == 1 and epoch == 3 and not (folder / "died").exists():
                (folder / "died").touch()
                os.kill(os.getpid(), signal.SIGKILL)
            F.cross_entropy(model(inputs), labels).backward()
            optimizer.step()
            optimizer.zero_grad()
torch.distributed.destroy_process_group()
"""


def test_torchrun_restarts_and_the_recording_goes_on(tmp_path):
    """The two lines of a single process, and nothing else, in a script that torchrun starts again when a worker is killed."""
    (tmp_path / "train.py").write_text(SCRIPT)
    torchrun = (sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2")
    restarts = ("--max-restarts", "1", "--monitor-interval", "0.1")
    done = subprocess.run(
        [*torchrun, *restarts, str(tmp_path / "train.py"), str(tmp_path)],
        capture_output=True, text=True, check=False, timeout=120, env=os.environ | {"OMP_NUM_THREADS": "1", "TORCH_DISABLE_SHARE_RDZV_TCP_STORE": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    trace = nissl.open(tmp_path / "run")
    assert trace.epochs == [1, 2, 3, 4] and trace.closed and not trace.missing
    assert (trace.read("0", "count", trace.epochs) == 40).all()
    assert done.stderr.count("epoch 4/4 ") == 1  # only one of the processes says so
    assert "Numbers said below are rank 0's, the trace's are of all 2 processes" in done.stderr
