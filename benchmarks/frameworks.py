"""What recording adds to the training step of other frameworks: CPU time on one thread, as a ratio to the bare step.

One file of `_frameworks/` a framework; `KERAS_BACKEND=jax python benchmarks/frameworks.py keras` runs one of them. Blocks of
steps run in turn, one of each way of training, the order turned in every round; a figure is the median of the rounds'
ratios to the bare block beside it. "bare again" is a second bare network: what differs from 1 there is noise.
"""

import argparse
import json
import os
import statistics
from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

HERE = Path(__file__).parent
Block = Callable[[], float]
"""Trains a block of steps and returns the seconds that it took."""


class Framework(Protocol):
    """What a file of `_frameworks/` holds."""

    def name(self) -> str:
        """What the figures are filed under."""

    def single_thread(self) -> None:
        """Called before anything else of the framework is."""

    def cases(self, steps: int) -> Iterator[tuple[str, Mapping[str, Block]]]:
        """The models, and for each the ways of training it; "bare" is one of them. Not timed when called the first time."""


def ratios(ways: Mapping[str, Block], rounds: int) -> dict[str, float]:
    """Of every way to the bare one; of that, the seconds of a block."""
    for block in ways.values():
        block()
    seen: dict[str, list[float]] = {name: [] for name in ways}
    order = list(ways)
    for _ in range(rounds):
        took = {name: ways[name]() for name in order}
        for name, seconds in took.items():
            seen[name].append(seconds / took["bare"] if name != "bare" else seconds)
        order.reverse()
    return {name: round(statistics.median(values), 4) for name, values in seen.items()}


def main() -> None:
    """Run the chosen frameworks and add their figures to the results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    names = sorted(file.stem for file in (HERE / "_frameworks").glob("[a-z]*.py"))
    parser.add_argument("frameworks", nargs="*", default=names, help=f"of {', '.join(names)}")
    parser.add_argument("--quick", action="store_true", help="few steps, and nothing is written")
    given = parser.parse_args()
    os.environ.update(OMP_NUM_THREADS="1", TF_CPP_MIN_LOG_LEVEL="3")
    file = HERE / "results" / "frameworks.json"
    results: dict[str, Any] = json.loads(file.read_text()) if file.exists() else {}
    for chosen in given.frameworks:
        try:
            framework: Any = import_module(f"_frameworks.{chosen}")
        except ModuleNotFoundError as missing:
            print(f"{chosen}: {missing.name} is not installed here")
            continue
        framework.single_thread()
        for case, ways in framework.cases(8 if given.quick else 100):
            found = ratios(ways, 1 if given.quick else 5)
            results.setdefault(framework.name(), {})[case] = found
            print(framework.name(), case, found, flush=True)
    if not given.quick:
        file.write_text(json.dumps(results, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    main()
