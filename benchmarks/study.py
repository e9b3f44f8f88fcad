"""How long a whole study takes, from the data to the last picture: the digits by SimpleNet's 14 layers, 10 epochs; reach 60 s.

The command is run as a user runs it, in a process and a folder of its own. With --quick one epoch of a perceptron, and nothing is written.
"""

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path

REACH = 60.0
RESULT = Path(__file__).parent / "results" / "study.json"


def study(model: str, epochs: int) -> dict[str, float]:
    """Seconds of the clock and of the processors, and what was written."""
    command = [sys.executable, "-m", "nissl", "train", "runs/digits", "--data", "digits", "--model", model]
    with tempfile.TemporaryDirectory() as folder:
        began, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(
            [*command, "--epochs", str(epochs), "--study"], cwd=folder, check=True, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )  # fmt: skip
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        pictures = list(Path(folder, "results").rglob("*.png"))
        return {
            "seconds": round(time.perf_counter() - began, 1),
            "cpu seconds": round(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, 1),
            "pictures": len(pictures),
        }


def main() -> None:
    """Print the figures; write them, unless it was to be quick."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    quick = parser.parse_args().quick
    load = os.getloadavg()[0]
    found = study("mlp", 1) if quick else study("simplenet", 10)
    print(
        f"{found['pictures']} pictures in {found['seconds']} s, {found['cpu seconds']} s of processors (reach: {REACH:g} s)"
    )
    if not quick:
        machine = {"processor": platform.machine(), "cores": os.cpu_count(), "load before": round(load, 1)}
        told = {
            **found,
            "reach": REACH,
            "machine": machine,
            "torch": version("torch"),
            "python": platform.python_version(),
        }
        RESULT.write_text(json.dumps(told, indent=1) + "\n")


if __name__ == "__main__":
    main()
