"""What `nissl record -- python train.py` costs beside the recorder in a loop of one's own, and beside no recorder at all.

The same script (an MLP, batches of 128, one thread) runs in processes of their own, the three ways in turn; the figure is the
median CPU time of an epoch after the first, over all runs. Reach: at most 1.1 times the recorder in one's own loop.
"""

import argparse
import json
import platform
import statistics
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import Any

REACH = 1.1
OPENING = """
import sys, time
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset

torch.set_num_threads(1)
torch.manual_seed(0)
x, y = torch.randn(128 * 64, 64), torch.arange(128 * 64) % 10
model = nn.Sequential(nn.Linear(64, 256), nn.ReLU(), nn.Linear(256, 256), nn.ReLU(), nn.Linear(256, 10))
optimizer = torch.optim.Adam(model.parameters())
loader = DataLoader(TensorDataset(x, y), batch_size=128, shuffle=True)
"""
LOOP = """
for epoch in range(EPOCHS):
    began = time.process_time()
    for inputs, labels in loader:
        loss = F.cross_entropy(model(inputs), labels)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    print(time.process_time() - began)
"""
OWN = """
import nissl

with nissl.record(model, "own", probe=(x[:128], y[:128]), progress=False) as recorder:
    began = time.process_time()
    for epoch in recorder.epochs(EPOCHS):
        for inputs, labels in recorder.batches(loader):
            loss = F.cross_entropy(model(inputs), labels)
            loss.backward()
            optimizer.step()
            optimizer.zero_grad()
        recorder.end_epoch()  # timed here as well: in the overheard script it comes before the loop's end
        print(time.process_time() - began)
        began = time.process_time()
"""


def seconds(command: list[str], script: str, epochs: int) -> list[float]:
    """Of each epoch but the first."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "train.py"
        place.write_text(script.replace("EPOCHS", str(epochs)))
        done = subprocess.run(
            [*command, sys.executable, str(place)], cwd=folder, check=True, capture_output=True, text=True
        )
        return [float(line) for line in done.stdout.splitlines()][1:]


def measured(rounds: int, epochs: int) -> dict[str, Any]:
    """All three ways, in turn."""
    ways = {
        "bare": ([], OPENING + LOOP),
        "own loop": ([], OPENING + OWN),
        "nissl record": ([sys.executable, "-m", "nissl", "record", "--"], OPENING + LOOP),
    }
    found: dict[str, list[float]] = {name: [] for name in ways}
    ratios = []
    for number in range(rounds):
        order = list(ways) if number % 2 == 0 else list(ways)[::-1]
        each = {name: seconds(*ways[name], epochs) for name in order}
        for name, taken in each.items():
            found[name] += taken
        ratios.append(statistics.median(each["nissl record"]) / statistics.median(each["own loop"]))
    medians = {name: statistics.median(taken) for name, taken in found.items()}
    return {
        "ms_an_epoch": {name: round(1000 * value, 2) for name, value in medians.items()},
        "to_bare": {name: round(value / medians["bare"], 3) for name, value in medians.items()},
        "to_own_loop": round(medians["nissl record"] / medians["own loop"], 3),
        "to_own_loop_by_round": [round(ratio, 3) for ratio in ratios],
        "reach": REACH, "rounds": rounds, "epochs_a_round": epochs - 1, "batches_an_epoch": 64,
        "time": "process_time of the script's process", "machine": platform.machine(), "python": platform.python_version(), "torch": version("torch"),
    }  # fmt: skip


def main() -> None:
    """Print the figures and keep them as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="1 round, and nothing is kept")
    quick = parser.parse_args().quick
    found = measured(1 if quick else 7, 3 if quick else 12)
    for name, ms in found["ms_an_epoch"].items():
        print(f"{name:14} {ms:8.2f} ms an epoch   {found['to_bare'][name]:.3f} of bare")
    print(f"nissl record to one's own loop: {found['to_own_loop']:.3f}; reach {REACH}")
    if not quick:
        file = Path(__file__).parent / "results" / "record_script.json"
        file.write_text(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()
