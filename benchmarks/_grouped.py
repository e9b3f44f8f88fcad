"""Benchmarks in groups of rows, one file a group; every row says what there is to reach, and peers stand in the same run."""

import os

os.environ.setdefault(
    "OMP_NUM_THREADS", "1"
)  # before torch is there: what its set_num_threads leaves would spin beside

import argparse
import json
import platform
from collections.abc import Iterator
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from nissl.errors import MissingData

HERE = Path(__file__).parent


def machine() -> dict[str, str]:
    """Where the figures are from."""
    libraries = {name: version(name) for name in ("torch", "numpy", "scipy")}
    return {"python": platform.python_version(), "processor": platform.machine(), **libraries}


def _rows(group: str, quick: bool) -> Iterator[Any]:
    """A group's rows, until it lacks data that this machine does not have."""
    try:
        yield from import_module(group).rows(quick)
    except MissingData as missing:
        print(f"{group}: not run on: {missing}", flush=True)


def run(about: str | None, room: str, results: str) -> None:
    """Run the chosen groups of a room (all of them), and add their figures to the results."""
    names = sorted(file.stem for file in (HERE / room).glob("[a-z]*.py"))
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("groups", nargs="*", default=names, help=f"of {', '.join(names)}")
    parser.add_argument("--quick", action="store_true", help="few seeds and short rows alone, and nothing is written")
    given = parser.parse_args()
    torch.set_num_threads(1)
    file = HERE / "results" / results
    for group in given.groups:
        for row, reach, figures in _rows(f"{room}.{group}", given.quick):
            told = (f"  {name}: {value}" for name, value in figures.items())
            print(f"{row}  (reach: {reach})", *told, sep="\n", flush=True)
            if not given.quick:  # read anew: another run may have written its rows meanwhile
                known: dict[str, Any] = json.loads(file.read_text()) if file.exists() else {}
                known |= {row: {"reach": reach, **figures}, "machine": machine()}
                file.write_text(json.dumps(known, indent=1, sort_keys=True) + "\n")
