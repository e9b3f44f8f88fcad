"""How long `import nissl`, `nissl --help` and a look at a model of 1,000 layers take: reach 20 ms, 0.3 s and 0.1 s."""

import argparse
import subprocess
import sys
import time
from pathlib import Path

IMPORT, HELP, LAYERS = 0.020, 0.3, 0.1


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
    """Print all three; the first over a bare Python."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="5 runs instead of 30")
    runs = 5 if parser.parse_args().quick else 30
    bare = seconds([sys.executable, "-c", "pass"], runs)
    imported = seconds([sys.executable, "-c", "import nissl"], runs) - bare
    print(
        f"import nissl   {1000 * imported:6.1f} ms over a bare python ({1000 * bare:.0f} ms); reach {1000 * IMPORT:.0f}"
    )
    helped = seconds([str(Path(sys.executable).parent / "nissl"), "--help"], runs)
    print(f"nissl --help   {1000 * helped:6.1f} ms, python included; reach {1000 * HELP:.0f}")
    looked = thousand_layers(runs)
    print(f"nissl.network  {1000 * looked:6.1f} ms for the layers of a model with 1,000; reach {1000 * LAYERS:.0f}")


if __name__ == "__main__":
    main()
