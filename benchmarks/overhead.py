"""What recording adds to a training step, with peers beside it: CPU time on one thread, as a ratio to the bare step.

Blocks of steps run in turn, each watcher's next to a block of the bare step, the order swapped in every round; the figure
is the median of the rounds' ratios. "bare again" is a second bare network, treated the same: what differs from 1 there
is noise. Peers are other tools; those that are not installed are left out and named. To have them, in an environment of
its own:

    python -m venv peers && peers/bin/pip install -c constraints.txt -e . torch tensorboard wandb nnsight
    peers/bin/pip install --no-deps cockpit-for-pytorch backpack-for-pytorch  # and what its import then asks for
    peers/bin/python benchmarks/overhead.py
"""

import argparse
import json
import platform
import time
import warnings
from contextlib import ExitStack, nullcontext
from dataclasses import replace
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch

from _overhead import peers
from _overhead.interleave import Opened, compared, load, steady
from _overhead.models import Case, cases, small_case
from _overhead.watchers import BOTH, Training, Watcher, bare, recorded, whole_epochs
from nissl.adapters._torch.sums import backend

OURS: dict[str, Watcher] = {
    "bare again": bare,
    "nissl": recorded(*BOTH),
    "nissl, all leaves": recorded(*BOTH, leaves=True),
    "nissl, every 4th step": recorded(*BOTH, every=4),
    "nissl, eager": recorded(*BOTH, native=False),
    "nissl, with gradients": recorded(*BOTH, "gradient"),
    "nissl, default quantities": recorded(),
    "naive hooks keep all": peers.naive,
}
WITHOUT_CLASSES = {"nissl, no classes": recorded(*BOTH, classes=False)}
PEERS: dict[str, Watcher] = {
    "another network, bare": bare,
    "nnsight saves all": peers.nnsight,
    "wandb.watch all": peers.wandb,
    "TensorBoard histograms": peers.tensorboard,
    "cockpit economy": peers.cockpit,
}
OURS_SMALL = {"bare again": bare, "nissl": recorded(*BOTH), "nissl, end of epoch too": whole_epochs}
PEERS_SMALL = {
    "nn_staining's loop": peers.staining,
    "nn_staining's loop and prints": partial(peers.staining, prints=True),
}
REACH = {  # the figures to reach, by model
    "mlp": (1.08, 1.08, 1.03, 1.25, 1.10),
    "cnn": (1.06, 1.08, 1.02, 1.25, 1.10),
    "transformer": (1.05, 1.06, 1.02, 1.10, 1.10),
}
REACHING = ("nissl", "nissl, all leaves", "nissl, every 4th step", "nissl, eager", "nissl, with gradients")
PACKAGES = ("nissl", "torch", "numpy", "tensorboard", "wandb", "nnsight", "cockpit-for-pytorch")


def measure(case: Case, ours: dict[str, Watcher], others: dict[str, Watcher], rounds: int) -> dict[str, Any]:
    """All watchers of one model; the peers, which add much, in fewer rounds and shorter blocks.

    Ours share one network with the bare step, for each new one lies elsewhere in memory and is a little faster or slower;
    each peer, which may leave something behind, has its own, as has "another network, bare", which tells what that does.
    """
    before, training = load(), Training(case)
    shared: dict[str, Opened] = {name: partial(watcher, training) for name, watcher in ours.items()}
    found = compared(partial(bare, training), shared, case.steps, rounds)
    refused: dict[str, str] = {}
    with ExitStack() as stack:
        for name, watcher in others.items():
            own = ExitStack()
            try:
                step = own.enter_context(watcher(Training(case)))
                step()
            except Exception as error:  # noqa: BLE001 - another tool may fail in its own ways; the table tells
                refused[name] = f"{type(error).__name__}: {str(error).strip().splitlines()[0]}"
                own.close()
                continue
            stack.push(own)
            steps = max(4, case.steps // 4)
            found |= compared(partial(bare, training), {name: partial(nullcontext, step)}, steps, max(2, rounds // 3))
    if "naive hooks keep all" in found:
        found["naive hooks keep all"]["kept_mb"] = peers.megabytes(training)
    return {"load": [before, load()], "rows": found, "not_run": refused}


def small(case: Case) -> Case:
    """Of fewer examples and steps, for a quick look."""
    return replace(case, steps=4 * max(1, case.steps // 12), batch=lambda: tuple(part[:16] for part in case.batch()))


def show(name: str, result: dict[str, Any]) -> None:
    """One model's table."""
    rows = result["rows"]
    first = next(iter(rows.values()))
    print(f"\n{name}: bare step {first['bare_ms']:.2f} ms, load {result['load'][-1][0]}")
    goals = dict(zip(REACHING, REACH.get(name, ()), strict=False))
    for watcher, row in rows.items():
        low, high = row["quartiles"]
        goal = f"reach {goals[watcher]:.2f}" if watcher in goals else ""
        more = f"{row['kept_mb']} MB kept a step" if "kept_mb" in row else goal
        print(f"  {watcher:32}{row['ratio']:9.3f}  [{low:.3f}, {high:.3f}] {row['added_ms']:10.3f} ms  {more}")
    for watcher, reason in result["not_run"].items():
        print(f"  {watcher:32} not run: {reason[:90]}")


def about() -> dict[str, Any]:
    """The machine and the versions."""
    versions = {}
    for name in PACKAGES:
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            versions[name] = "not installed"
    return {
        "kernel": backend(), "machine": platform.machine(), "python": platform.python_version(), "threads": 1,
        "time": "process_time of this process", "versions": versions,
    }  # fmt: skip


def main() -> None:
    """Print the tables and keep them as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="2 rounds, and nothing is kept")
    parser.add_argument("--rounds", type=int, default=31)
    parser.add_argument("--models", nargs="+", help="default: all; the first two when quick")
    parser.add_argument("--wait", type=float, default=0, help="minutes to wait for a quiet machine, before each model")
    given = parser.parse_args()
    rounds = 2 if given.quick else given.rounds
    chosen = given.models or [name for name in (*REACH, "small") if not given.quick or name in ("mlp", "cnn")]
    torch.set_num_threads(1)
    steadied = steady()
    warnings.simplefilter("ignore")
    results: dict[str, Any] = {}
    for name, case in cases().items():
        case = small(case) if given.quick else case
        ours = OURS | (WITHOUT_CLASSES if case.token_classes else {})
        few = max(3, rounds // 3) if name == "transformer" else rounds
        if name in chosen:
            quiet(given.wait)
            results[name] = measure(case, ours, PEERS, few)
            show(name, results[name])
    for hidden in (10, 100) if "small" in chosen else ():
        name = f"20-{hidden}-{hidden}-1"
        results[name] = measure(small_case(hidden), OURS_SMALL, PEERS_SMALL, rounds)
        show(name, results[name])
    if not given.quick:
        file = Path(__file__).parent / "results" / "overhead.json"
        kept = json.loads(file.read_text())["models"] if file.exists() else {}
        found = {**about(), "freed_memory_kept": steadied, "reach": REACH, "models": kept | results}
        file.write_text(json.dumps(found, indent=2) + "\n")


def quiet(minutes: float) -> None:
    """Wait until little else runs."""
    until = time.monotonic() + 60 * minutes
    while load()[0] > 1.3 and time.monotonic() < until:
        time.sleep(5)


if __name__ == "__main__":
    main()
