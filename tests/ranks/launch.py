"""Starts the processes of a test, and waits for them."""

import os
import signal
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def launch(scenario: str, folder: Path, world: int = 2, *, dies: int | None = None) -> None:
    """Every rank of a scenario in tests/ranks/worker.py; all of them must end well but for the one that is to die."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.ranks.worker", scenario, str(world), str(folder)],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    try:
        codes, said = process.communicate(timeout=120)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        raise
    assert codes.split() == ["-9" if rank == dies else "0" for rank in range(world)], said
