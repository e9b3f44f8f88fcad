"""What one fold of one tensor costs: the compiled kernel, torch's operations, and the floor, a plain `x.sum()`.

Whole calls are timed, Python included, on one thread and warm memory; the least of many rounds, in microseconds.
"""

import argparse
import json
import os
import platform
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from nissl.adapters._torch.groups import groups_of
from nissl.adapters._torch.sums import TorchAccumulator, backend

CLASSES = 10
CASES = {
    "conv [64,32,28,28]": ((64, 32, 28, 28), 1, torch.contiguous_format),
    "conv [64,128,7,7]": ((64, 128, 7, 7), 1, torch.contiguous_format),
    "conv [64,32,28,28] channels_last": ((64, 32, 28, 28), 1, torch.channels_last),
    "dense [128,10]": ((128, 10), -1, torch.contiguous_format),
    "dense [128,256]": ((128, 256), -1, torch.contiguous_format),
    "dense [1024,1024]": ((1024, 1024), -1, torch.contiguous_format),
    "sequence [8,128,256]": ((8, 128, 256), -1, torch.contiguous_format),
}


def least(call: Callable[[], Any], rounds: int, seconds: float = 0.004) -> float:
    """Microseconds of the quickest round."""
    for _ in range(3):
        call()
    start = time.perf_counter()
    call()
    times = max(1, int(seconds / max(1e-7, time.perf_counter() - start)))
    best = float("inf")
    for _ in range(rounds):
        start = time.perf_counter()
        for _ in range(times):
            call()
        best = min(best, (time.perf_counter() - start) / times)
    return round(best * 1e6, 2)


def fold_time(x: torch.Tensor, unit_axis: int, native: str, rounds: int, sketch: int = 0) -> float:
    """One whole fold, by the kernel ("1") or without it ("0")."""
    accumulator = TorchAccumulator(unit_axis, classes=CLASSES, sketch=sketch)
    groups = groups_of(torch.arange(len(x)) * 7 % CLASSES)
    os.environ["NISSL_NATIVE"] = native
    try:
        return least(lambda: accumulator.fold(x, groups), rounds)
    finally:
        del os.environ["NISSL_NATIVE"]


def measure(rounds: int) -> dict[str, dict[str, float]]:
    """Microseconds by case and engine."""
    table = {}
    for name, (shape, axis, layout) in CASES.items():
        x = torch.relu(torch.randn(shape)).to(memory_format=layout)
        table[name] = {
            "sum": least(x.sum, rounds),
            "native": fold_time(x, axis, "1", rounds),
            "native, sketch": fold_time(x, axis, "1", rounds, sketch=1000),
            "eager": fold_time(x, axis, "0", rounds),
        }
    empty = torch.arange(128)
    table["groups_of [128]"] = {"native": least(lambda: groups_of(empty), rounds)}
    return table


def main() -> None:
    """Print the table and keep it as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="5 rounds instead of 25, and nothing is kept")
    quick = parser.parse_args().quick
    torch.set_num_threads(1)
    torch.manual_seed(0)
    about = {"kernel": backend(), "torch": torch.__version__, "machine": platform.machine(), "unit": "us"}
    table = measure(5 if quick else 25)
    columns = ["sum", "native", "native, sketch", "eager"]
    print(f"{backend()}, torch {torch.__version__}\n{'':36}" + "".join(f"{c:>16}" for c in columns))
    for name, row in table.items():
        print(f"{name:36}" + "".join(f"{row[c]:16.1f}" if c in row else f"{'':16}" for c in columns))
    if quick:
        return
    results = Path(__file__).parent / "results" / "kernel.json"
    results.parent.mkdir(exist_ok=True)
    results.write_text(json.dumps({**about, "times": table}, indent=2) + "\n")


if __name__ == "__main__":
    main()
