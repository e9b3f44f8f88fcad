"""How good and how quick maps are, of units and of samples over time, and the profiles that they are made of.

One file of `_maps/` a group of rows; `python benchmarks/maps.py projections` runs some of them. Every row says what there is to
reach; peers stand beside it in the same run.
"""

import argparse
import json
import platform
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

HERE = Path(__file__).parent


def machine() -> dict[str, str]:
    """Where the figures are from."""
    return {"python": platform.python_version(), "torch": version("torch"), "processor": platform.machine()}


def main() -> None:
    """Run the chosen groups and add their figures to the results."""
    names = sorted(file.stem for file in (HERE / "_maps").glob("[a-z]*.py"))
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("groups", nargs="*", default=names, help=f"of {', '.join(names)}")
    parser.add_argument("--quick", action="store_true", help="the short rows alone, and nothing is written")
    given = parser.parse_args()
    torch.set_num_threads(1)
    file = HERE / "results" / "maps.json"
    for group in given.groups:
        for row, reach, figures in import_module(f"_maps.{group}").rows(given.quick):
            print(
                f"{row}  (reach: {reach})",
                *(f"  {name}: {value}" for name, value in figures.items()),
                sep="\n",
                flush=True,
            )
            if not given.quick:  # read anew: another run may have written its rows meanwhile
                results: dict[str, Any] = json.loads(file.read_text()) if file.exists() else {}
                results |= {row: {"reach": reach, **figures}, "machine": machine()}
                file.write_text(json.dumps(results, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    main()
