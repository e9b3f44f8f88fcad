"""Profiles of groups of 10,000 images, beside files of every activation that are aligned and averaged afterwards, and of a million.

The other way is iNNtrospect's: activations and gradients of each batch to files, files aligned example by example, files averaged.
"files" is written again in torch, for the layers that we profile; "iNNtrospect" does what it does in its own framework, where that is
installed (`_innt.py`). Alignment is mended in both (channels stay), so that all find the same numbers.
"""

import multiprocessing
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import nn

import nissl
from _maps import _innt

Row = tuple[str, str, dict[str, Any]]
Found = dict[str, np.ndarray]
IMAGES, GROUPS, BATCH = 10_000, 10, 128
FIRST = 1_000
"""A first call of everything, before the clock runs."""


class Job(NamedTuple):
    """What is to be profiled, and where files may go."""

    kind: str
    x: np.ndarray
    y: np.ndarray
    aligned: bool
    folder: Path


def network(kind: str) -> nn.Sequential:
    """784-128-10, or two convolutions of 128 channels (13 x 13 and 6 x 6) and an output."""
    torch.manual_seed(0)
    if kind == "MLP":
        layers = [nn.Flatten(), nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, GROUPS)]
    else:
        maps = [nn.Conv2d(1, 128, 3, 2), nn.ReLU(), nn.Conv2d(128, 128, 3, 2), nn.ReLU()]
        layers = [*maps, nn.Flatten(), nn.Linear(4608, GROUPS)]
    return nn.Sequential(*layers).eval()


def images(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Each group a blur of its own under noise."""
    random = np.random.default_rng(0)
    y = np.sort(np.arange(count) % GROUPS)  # the other way keeps one group in a file
    x = random.random((count, 1, 28, 28), np.float32)
    places = random.integers(4, 24, (GROUPS, 2))
    for k, (row, column) in enumerate(places):
        x[y == k, :, row - 3 : row + 3, column - 3 : column + 3] += 1
    return x, y


def ours(job: Job) -> Found:
    """`nissl.profile`, nothing written."""
    found = nissl.profile(network(job.kind), (job.x, job.y), align=job.aligned, progress=False)
    return {name: np.asarray(found[name]) for name in found}


def passes(job: Job) -> Found:
    """The network alone: what nobody can do without."""
    net = network(job.kind)
    for start in range(0, len(job.x), BATCH):
        heard(net, job.x[start : start + BATCH], job.aligned)
    return {}


def files(job: Job) -> Found:
    """Every activation and gradient into files, a batch of one group each; aligned into more files; averaged."""
    net, folder, of = network(job.kind), job.folder, []
    for group in range(GROUPS):
        some = job.x[job.y == group]
        for start in range(0, len(some), BATCH):
            values, slopes = heard(net, some[start : start + BATCH], True)
            for place, arrays in (("acts", values), ("grads", slopes)):
                for name, array in arrays.items():
                    (folder / place / name).mkdir(parents=True, exist_ok=True)
                    np.save(folder / place / name / f"batch{len(of):04d}.npy", array)
            of.append(group)
    found = {}
    for name in sorted(path.name for path in (folder / "acts").iterdir()):
        source = folder / "acts" / name
        if job.aligned and np.load(source / "batch0000.npy").ndim > 2:
            source = moved(folder, name, len(of))
        sums, counts = [0.0] * GROUPS, [0] * GROUPS
        for number, group in enumerate(of):
            batch = np.load(source / f"batch{number:04d}.npy")
            sums[group] = sums[group] + batch.mean(0) * len(batch)
            counts[group] += len(batch)
        found[name] = np.stack([total / count for total, count in zip(sums, counts, strict=True)])
    return found


def moved(folder: Path, name: str, count: int) -> Path:
    """Files of what is aligned example by example: padded with zeros, and cropped around the most salient place."""
    into = folder / "aligned" / name
    into.mkdir(parents=True)
    for number in range(count):
        file = f"batch{number:04d}.npy"
        values, slopes = np.load(folder / "acts" / name / file), np.load(folder / "grads" / name / file)
        out = np.empty_like(values)
        for i, (value, slope) in enumerate(zip(values, slopes, strict=True)):
            salience = np.abs(slope).mean(0)
            if salience.max() == salience.min():
                out[i] = value
                continue
            peak = np.unravel_index(salience.argmax(), salience.shape)
            pads, cut = [(0, 0)], [slice(None)]
            for n, at in zip(salience.shape, peak, strict=True):
                step = n // 2 - int(at)
                pads.append((max(step, 0), max(-step, 0)))
                cut.append(slice(max(-step, 0), max(-step, 0) + n))
            out[i] = np.pad(value, pads)[tuple(cut)]
        np.save(into / file, out)
    return into


def heard(net: nn.Sequential, x: np.ndarray, gradients: bool) -> tuple[Found, Found]:
    """What follows each nonlinearity, and the output; with the gradients of the predicted class."""
    values: dict[str, torch.Tensor] = {}
    with torch.set_grad_enabled(gradients):
        value = torch.from_numpy(x)
        for name, layer in net.named_children():
            value = layer(value)
            if isinstance(layer, nn.ReLU):
                before = str(int(name) - 1)
                value = values[before] = value.detach().requires_grad_() if not values else value
        slopes = torch.autograd.grad(value.max(1).values.sum(), list(values.values())) if gradients else ()
    found = {name: one.detach().numpy() for name, one in values.items()} | {name: value.detach().numpy()}
    return found, dict(zip(values, (one.numpy() for one in slopes), strict=False))


def innt(job: Job) -> Found:
    """iNNtrospect's way, of the twin in its framework."""
    data, out = job.folder / "corpus", job.folder / "out"
    if not data.exists():
        _innt.corpus(job.x, job.y, data)
    weights = [one.detach().numpy() for one in network(job.kind).parameters()]
    told = _innt.profiles(_innt.twin(weights), data, out, job.aligned)
    if job.kind == "MLP":
        return {"1": told[1]}
    return {name: found.transpose(0, 3, 1, 2) for name, found in (("0", told[1]), ("2", told[2]))}


def streamed(job: Job, times: int = 100) -> Found:
    """A loader that gives the same images again and again."""
    loader = ((job.x[i : i + 1000], job.y[i : i + 1000]) for _ in range(times) for i in range(0, len(job.x), 1000))
    found = nissl.profile(network(job.kind), loader, align=job.aligned, progress=False)
    return {name: np.asarray(found[name]) for name in found}


def tenth(job: Job) -> Found:
    """A tenth as long, of as many different images: fewer would stay nearer to the processor."""
    return streamed(job, 10)


def timed(way: Callable[..., Found], kind: str, count: int, aligned: bool) -> tuple[dict[str, float], Found]:
    """In a process of its own: seconds of the processor, memory at its highest over what images and libraries take, files."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_timed, (way, kind, count, aligned))


def _timed(way: Callable[..., Found], kind: str, count: int, aligned: bool) -> tuple[dict[str, float], Found]:
    torch.set_num_threads(1)
    if way is innt:
        import tensorflow as tf

        tf.config.threading.set_intra_op_parallelism_threads(1)
        tf.config.threading.set_inter_op_parallelism_threads(1)
    x, y = images(count)
    with tempfile.TemporaryDirectory() as first:
        (ours if way in (streamed, tenth) else way)(Job(kind, *images(min(count, FIRST)), aligned, Path(first)))
    before = _peak()
    with tempfile.TemporaryDirectory() as place:
        if way is innt:
            _innt.corpus(x, y, Path(place) / "corpus")  # what its users have
        start = time.process_time()
        found = way(Job(kind, x, y, aligned, Path(place)))
        spent = time.process_time() - start
        disk = sum(file.stat().st_size for file in Path(place).rglob("*") if file.is_file())
    return {
        "cpu s": round(spent, 3),
        "MB more at the peak": _peak() - before,
        "MB of files": round(disk / 1e6, 1),
    }, found


def _peak() -> int:
    unit = 1 if sys.platform == "darwin" else 1024
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6)


def rows(quick: bool) -> Iterator[Row]:
    """10,000 images by two networks and each way, medians of three turns in which all take theirs; a million by one."""
    count = IMAGES // 50 if quick else IMAGES
    reaches = {
        "MLP": "0.2 s; 20 times as fast as iNNtrospect",
        "CNN": "5 s; 5 times as fast as iNNtrospect, 2.5 times as files",
    }
    peer = {"iNNtrospect": innt} if find_spec("tensorflow") and find_spec("tf_keras") else {}
    ways = {"nissl": ours, "files": files, "the network alone": passes, **peer}
    for kind, aligned in (("MLP", False), ("CNN", True)):
        told: dict[str, Any] = {}
        turns = [
            {name: timed(way, kind, count, aligned) for name, way in ways.items()} for _ in range(1 if quick else 3)
        ]
        results = {name: found for name, (_, found) in turns[0].items()}
        for name in ways:
            all_turns = [turn[name][0] for turn in turns]
            told |= {f"{name}, {what}": statistics.median(one[what] for one in all_turns) for what in all_turns[0]}
        told["files / nissl"] = round(told["files, cpu s"] / told["nissl, cpu s"], 1)
        told["nissl / network"] = round(told["nissl, cpu s"] / told["the network alone, cpu s"], 2)
        for name in ("files", *peer):
            mine, theirs = results["nissl"], results[name]
            far = float(max(np.abs(mine[layer] - theirs[layer]).max() for layer in theirs))
            told["largest difference" if name == "files" else f"largest difference, {name}"] = far
        if peer:
            told["iNNtrospect / nissl"] = round(told["iNNtrospect, cpu s"] / told["nissl, cpu s"], 1)
        what = f"{kind}{' aligned' if aligned else ''}"
        yield f"profiles of {count:,} images, {what}", reaches[kind], told
    yield stream(count, 1 if quick else 3)


def stream(count: int, turns: int) -> Row:
    """Ten times as many examples by turns: seconds are their medians."""
    both = [[timed(way, "MLP", count, False)[0] for way in (tenth, streamed)] for _ in range(turns)]
    few, many = (
        {what: statistics.median(turn[at][what] for turn in both) for what in ("cpu s", "MB more at the peak")}
        for at in (0, 1)
    )
    told = {
        f"{10 * count:,}, cpu s": few["cpu s"], f"{100 * count:,}, cpu s": many["cpu s"],
        "times as long": round(many["cpu s"] / few["cpu s"], 1),
        f"{10 * count:,}, MB more": few["MB more at the peak"], f"{100 * count:,}, MB more": many["MB more at the peak"],
    }  # fmt: skip
    reach = "10 times as long for 10 times as many, no more memory"
    return f"profiles of {100 * count:,} examples streamed, MLP", reach, told
