"""Kill a writer again and again, at any moment: is a committed epoch lost or torn, does the run open, can it go on?

Each child appends epochs, closes, reopens, and is killed with SIGKILL a random time after one of its reports; each epoch that it
reported as committed must then be there, whole. Run on Linux or macOS: `python benchmarks/kills.py --kills 500`.
"""

import argparse
import json
import os
import random
import select
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nissl.core.store import ArraySpec, Column, Record
from nissl.stores.disk import Disk

LAYERS, UNITS, RUN = 4, 2000, 25
BLOCKS = (2, 3, 8, 20)  # epochs sealed together, by run: few of them, so that most kills find a seal under way
SPECS = tuple(
    ArraySpec("stats", ("neuron", "stat"), (UNITS, 22), f"layer_{k}", columns=tuple(Column(f"s{i}") for i in range(22)))
    for k in range(LAYERS)
)


def values(epoch: int) -> dict[str, NDArray[Any]]:
    """What an epoch holds, known to both sides."""
    rng = np.random.default_rng(epoch)
    return {spec.key: rng.standard_normal(spec.shape, np.float32) for spec in SPECS}


def write(path: Path, report: int, chapter: int, block: int) -> None:
    """A child's life: go on with the run, report every committed epoch, close and reopen now and then."""
    store = Disk(path, block=block)
    if (path / "index.json").exists():
        store.reopen()
    else:
        store.create({})
    store.declare(SPECS)
    os.write(report, b"open\n")
    entries = store.entries()
    epoch = entries[-1].epoch if entries else -1
    while True:
        for _ in range(chapter):
            epoch += 1
            store.append(Record(epoch, values(epoch), {"loss": 1 / (1 + epoch)}))
            os.write(report, f"{epoch}\n".encode())
        store.close()
        os.write(report, b"closed\n")
        store.reopen()


def heard(reading: int, reports: int) -> bytes:
    """What the child says until it has reported so often, however long this takes where others are at work."""
    said = b""
    while said.count(b"\n") < reports and select.select([reading], [], [], 30)[0]:
        more = os.read(reading, 1 << 12)
        if not more:
            break
        said += more
    return said


def one_life(path: Path, block: int, rng: random.Random) -> tuple[list[str], int]:
    """Start a child, let it live for a random time, kill it. What it reported, and its exit status if it died by itself."""
    reading, writing = os.pipe()
    chapter = rng.choice([1, 3, 7, 40])
    pid = os.fork()
    if pid == 0:
        try:
            os.close(reading)
            write(path, writing, chapter, block)
        except BaseException:  # noqa: BLE001 - a child that cannot go on is what we are looking for
            sys.excepthook(*sys.exc_info())
        finally:
            os._exit(3)
    os.close(writing)
    said = b""
    if rng.random() < 0.7:
        said = heard(reading, rng.choice([1, 2, 4, 6]))
        time.sleep(rng.uniform(0, 0.12))
    else:  # while it opens
        time.sleep(rng.uniform(0, 0.03))
    os.kill(pid, signal.SIGKILL)
    status = os.waitpid(pid, 0)[1]
    with os.fdopen(reading, "rb") as file:
        said += file.read()
    return said.decode().split(), 0 if os.WIFSIGNALED(status) else status


def verdict(path: Path, committed: int, checked: set[int], rng: random.Random) -> Counter[str]:
    """What is wrong with a run whose epochs 0 to `committed` were reported."""
    found: Counter[str] = Counter()
    try:
        store = Disk(path)
        entries = {entry.epoch: entry for entry in store.entries()}
    except Exception as error:  # noqa: BLE001 - any error is the finding
        print("unopenable:", error)
        return Counter(unopenable=1)
    found["lost"] += sum(epoch not in entries for epoch in range(committed + 1))
    fresh = [epoch for epoch in entries if epoch not in checked]
    for epoch in fresh[-60:] + rng.sample(list(entries), min(3, len(entries))):
        try:
            expected = values(epoch)
            whole = all(np.array_equal(store.read(key, [epoch])[0], expected[key]) for key in expected)
            found["torn"] += not (whole and entries[epoch].damage is None and entries[epoch].scalars)
        except Exception as error:  # noqa: BLE001 - the same
            print("torn:", error)
            found["torn"] += 1
    checked |= set(fresh)
    return found


def campaign(kills: int, seed: int, folder: Path) -> dict[str, int]:
    """So many kills; a new run after every RUN of them."""
    rng, total = random.Random(seed), Counter[str](lost=0, torn=0, unopenable=0, unresumable=0)
    for number in range(kills):
        path = folder / f"run{number // RUN}"
        if number % RUN == 0:
            shutil.rmtree(folder / f"run{number // RUN - 1}", ignore_errors=True)
            committed, checked = -1, set[int]()
        said, status = one_life(path, BLOCKS[number // RUN % len(BLOCKS)], rng)
        committed = max([committed, *(int(word) for word in said if word.isdigit())])
        total["kills"] += 1
        total["acknowledged"] += sum(word.isdigit() for word in said)
        total["unresumable"] += status != 0
        if not (path / "index.json").exists():  # killed before there was a trace
            total["unborn"] += 1
            total["lost"] += committed + 1
            continue
        total["inside a seal"] += (path / "_sealing").exists()
        closed = b'"closed":true' in (path / "index.json").read_bytes()
        total["inside an un-seal"] += closed and any(path.glob("_hot/*"))
        total["while opening"] += not said
        total["after a close"] += bool(said) and said[-1] == "closed"
        total += verdict(path, committed, checked, rng)
    return {name: total[name] for name in ("lost", "torn", "unopenable", "unresumable")} | dict(total)


def main() -> None:
    """Run a campaign and print what was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=500)
    parser.add_argument(
        "--quick", action="store_true", help="sixty kills, and nothing is kept unless --json says where"
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, help="where to keep the figures; default: results/kills.json")
    options = parser.parse_args()
    kills = 60 if options.quick else options.kills
    began = time.time()
    with tempfile.TemporaryDirectory() as folder:
        found = campaign(kills, options.seed, Path(folder))
    found["seconds"] = round(time.time() - began)
    if kept := options.json or (None if options.quick else Path(__file__).parent / "results" / "kills.json"):
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_text(json.dumps(found, indent=1) + "\n")
    for name, count in found.items():
        print(f"{name:>17} {count}")
    sys.exit(any(found[name] for name in ("lost", "torn", "unopenable", "unresumable")))


if __name__ == "__main__":
    main()
