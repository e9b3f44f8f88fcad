"""Layouts of units: order and evenness beside chance, time with peers, steadiness, time as an axis.

Units are 256 neurons of an MLP trained on MNIST ($NISSL_DATA, or ../shared/data), and sparse random mixtures of them through a ReLU (2 %
of weights), told by their activations over 2,000 images; and the 128 neurons of an MLP on digits, told by class.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import torch

import nissl
from _structures.digits import Row, learn
from _structures.digits import mlp as digits_mlp
from nissl.core.layout import Layout, comparable, layout, placed, principal
from nissl.core.map import Map
from nissl.core.neighbours import preserved
from nissl.data.digits import Digits
from nissl.data.mnist import Mnist
from nissl.layouts._even.blocks import traded
from nissl.layouts._even.halves import filled
from nissl.layouts._even.shapes import grid
from nissl.layouts._even.sheet import learned

DATA = Path(os.environ.get("NISSL_DATA", Path(__file__).parents[2] / "../shared/data"))
COLD = """
import time, numpy as np
import nissl
x = np.maximum(np.random.default_rng(0).normal(size=({count}, 10)), 0)
nissl.topomap(x)
print(time.process_time())
"""


def rows(quick: bool) -> Iterator[Row]:
    torch.set_num_threads(1)
    sizes = (256,) if quick else (256, 1024, 4096)
    if (DATA / "mnist").is_dir():
        units = neurons(500 if quick else 12000)
        for count in sizes:
            yield grids(mixed(units, count))
        if not quick:
            yield steady(mixed(units, 256))
    yield cold((128,) if quick else (128, 1000, 4000))
    trace, _ = recorded(3 if quick else 20)
    yield over_time(trace)
    if not quick:
        yield classes(trace)
        yield many(100_000)


def neurons(images: int) -> Any:
    """(unit, image): the hidden neurons of an MLP trained on MNIST, over 2,000 images that it was not trained on."""
    torch.manual_seed(0)
    splits = Mnist(folder=str(DATA / "mnist")).load()
    (x, y), (held, _) = splits.train, splits.test
    net = torch.nn.Sequential(
        torch.nn.Flatten(), torch.nn.Linear(784, 256), torch.nn.ReLU(), torch.nn.Linear(256, 10)
    )  # fmt: skip
    learn(net, torch.from_numpy(x[:images]), torch.from_numpy(y[:images]), 6)
    with torch.no_grad():
        return net[:3](torch.from_numpy(held[:2000])).numpy().T


def mixed(units: Any, count: int) -> Any:
    if count == len(units):
        return units
    rng = np.random.default_rng(0)
    weights = rng.normal(size=(count, len(units))) * (rng.random((count, len(units))) < 0.02)
    weights[np.arange(count), rng.integers(0, len(units), count)] += 1
    return np.maximum(weights @ units, 0)


def timed(work: Callable[[], Any]) -> tuple[Any, float]:
    begun = time.process_time()
    return work(), time.process_time() - begun


def beside(x: Any, cells: Any, held: Any) -> float:
    """The mean distance of neighbours on the grid, relative to random pairs."""
    table = np.full((*(cells.max(0) + 1), x.shape[1]), np.nan)
    table[cells[:, 0], cells[:, 1]] = x[held]
    steps = [
        np.sqrt(((a - b) ** 2).sum(-1)).ravel() for a, b in ((table[1:], table[:-1]), (table[:, 1:], table[:, :-1]))
    ]
    one, other = np.random.default_rng(0).integers(0, len(x), (2, 20000))
    far = np.sqrt(((x[one] - x[other]) ** 2).sum(1))[one != other].mean()
    return float(np.nanmean(np.concatenate(steps)) / far)


def grids(values: Any) -> Row:
    """Our own embedding arranged, and others' embeddings arranged by exact assignment and by us."""
    x = principal(comparable(values))
    cells = grid(len(x))
    figures: dict[str, Any] = {}

    def told(name: str, held: Any, embedding: float, arranging: float) -> None:
        places = np.empty((len(x), 2))
        places[held] = cells[:, ::-1]
        kept = preserved(x, places, 8, most=1000)
        figures[name] = (
            f"neighbours {beside(x, cells, held):.3f}, 8-NN {kept.kept:.3f}, trust {kept.trustworthiness:.3f}; "
            f"embedding {embedding:.2f} s, arranging {arranging:.3f} s"
        )

    learned(x[:64], grid(64)), traded(x[:64], grid(64), np.arange(64), 0)  # imports
    points, first = timed(lambda: learned(x, cells))
    told("grid (ours)", *_arranged(x, cells, points, first))
    for name in ("random", "pca", "tsne", *(["umap"] if find_spec("umap") else [])):
        made = layout(name, {})
        points, first = timed(lambda made=made: made.place(x, None, 0))
        told(f"{name} + our arranging", *_arranged(x, cells, points, first))
        if len(x) <= 1024:
            held, exact = timed(lambda points=points: assigned(points, cells))
            told(f"{name} + exact assignment", held, first, exact)
    reach = {256: "neighbours <= .62, arranging <= .02 s", 1024: "<= .57, .2 s", 4096: "<= .48, 1 s"}
    return f"maps: {len(x)} units of activations", reach[len(x)], figures


def _arranged(x: Any, cells: Any, points: Any, first: float) -> tuple[Any, float, float]:
    held, second = timed(lambda: traded(x, cells, filled(points, cells), 0))
    return held, first, second


def assigned(points: Any, cells: Any) -> Any:
    """The unit in each cell, by the least sum of squared moves."""
    from scipy.optimize import linear_sum_assignment

    low, size = points.min(0), np.ptp(points, 0)
    at = (points - low) / size * np.ptp(cells[:, ::-1], 0)
    row, column = linear_sum_assignment(((cells[:, None, ::-1] - at[None]) ** 2).sum(-1))
    return column[np.argsort(row)]


def steady(values: Any) -> Row:
    """How many units keep their cell when every number differs in its last digits."""
    first = placed(layout("grid", {}), comparable(values))
    figures = {}
    for noise in (1e-7, 1e-6):
        stay = []
        for seed in range(10):
            shaken = values * (1 + noise * np.random.default_rng(seed).normal(size=values.shape))
            stay.append(float((np.abs(placed(layout("grid", {}), comparable(shaken)) - first).max(1) < 1e-6).mean()))
        figures[f"units that stay at {noise:g}, least of 10 and median"] = [
            round(min(stay), 3),
            round(float(np.median(stay)), 3),
        ]
    return "maps: last digits, 256 units by 2,000 activations", "all stay", figures


def cold(counts: tuple[int, ...]) -> Row:
    found = {}
    for count in counts:
        done = subprocess.run(
            [sys.executable, "-c", COLD.format(count=count)], capture_output=True, text=True, check=True
        )
        found[f"{count} units, s"] = round(float(done.stdout), 2)
    return (
        "maps: a map of 10 numbers a unit, processor time from a cold start",
        "<= .5 / 4 / 25 s at 128 / 1,000 / 4,000",
        found,
    )


def recorded(epochs: int) -> tuple[Any, Any]:
    """The trace of an MLP that learns digits."""
    path = Path(tempfile.mkdtemp()) / "digits"
    torch.manual_seed(0)
    splits = Digits().load()
    x, y = (torch.from_numpy(part) for part in splits.train)
    net = digits_mlp()
    optimizer = torch.optim.Adam(net.parameters())
    with nissl.record(net, path, classes=10, probe=splits.test, progress=False) as recorder:
        for _ in recorder.epochs(epochs):
            for part in torch.randperm(len(x)).split(32):
                optimizer.zero_grad()
                torch.nn.functional.cross_entropy(net(x[part]), y[part]).backward()
                optimizer.step()
    return nissl.open(path), net


def classes(trace: Any) -> Row:
    """Every layout of the 128 neurons by their class profiles."""
    figures = {}
    ways: list[tuple[str, dict[str, Any]]] = [
        (name, {}) for name in ("grid", "disc", "random", "pso", "graph", "som", "pca", "tsne")
    ]
    ways += [("tsne", {"even": True}), ("pca", {"even": "swarm"}), ("random", {"even": "swarm"})]
    ways += [("umap", {}), ("umap", {"even": "swarm"}), ("umap", {"even": True})] if find_spec("umap") else []
    for measure in ("mean", "contrast"):
        for by, options in ways:
            nissl.topomap(trace, "hidden_2", by=by, **options)  # imports
            found, took = timed(
                lambda by=by, o=options, m=measure: nissl.topomap(trace, "hidden_1", by=by, measure=m, **o)
            )
            spread = f" + {options['even'] if options['even'] is not True else 'grid'}" if options else ""
            figures[f"{measure}: {by}{spread}"] = _told(found, took)
    return "maps: 128 neurons by 10 classes", "8-NN >= .45, Moran >= .42, spacing no worse than umap + swarm", figures


def _told(found: Map, took: float) -> str:
    good = found.quality
    parts = [f"{name} {good[name].value:.3g} (z {good[name].z:.1f})" for name in good]
    return f"{', '.join(parts)}; {took:.2f} s"


def over_time(trace: Any) -> Row:
    """One map that stays put, maps that move from the last epoch back, and maps made anew at each epoch."""
    every = trace.epochs
    figures = {}
    anew = {e: nissl.topomap(trace, "hidden_1", epochs=e) for e in every}
    moving, cost = timed(lambda: nissl.topomap(trace, "hidden_1", epochs="all", moving=True))
    still, once = timed(lambda: nissl.topomap(trace, "hidden_1", epochs="all"))
    for name, orders in (("stays put", still.orders()), ("moves", moving.orders())):
        figures[f"{name}: kept, trust, Moran over epochs"] = [
            round(float(orders[k].mean()), 3) for k in ("kept", "trustworthiness", "moran")
        ]
    independent = [anew[e].orders().iloc[0] for e in every]
    figures["anew: kept, trust, Moran over epochs"] = [
        round(float(np.mean([o[k] for o in independent])), 3) for k in ("kept", "trustworthiness", "moran")
    ]
    figures["moves: median step, of the map's radius; of the data"] = [
        round(float(moving.drift()[k].median()), 3) for k in ("moved", "changed")
    ]
    steps = type(moving)(anew, "epoch").drift()
    figures["anew: median step"] = round(float(steps["moved"].median()), 3)
    figures["seconds: stays put, moves"] = [round(once, 2), round(cost, 2)]
    return "maps: 21 epochs of 128 neurons", "moves less than anew by far, order within 95 % of anew", figures


def many(count: int) -> Row:
    import resource

    values = np.maximum(
        np.random.default_rng(0).normal(size=(count, 20)) @ np.random.default_rng(1).normal(size=(20, 30)), 0
    )
    how: Layout = layout("grid", {})
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    x = comparable(values)
    places, took = timed(lambda: placed(how, x))
    memory = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    kept = preserved(x, places, 8, most=500)
    figures = {
        "seconds": round(took, 1),
        "MB more than before": round(memory),
        "8-NN kept": round(kept.kept, 3),
        "trust": round(kept.trustworthiness, 3),
    }
    return f"maps: {count:,} units", "<= 300 s, bounded memory", figures
