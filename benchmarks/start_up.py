"""How long `import nissl`, `nissl --help` and a look at a model of 1,000 layers take: reach 20 ms, 0.3 s and 0.1 s."""

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from pathlib import Path

IMPORT, HELP, LAYERS = 20, 300, 100
RESULT = Path(__file__).parent / "results" / "start_up.json"


def seconds(command: list[str], runs: int) -> float:
    """The quickest of several runs: whatever else the machine does only ever adds."""
    best = float("inf")
    for _ in range(runs):
        began = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        best = min(best, time.perf_counter() - began)
    return best


def thousand_layers(runs: int) -> float:
    """`nissl.network(model).layers` of a torch model with a thousand dense layers."""
    from torch import nn

    import nissl

    model = nn.Sequential(*(part for _ in range(1000) for part in (nn.Linear(8, 8), nn.ReLU())))
    best = float("inf")
    for _ in range(runs + 1):
        began = time.perf_counter()
        found = nissl.network(model).layers
        best = min(best, time.perf_counter() - began)
    assert len(found) == 1000
    return best


def main() -> None:
    """Print all three, the first over a bare Python, and keep them as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="5 runs instead of 30, and nothing is kept")
    quick = parser.parse_args().quick
    runs = 5 if quick else 30
    bare = seconds([sys.executable, "-c", "pass"], runs)
    imported = seconds([sys.executable, "-c", "import nissl"], runs) - bare
    helped = seconds([str(Path(sys.executable).parent / "nissl"), "--help"], runs)
    rows = (
        ("a bare python", bare, None), ("import nissl, over a bare python", imported, IMPORT),
        ("nissl --help, python included", helped, HELP), ("the layers of a model of 1,000", thousand_layers(runs), LAYERS),
    )  # fmt: skip
    kept = []
    for what, figure, reach in rows:
        milliseconds = round(1000 * figure, 1)
        target = f"<= {reach}" if reach else ""
        kept.append({"what": what, "target": target, "figure": milliseconds, "unit": "ms", "reached": not reach or milliseconds <= reach})  # fmt: skip
        print(f"{what:34}{milliseconds:8.1f} ms  {target}")
    if not quick:
        about = {"machine": platform.machine(), "cores": os.cpu_count(), "python": platform.python_version()}
        RESULT.write_text(json.dumps({**about, "figures": kept}, indent=1) + "\n")


if __name__ == "__main__":
    main()
