"""Kill -9 in an append, a seal, a close and a reopening; the long campaign is benchmarks/kills.py."""

import json
import random
import shutil
import subprocess
import sys
from pathlib import Path

from benchmarks.kills import SPECS, values, verdict

from nissl.core.store import Record
from nissl.stores.disk import Disk

ROOT = Path(__file__).parents[2]


def test_no_kill_loses_tears_or_blocks_a_run(tmp_path):
    command = [
        sys.executable,
        "benchmarks/kills.py",
        "--kills",
        "50",
        "--seed",
        "7",
        "--json",
        str(tmp_path / "found.json"),
    ]
    process = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    found = json.loads((tmp_path / "found.json").read_text())
    assert process.returncode == 0, process.stdout + process.stderr
    assert [found[name] for name in ("lost", "torn", "unopenable", "unresumable")] == [0, 0, 0, 0]
    assert found["kills"] == 50
    assert found["inside a seal"] > 10
    assert found["acknowledged"] > 50


def test_the_campaign_would_notice(run_path):
    store = Disk(run_path)
    store.create({})
    store.declare(SPECS)
    for epoch in range(4):
        store.append(Record(epoch, values(epoch), {"loss": 1.0}))
    fresh = random.Random(0)
    assert not verdict(run_path, 3, set(), fresh).total()
    assert +verdict(run_path, 4, set(), fresh) == {"lost": 1}
    shutil.copy(run_path / "_hot/E_00000001.r00000.safetensors", run_path / "_hot/E_00000002.r00000.safetensors")
    assert verdict(run_path, 3, set(), fresh)["torn"]
    store.close()
    (run_path / "index.json").unlink()
    assert +verdict(run_path, 3, set(), fresh) == {"unopenable": 1}
