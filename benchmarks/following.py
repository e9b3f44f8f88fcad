"""What it costs to follow structures: CPU time at the end of an epoch, as a ratio to an epoch of bare training.

300 of the probe's examples are asked for each 1,000 that are trained. A network trains as it is and is recorded with and
without structures, in turn in the same run; the figure is the median over the rounds, on one thread.
"""

import argparse
import json
import platform
import statistics
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F

import nissl

TRAINED, ASKED, BATCH = 1000, 300, 32
REACH = 0.35


def perceptron() -> nn.Module:
    """The digits' perceptron."""
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 64), nn.ReLU(), nn.Linear(64, 10))


def convolutional() -> nn.Module:
    """Three convolutions and a dense layer, on the digits' size."""
    return nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(32, 64, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(256, 64), nn.ReLU(),
        nn.Linear(64, 10),
    )  # fmt: skip


def measure(make: Callable[[], nn.Module], rounds: int) -> dict[str, Any]:
    """Ratios to the bare epoch."""
    torch.manual_seed(0)
    model = make()
    optimizer = torch.optim.Adam(model.parameters(), 1e-3)
    (x, y), held = ((torch.randn(n, 1, 8, 8), torch.arange(n) % 10) for n in (TRAINED, ASKED))
    loader = [(x[i : i + BATCH], y[i : i + BATCH]) for i in range(0, TRAINED, BATCH)]
    costs: dict[str, list[float]] = {"bare": [], "without": [], "with": []}

    def epoch() -> float:
        start = time.process_time()
        for images, labels in loader:
            F.cross_entropy(model(images), labels).backward()
            optimizer.step()
            optimizer.zero_grad()
        return time.process_time() - start

    def end(quantities: list[str]) -> float:
        """The end of a recorded epoch: the faster of two, after one that has what is done once."""
        taken = []
        with nissl.record(model, quantities=quantities, probe=held, progress=False) as recorder:
            for number in (1, 2, 3):
                recorder.begin_epoch(number)
                start = time.process_time()
                recorder.end_epoch()
                taken.append(time.process_time() - start)
        return min(taken[1:])

    epoch()
    for _ in range(rounds):
        costs["bare"].append(epoch())
        costs["without"].append(end(["weights"]))
        costs["with"].append(end(["weights", "structures"]))
    each = [(with_ - without) / bare for bare, without, with_ in zip(*costs.values(), strict=True)]
    low, median, high = statistics.quantiles(each, n=4)
    return {
        "ratio": round(median, 3), "quartiles": [round(low, 3), round(high, 3)],
        "bare_epoch_ms": round(1e3 * statistics.median(costs["bare"]), 2),
        "added_ms": round(1e3 * statistics.median(w - o for w, o in zip(costs["with"], costs["without"], strict=True)), 2),
    }  # fmt: skip


def main() -> None:
    """Print the ratios, and keep them as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="5 rounds, and nothing is kept")
    given = parser.parse_args()
    torch.set_num_threads(1)
    results = {}
    for make in (perceptron, convolutional):
        results[make.__name__] = found = measure(make, 5 if given.quick else 31)
        print(f"{make.__name__:15}{found['ratio']:7.3f} of an epoch {found['quartiles']}  (reach: <= {REACH})  {found}")
    if not given.quick:
        about = {
            "machine": platform.machine(),
            "python": platform.python_version(),
            "torch": version("torch"),
            "threads": 1,
        }
        file = Path(__file__).parent / "results" / "following.json"
        file.write_text(json.dumps({**about, "reach": REACH, "models": results}, indent=2) + "\n")


if __name__ == "__main__":
    main()
