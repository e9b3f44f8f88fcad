"""A real training is followed in a real browser: each epoch is on the screen soon after its commit, until one scrubs back."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

import nissl
from tests.browser.conftest import address_of

pytest.importorskip("torch")

TRAINING = """
import sys, time, torch, nissl
torch.manual_seed(0)
model = torch.nn.Sequential(torch.nn.Linear(8, 24), torch.nn.ReLU(), torch.nn.Linear(24, 4))
optimizer = torch.optim.SGD(model.parameters(), 0.5)
x = torch.randn(128, 8); y = x[:, :4].argmax(1)
with nissl.record(model, sys.argv[1], classes=list("abcd"), probe=(x, y), progress=False) as recorder:
    for epoch in recorder.epochs(400):
        for xs, ys in recorder.batches(zip(x.split(32), y.split(32))):
            optimizer.zero_grad(); torch.nn.functional.cross_entropy(model(xs), ys).backward(); optimizer.step()
        time.sleep(0.4)
"""
AT = "document.querySelector('canvas')?.dataset"
PATIENCE = 2.0
"""Seconds from the commit of an epoch to its picture."""


@pytest.fixture
def training(tmp_path):
    """Its folder and its process, once an epoch is there."""
    run = tmp_path / "training"
    quiet = os.environ | {"OMP_NUM_THREADS": "1"}
    with subprocess.Popen([sys.executable, "-c", TRAINING, str(run)], env=quiet) as process:
        try:
            end = time.monotonic() + 60
            while not (run / "index.json").exists() or not nissl.open(run).epochs:
                assert time.monotonic() < end
                assert process.poll() is None
                time.sleep(0.1)
            yield run, process
        finally:
            process.kill()


def painted_after_commit(tab, run: Path, epoch: int) -> float:
    """Seconds from the commit of an epoch, as its record says, to the frame that shows it or one after it."""
    tab.until(f"Number({AT}?.epoch) >= {epoch}", 20)
    shown, at = tab.js(f"[Number({AT}.epoch), (performance.timeOrigin + Number({AT}.at)) / 1000]")
    return at - committed(run, shown)


def committed(run: Path, epoch: int) -> float:
    return next(run.glob(f"_commits/*{epoch}.json")).stat().st_mtime


def test_each_epoch_is_on_the_screen_soon_after_its_commit(quiet, training):
    run, process = training
    with address_of(run, quiet) as address:
        quiet.go(address)
        quiet.until(f"{AT}?.painter")
        first = quiet.js("nissl.look.epoch")
        waited = [painted_after_commit(quiet, run, epoch) for epoch in range(first + 2, first + 8)]
        assert sorted(waited)[len(waited) // 2] < PATIENCE, waited
        assert process.poll() is None, "while it trains"
        assert f"{address}live" in quiet.requests()

        quiet.key("ArrowLeft")
        quiet.until("!nissl.look.following")
        stayed, known = quiet.js("[nissl.look.epoch, nissl.look.index.epochs.length]")
        quiet.until(f"nissl.look.index.epochs.length > {known} + 1")
        assert quiet.js("nissl.look.epoch") == stayed, "who looks back is left there"
        assert quiet.js("document.querySelector('.deck [aria-pressed=false][title*=newest]').innerText") == "follow"
        quiet.js("document.querySelector('.deck [title*=newest]').click()")
        on = quiet.js("nissl.look.epoch")
        quiet.until(f"Number({AT}.epoch) > {on}")
