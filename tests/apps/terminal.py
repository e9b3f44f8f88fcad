"""The command line, from outside."""

import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

QUICK = ("--epochs", "1", "--no-progress", "--device", "cpu")


def nissl(*words: str, **more: Any) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([sys.executable, "-m", "nissl", *words], capture_output=True, text=True, check=False, **more)


def heeding() -> None:
    """Ctrl-C counts again: a shell that runs the tests in the background has its children ignore it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def interrupted(folder: Path, how: int) -> "subprocess.Popen[str]":
    """A long training run in another process, stopped after its third epoch."""
    words = ["train", str(folder / "run"), "--epochs", "5000", "--device", "cpu"]
    process = subprocess.Popen(
        [sys.executable, "-m", "nissl", *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        preexec_fn=heeding,  # noqa: PLW1509 - the tests have no threads
    )  # fmt: skip
    assert process.stderr is not None
    for line in process.stderr:
        if "epoch 3/" in line:
            break
    process.send_signal(how)
    process.said = "".join(process.communicate(timeout=60))  # type: ignore[attr-defined]
    return process
