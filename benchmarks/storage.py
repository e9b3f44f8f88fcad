"""What the trace on disk costs: appending, size, reading. Prints each figure beside its target, and keeps them as JSON.

`python benchmarks/storage.py [--quick] [--folder WHERE]`. Without --quick it needs about 6 GB of disk for some minutes.
"""

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).parent))
from nissl.core.store import ArraySpec, Column, Record
from nissl.stores.disk import Disk
from real_trace import STATS, epochs, rounded

Array = NDArray[Any]
Rows = list[tuple[str, str, float, str, bool]]


def spec(layer: str, units: int, stats: int = 22) -> ArraySpec:
    """An array of statistics."""
    columns = tuple(Column(f"s{i}") for i in range(stats))
    return ArraySpec("stats", ("neuron", "stat"), (units, stats), layer, columns=columns)


def drifting(number: int, specs: list[ArraySpec], seed: int = 0) -> Any:
    """Epochs of values that change slowly, as statistics do while a network learns, of 10 bits each."""
    rng = np.random.default_rng(seed)
    now = {s.key: rng.standard_normal(s.shape, np.float32) for s in specs}
    noise = {s.key: rng.standard_normal(s.shape, np.float32) * np.float32(0.02) for s in specs}
    for epoch in range(number):
        for key, value in now.items():
            value += np.roll(noise[key], epoch * 7, 0) / np.float32(1 + epoch / 4)
        yield {key: rounded(value) for key, value in now.items()}


def opened(path: Path, specs: list[ArraySpec], **options: Any) -> Disk:
    """A new trace."""
    store = Disk(path, **options)
    store.create({})
    store.declare(specs)
    return store


def milliseconds(times: list[float], share: float) -> float:
    """The quantile of some times."""
    return float(np.quantile(times, share) * 1000)


def raw_write(folder: Path, size: int) -> float:
    """Seconds that writing and syncing a new file of so many bytes takes: what dd with conv=fsync does.

    The file stays: its pages, given back, would make the next write quicker than one that takes new ones can be.
    """
    block, path = os.urandom(1 << 20), folder / f"raw-{time.monotonic_ns()}"
    start = time.perf_counter()
    with path.open("wb", buffering=0) as file:
        for at in range(0, size, len(block)):
            file.write(block[: size - at])
        os.fsync(file.fileno())
    return time.perf_counter() - start


def small_appends(folder: Path, number: int) -> Rows:
    """1.6 MB an epoch, synced, in a loop that computes between the epochs while the sealer works."""
    specs = [spec(f"layer_{k}", 1024, 80) for k in range(5)]  # 5 x 1024 x 80 x 4 bytes
    store, times, raw = opened(folder / "small", specs, durability="power"), [], []
    work = np.random.default_rng(0).standard_normal((400, 400))
    for epoch, arrays in enumerate(drifting(number, specs)):
        for _ in range(20):
            work = np.tanh(work @ work.T / 400)
        raw.append(raw_write(folder, 1_638_400))
        start = time.perf_counter()
        store.append(Record(epoch, arrays, {"loss": 1.0}))
        times.append(time.perf_counter() - start)
    start = time.perf_counter()
    store.close()
    closing = time.perf_counter() - start
    p50, p95 = milliseconds(times, 0.5), milliseconds(times, 0.95)
    return [
        ("append 1.6 MB, synced, p50", "<= 10 ms", p50, "ms", p50 <= 10),
        ("append 1.6 MB, synced, p95", "<= 20 ms", p95, "ms", p95 <= 20),
        ("append 1.6 MB, synced, worst", "", max(times) * 1000, "ms", True),
        ("... raw write + fsync beside it, p50", "", milliseconds(raw, 0.5), "ms", True),
        ("... raw write + fsync beside it, p95", "", milliseconds(raw, 0.95), "ms", True),
        (f"close after {number} epochs", "", closing * 1000, "ms", True),
    ]


def big_appends(folder: Path, number: int) -> Rows:
    """88 MB an epoch, synced, and the same bytes written raw, in turn; the quickest of each are compared.

    Either is several times slower whenever the system has to find new memory to cache the file in.
    """
    one = spec("wide", 1_000_000)
    store, raws, times = opened(folder / "big", [one], durability="power", block=1000), [], []
    for epoch, arrays in enumerate(drifting(number, [one])):
        raws.append(raw_write(folder, 88_000_000))
        start = time.perf_counter()
        store.append(Record(epoch, arrays))
        times.append(time.perf_counter() - start)
        print(f"  88 MB: raw {raws[-1]:.3f} s, append {times[-1]:.3f} s")
    shutil.rmtree(folder / "big")  # never closed: there is nothing to be kept
    share = min(raws) / min(times)
    return [
        ("append 88 MB, synced, median", "", float(np.median(times)), "s", True),
        ("... as a share of raw write + fsync speed", ">= 0.50", share, "", share >= 0.5),
    ]


def bytes_of(path: Path, inside: str = "") -> int:
    """How much the files of a folder hold."""
    return sum(file.stat().st_size for file in (path / inside).rglob("*") if file.is_file())


def sizes(folder: Path, number: int) -> Rows:
    """A real training run, lossless and rounded to 10 bits, against raw float32 and nested JSON."""
    trace, rows = list(epochs(number)), []
    raw = sum(array.nbytes for arrays in trace for array in arrays.values())
    specs = [
        ArraySpec(key.split("/")[2], ("neuron", "stat"), array.shape, key.split("/")[1])
        for key, array in trace[0].items()
    ]
    cut: Callable[[Array], Array]
    for name, cut, most in (("lossless", np.asarray, 0.55), ("10 bits", rounded, 0.25)):
        path = folder / name.replace(" ", "_")
        store = opened(path, specs)
        for epoch, arrays in enumerate(trace):
            store.append(Record(epoch, {key: cut(array) for key, array in arrays.items()}))
        store.close()
        share = bytes_of(path, "layers") / raw
        rows.append((f"size of {number} epochs, {name} / raw float32", f"<= {most}", share, "", share <= most))
        rows.append((f"... with index and metadata, {name}", "", bytes_of(path) / raw, "", True))
    nested = len(
        json.dumps(
            [{k: [dict(zip(STATS, n, strict=False)) for n in a.tolist()] for k, a in e.items()} for e in trace[:5]]
        )
    )
    for name, most in (("lossless", 1), ("10_bits", 1 / 20)):
        share = bytes_of(folder / name) / (nested * number / 5)
        rows.append((f"... {name} / nested JSON", "<= 1/20" if most < 1 else "", share, "", share <= most))
    rows.append(
        ("files per epoch", "", sum(1 for f in (folder / "lossless").rglob("*") if f.is_file()) / number, "", True)
    )
    return rows


def reads(folder: Path, number: int) -> Rows:
    """5,000 neurons: one of them over all epochs, and one epoch of all of them, each by a reader that just opened."""
    specs, path = [spec(f"layer_{k}", 1000) for k in range(5)], folder / "reads"
    store = opened(path, specs)
    for epoch, arrays in enumerate(drifting(number, specs)):
        store.append(Record(epoch, arrays, {"loss": 1.0}))
    store.close()
    every, histories, states = range(number), list[float](), list[float]()
    for turn in range(20):
        start = time.perf_counter()
        Disk(path).read(specs[turn % 5].key, every, (slice(turn * 31, turn * 31 + 1),))
        histories.append(time.perf_counter() - start)
        start = time.perf_counter()
        reader = Disk(path)
        for one in specs:
            reader.read(one.key, [turn * 3])
        states.append(time.perf_counter() - start)
    start = time.perf_counter()
    for _ in range(100):
        reader.entries()
    poll = (time.perf_counter() - start) * 10
    a, b = milliseconds(histories, 0.5), milliseconds(states, 0.5)
    return [
        (f"one neuron over {number} epochs", "<= 50 ms", a, "ms", a <= 50),
        ("one epoch of 5,000 neurons", "<= 50 ms", b, "ms", b <= 50),
        ("one poll of the entries", "", poll, "ms", True),
    ]


def wide_write(path: Path, number: int) -> None:
    """The writing half of `wide`, in a process of its own so that its memory can be told."""
    one = spec("wide", 1_000_000)
    store = opened(path, [one])
    base, times = resident(), []
    for epoch, arrays in enumerate(drifting(number, [one])):
        start = time.perf_counter()
        store.append(Record(epoch, arrays))
        times.append(time.perf_counter() - start)
        base = base if epoch else resident()
    start, cpu = time.perf_counter(), time.process_time()
    store.close()
    spent = time.perf_counter() - start, time.process_time() - cpu
    print(
        json.dumps(
            {"append": float(np.median(times)), "close": spent[0], "cpu": spent[1], "peak": resident(), "base": base}
        )
    )


def wide_read(path: Path, number: int) -> None:
    """The reading half."""
    key, neuron, epoch = spec("wide", 1_000_000).key, [], []
    Disk(path).read(key, [0], (slice(1),))  # what is imported once
    for turn in range(5):
        start = time.perf_counter()
        Disk(path).read(key, range(number), (slice(turn * 99_991, turn * 99_991 + 1),))
        neuron.append(time.perf_counter() - start)
    few = resident()
    for turn in range(3):
        start = time.perf_counter()
        Disk(path).read(key, [turn * 7 % number])
        epoch.append(time.perf_counter() - start)
    print(
        json.dumps(
            {"neuron": float(np.median(neuron)), "epoch": float(np.median(epoch)), "few": few, "peak": resident()}
        )
    )


def resident() -> float:
    """The most memory that this process has had, in MB."""
    status = Path("/proc/self/status")
    if status.exists():  # ru_maxrss would count the parent that we were forked from
        peak = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(peak.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1 << 20)


def wide(folder: Path, number: int) -> Rows:
    """A million neurons."""
    path, found = folder / "wide", {}
    for half in ("wide-write", "wide-read"):
        command = [sys.executable, __file__, "--half", half, "--folder", str(path), "--epochs", str(number)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        found[half] = json.loads(done.stdout)
    w, r = found["wide-write"], found["wide-read"]
    size = bytes_of(path) / (number * 88e6)
    neuron, epoch = r["neuron"] * 1000, r["epoch"]
    return [
        (f"1M neurons: append of 88 MB, not synced, {number} epochs", "", w["append"], "s", True),
        ("1M neurons: close (what was not sealed yet)", "", w["close"], "s", True),
        ("1M neurons: what sealing adds to the writer's peak memory", "", w["peak"] - w["base"], "MB", True),
        ("1M neurons: size / raw, 10 bits", "", size, "", True),
        ("1M neurons: one neuron over all epochs", "<= 50 ms", neuron, "ms", neuron <= 50),
        ("1M neurons: one epoch", "<= 2 s", epoch, "s", epoch <= 2),
        ("1M neurons: reader's peak memory for one neuron", "", r["few"], "MB", True),
        ("1M neurons: reader's peak memory for one epoch", "", r["peak"], "MB", True),
    ]


def main() -> None:
    """Measure everything, print the table, keep it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer epochs, and nothing is kept")
    parser.add_argument("--folder", type=Path, default=None, help="where to write; default: the temporary folder")
    parser.add_argument("--half", choices=["wide-write", "wide-read"], help=argparse.SUPPRESS)
    parser.add_argument("--epochs", type=int, default=50, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.half:
        (wide_write if options.half == "wide-write" else wide_read)(options.folder, options.epochs)
        return
    rows: Rows = []
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        folder = Path(name)
        rows += small_appends(folder, 20 if options.quick else 100)
        rows += big_appends(folder, 2 if options.quick else 8)
        rows += sizes(folder, 5 if options.quick else 200)
        rows += reads(folder, 60 if options.quick else 200)
        rows += wide(folder, 1 if options.quick else 50)
    for what, target, figure, unit, good in rows:
        print(f"{what:<62} {target:>9} {figure:10.3f} {unit:<3} {'' if good else 'MISSED'}")
    if options.quick:
        return
    results = Path(__file__).parent / "results" / "storage.json"
    results.parent.mkdir(exist_ok=True)
    kept = [{"what": w, "target": t, "figure": round(f, 4), "unit": u, "reached": g} for w, t, f, u, g in rows]
    results.write_text(json.dumps({"cores": os.cpu_count(), "figures": kept}, indent=1) + "\n")


if __name__ == "__main__":
    main()
