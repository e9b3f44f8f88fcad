"""Starts the processes of a test, and waits for them."""

import os
import select
import signal
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


class Launcher:
    """A process that has imported the libraries, once for all tests, and forks the ranks of every scenario."""

    def __init__(self) -> None:
        self._start()

    def _start(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.ranks.worker"],
            cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True,
        )  # fmt: skip

    def __call__(self, scenario: str, folder: Path, world: int = 2, *, dies: int | None = None) -> None:
        """Every rank of a scenario in tests/ranks/worker.py; all of them must end well but for the one that is to die."""
        assert self._process.stdin is not None and self._process.stdout is not None
        print(scenario, world, folder, file=self._process.stdin, flush=True)
        ended, _, _ = select.select([self._process.stdout], [], [], 120)
        said = (folder / f"{scenario}.log").read_text() if (folder / f"{scenario}.log").exists() else ""
        if not ended:
            self.close()
            self._start()
        assert ended, f"not within 120 s: {said}"
        assert self._process.stdout.readline().split() == ["-9" if rank == dies else "0" for rank in range(world)], said

    def close(self) -> None:
        with self._process as process:
            os.killpg(process.pid, signal.SIGKILL)
