"""Traces larger than memory: time, memory of every process and the second worker's worth, on threads and on a cluster.

`python benchmarks/out_of_core.py [--quick] [--folder WHERE]`. Without --quick it needs about 3 GB of disk for half an hour.
"""

import argparse
import hashlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).parent))
from nissl.core.store import ArraySpec, Column, Record
from nissl.stores.disk import Disk
from real_trace import STATS
from storage import bytes_of, drifting, resident

Array = NDArray[Any]
CLASSES = tuple(f"class {i}" for i in range(20))
LAYERS = 4
MOST = 350  # MB in any process
MODES = ("1 thread", "2 threads", "1 worker", "2 workers")
NUMBERS = len(STATS) + 2 * len(CLASSES)  # of a unit at an epoch
SHARES = {name: len(CLASSES) / NUMBERS for name in ("mean", "contrast", "selectivity")} | {
    "frame": len(STATS) / NUMBERS
}
JOBS = tuple(SHARES)


def specs(units: int) -> list[ArraySpec]:
    """What a run with class profiles records of each layer."""
    found = []
    for layer in (f"layer_{i}" for i in range(LAYERS)):
        columns = tuple(map(Column, STATS))
        found.append(ArraySpec("stats", ("neuron", "stat"), (units, len(STATS)), layer, columns=columns))
        for name in ("class_mean", "class_std"):
            shape, labels = (units, len(CLASSES)), {"class": CLASSES}
            found.append(ArraySpec(name, ("neuron", "class"), shape, layer, columns=(Column(name),), labels=labels))
    return found


def write(path: Path, units: int, epochs: int) -> dict[str, float]:
    """A closed trace by the real store: its size in memory and on disk in GB, and the processor's seconds for all of it."""
    arrays, store = specs(units), Disk(path)
    store.create({"classes": list(CLASSES)})
    store.declare(arrays)
    start, made = time.process_time(), 0.0
    values = drifting(epochs, arrays)
    for epoch in range(epochs):
        before = time.thread_time()
        now = next(values)
        made += time.thread_time() - before
        store.append(Record(epoch, now))
    store.close()
    raw = epochs * sum(int(np.prod(spec.shape)) for spec in arrays) * 4 / 1e9
    return {"raw": raw, "disk": bytes_of(path) / 1e9, "cpu": time.process_time() - start - made}


def job(name: str, path: Path) -> Array:
    """One question to the whole trace, small in its answer."""
    import dask

    import nissl

    trace = nissl.open(path)
    if name == "frame":
        found = trace.to_dataframe(engine="dask").groupby("epoch")[list(STATS)].max(split_out=1).compute()
        return found.sort_index().to_numpy()
    answers = []
    for layer in trace.profile(name).children.values():
        if name == "selectivity":
            answers += [layer["selectivity"].max("neuron"), (layer["best"] == 3).sum("neuron")]
        else:
            answers.append(layer[name].max("neuron"))
    return np.concatenate([np.ravel(one.values) for one in dask.compute(*answers)])


def inside(mode: str, paths: list[Path]) -> None:
    """Every job in one mode, in a process of its own; prints what it took, a line a trace."""
    import dask

    number, kind = int(mode[0]), mode.split()[1]
    if kind.startswith("thread"):
        with dask.config.set(scheduler="threads", num_workers=number):
            for path in paths:
                told(timed(path), {"process": resident()})
    else:
        from distributed import Client, LocalCluster

        options = {"n_workers": number, "threads_per_worker": 1, "memory_limit": None, "dashboard_address": ":0"}
        with LocalCluster(processes=True, **options) as cluster, Client(cluster) as client:
            client.wait_for_workers(number)
            for path in paths:
                found = timed(path)
                workers = {f"worker {i}": peak for i, peak in enumerate(client.run(resident).values())}
                told(found, {"client": resident()} | workers)


def told(jobs: dict[str, Any], peaks: dict[str, float]) -> None:
    """A line for `measure`."""
    print(json.dumps({"jobs": jobs, "peaks": peaks}))


def timed(path: Path) -> dict[str, Any]:
    """Seconds and the answer's fingerprint of each job."""
    found = {}
    for name in JOBS:
        start = time.perf_counter()
        answer = job(name, path)
        seconds = time.perf_counter() - start
        found[name] = {"seconds": seconds, "answer": hashlib.sha256(answer.tobytes()).hexdigest()[:16]}
    return found


def measure(groups: list[list[Path]], rounds: int) -> dict[Path, dict[str, list[Any]]]:
    """Every mode on every trace, one after the other, and again, so that the machine's moods fall on all alike; a group shares processes."""
    found: dict[Path, dict[str, list[Any]]] = {path: {mode: [] for mode in MODES} for group in groups for path in group}
    for _ in range(rounds):
        for group in groups:
            for mode in MODES:
                command = [sys.executable, __file__, "--mode", mode, *map(str, group)]
                env = {
                    **os.environ,
                    "OMP_NUM_THREADS": "1",
                    "OPENBLAS_NUM_THREADS": "1",
                    "MALLOC_TRIM_THRESHOLD_": "65536",
                }
                done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=env)
                for path, line in zip(group, done.stdout.splitlines()[-len(group) :], strict=True):
                    found[path][mode].append(json.loads(line))
    return found


def seconds(runs: list[Any], name: str) -> float:
    """The median over the rounds."""
    return statistics.median(run["jobs"][name]["seconds"] for run in runs)


def table(found: dict[Path, dict[str, list[Any]]], raw: list[float]) -> list[tuple[str, str, float, str, bool]]:
    """The figures, each beside its target."""
    rows: list[tuple[str, str, float, str, bool]] = []
    small, large = next(iter(found)), next(reversed(found))
    for (_, modes), size in zip(found.items(), raw, strict=True):
        for mode, runs in modes.items():
            rows += [(f"{size:.2f} GB, {mode}: {name}", "", seconds(runs, name), "s", True) for name in JOBS]
            rows += [
                (
                    f"... {name}, raw numbers that were asked for",
                    "",
                    size * 1000 * share / seconds(runs, name),
                    "MB/s",
                    True,
                )
                for name, share in SHARES.items()
            ]
            for process in runs[0]["peaks"]:
                peak = max(run["peaks"][process] for run in runs)
                rows.append((f"{size:.2f} GB, {mode}: peak of the {process}", f"<= {MOST}", peak, "MB", peak <= MOST))
        answers = [{run["jobs"][name]["answer"] for runs in modes.values() for run in runs} for name in JOBS]
        alike = all(len(each) == 1 for each in answers)
        rows.append((f"{size:.2f} GB: the same to the last bit in all modes", "1", float(alike), "", alike))
    for mode in MODES:
        ends = [sum(seconds(found[path][mode], name) for name in JOBS) for path in (small, large)]
        grown = ends[1] / ends[0] / (raw[-1] / raw[0])
        rows.append((f"{mode}: growth of time / growth of size", "<= 1.2", grown, "", grown <= 1.2))
    for one, two in (MODES[:2], MODES[2:]):
        for name in JOBS:
            gain = seconds(found[large][one], name) / seconds(found[large][two], name)
            rows.append((f"{raw[-1]:.2f} GB: {two} over {one}, {name}", "", gain, "x", True))
    return rows


def main() -> None:
    """Write the traces, measure, print, keep."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--quick", action="store_true", help="two traces of some megabytes, one round, and nothing is kept"
    )
    parser.add_argument("--folder", type=Path, default=None, help="where to write; default: the temporary folder")
    parser.add_argument("--rounds", type=int, default=3, help="how often everything is measured")
    parser.add_argument("--mode", choices=MODES, help=argparse.SUPPRESS)
    parser.add_argument("traces", nargs="*", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.mode:
        inside(options.mode, options.traces)
        return
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        sizes = {epochs: Path(name, str(epochs)) for epochs in ((20, 40) if options.quick else (50, 100, 200))}
        units = 400 if options.quick else 25_000
        written = [write(path, units, epochs) for epochs, path in sizes.items()]
        paths = list(sizes.values())
        found = measure([paths], 1) if options.quick else measure([[path] for path in paths], options.rounds)
    rows = table(found, [one["raw"] for one in written])
    speed = written[-1]["raw"] * 1000 / written[-1]["cpu"]
    rows.append(("appended, sealed and closed, per second of one core", "", speed, "MB", True))
    for what, target, figure, unit, good in rows:
        print(f"{what:<62} {target:>9} {figure:10.3f} {unit:<3} {'' if good else 'MISSED'}")
    kept = [{"what": w, "target": t, "figure": round(f, 4), "unit": u, "reached": g} for w, t, f, u, g in rows]
    about = {"quick": options.quick, "cores": os.cpu_count(), "load": [round(load, 2), round(os.getloadavg()[0], 2)]}
    about |= {"neurons": units * LAYERS, "epochs": list(sizes), "written": written}
    results = Path(__file__).parent / "results" / "out_of_core.json"
    if not options.quick:  # quick figures are for looking at
        results.write_text(json.dumps({**about, "figures": kept}, indent=1) + "\n")


if __name__ == "__main__":
    main()
