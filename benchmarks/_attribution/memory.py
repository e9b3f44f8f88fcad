"""The most that integrated gradients take, each in a process of its own."""

import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import torch

import nissl
from _attribution._subjects import Figures, Rows, Work, cnn, examples
from nissl.attribution.integrated_gradients import IntegratedGradients


def rows(quick: bool) -> Iterator[Rows]:
    """Beyond what the process has after one small gradient."""
    yield "memory", "integrated gradients at most 150 MB more than before", memory(quick)


def memory(quick: bool) -> Figures:
    """The most that a process takes beyond what it has after one small gradient."""
    ways = ["own", *(["captum"] if find_spec("captum") else [])]
    found = {}
    for way in ways:
        told = subprocess.run(
            [sys.executable, "-m", "_attribution.memory", way, *(["--quick"] if quick else [])],
            capture_output=True,
            text=True,
            check=True,
            cwd=Path(__file__).parents[1],
        )
        found[f"integrated gradients 32, {way}, MB"] = round(float(told.stdout.split()[-1]), 1)
    return found


def peak(way: str, quick: bool) -> float:
    """In a process of its own."""
    model, (x, y) = cnn(), examples(32 if quick else 256)
    net = nissl.network(model)
    nissl.attribute(net, x[:4], y.numpy()[:4], IntegratedGradients(2))
    if way == "captum":
        from captum import attr

        work: Work = lambda: attr.IntegratedGradients(model).attribute(x, target=y, n_steps=32)  # noqa: E731
    else:
        work = lambda: nissl.attribute(net, x, y.numpy(), IntegratedGradients(32))  # noqa: E731
    Path("/proc/self/clear_refs").write_text("5")  # the peak counts anew
    before = _memory("VmRSS")
    work()
    return (_memory("VmHWM") - before) / 1024


def _memory(what: str) -> int:
    """In kB, as Linux tells it."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith(what)).split()[1])


if __name__ == "__main__":
    torch.set_num_threads(1)
    print(peak(sys.argv[1], "--quick" in sys.argv))
