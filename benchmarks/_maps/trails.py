"""Units as paths through training, beside m-phate and beside pictures made epoch by epoch.

The peer runs in an interpreter of its own where $MPHATE names one that has it ("python3", with $PYTHONPATH as needed): it asks for an
older pandas than ours. It gets the same profiles, made mean 0 and deviation 1 unit by unit, as its authors do.
"""

import os
import resource
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

import nissl
from _maps.layouts import recorded
from _structures.digits import Row
from nissl.core.frames import turned
from nissl.core.layout import layout
from nissl.core.trails import Trails

PEER = """
import sys, time, warnings
import numpy as np
warnings.simplefilter("ignore")
import m_phate
x = np.load(sys.argv[1])
begun = time.process_time()
y = m_phate.M_PHATE(n_jobs=1, random_state=0, verbose=0).fit_transform(x)
print(time.process_time() - begun)
np.save(sys.argv[2], y.reshape(*x.shape[:2], 2))
"""


def rows(quick: bool) -> Iterator[Row]:
    trace, _ = recorded(5 if quick else 30)
    for layer in ("hidden_2",) if quick else ("hidden_1", "hidden_2"):
        yield beside(trace, layer)
    if not quick:
        yield many(1000, 50)


def beside(trace: Any, layer: str) -> Row:
    """Ours, the peer's, all epochs' principal components, and each epoch's t-SNE turned onto the one before it."""
    nissl.trails(trace, layer, epochs=trace.epochs[:2])  # imports
    begun = time.process_time()
    found = nissl.trails(trace, layer)
    figures = {"trails (ours)": _told(found, found.positions, time.process_time() - begun)}
    profiles = found.values.transpose(0, 2, 1)
    figures["m-phate"] = _peer(found, profiles)
    begun = time.process_time()
    figures["principal components of all"] = _told(found, found.features[..., :2], time.process_time() - begun)
    for name, warm in (("t-SNE of each epoch, begun from the one before", True), ("t-SNE of each epoch anew", False)):
        begun, places = time.process_time(), []
        for features in found.features:
            start = places[-1] if places and warm else None
            made = layout("tsne", {}).place(features, start, 0)
            places.append(made if not places else turned(made, places[-1]))
        figures[name] = _told(found, np.stack(places), time.process_time() - begun)
    epochs, units = found.positions.shape[:2]
    return (
        f"trails: {units} units through {epochs} epochs of digits ({layer})",
        "order and smoothness of m-phate, in seconds",
        figures,
    )


def _told(found: Trails, places: Any, took: float) -> str:
    centred = places - places.mean((0, 1))
    radius = np.sqrt((centred**2).sum(-1).mean())
    good = Trails(
        found.layers, found.epochs, centred / radius, found.groups, found.values, found.features, found.recipe
    ).quality
    parts = [
        f"{name} {good[name].value:.3f} (chance {good[name].chance:.3f})"
        for name in ("kept", "moran", "step", "follows")
    ]
    return f"{', '.join(parts)}; {took:.1f} s"


def _peer(found: Trails, profiles: Any) -> str:
    where = os.environ.get("MPHATE")
    if not where:
        return "not run: $MPHATE names no interpreter that has it"
    away = profiles - profiles.mean(2, keepdims=True)
    size = away.std(2, keepdims=True)
    with tempfile.TemporaryDirectory() as folder:
        given, made = Path(folder) / "x.npy", Path(folder) / "y.npy"
        np.save(given, np.divide(away, size, out=np.zeros_like(away), where=size > 1e-9))
        asked = [*shlex.split(where), "-c", PEER, str(given), str(made)]
        done = subprocess.run(asked, capture_output=True, text=True, check=True)
        return _told(found, np.load(made), float(done.stdout.split()[-1]))


def many(units: int, epochs: int) -> Row:
    """Units that leave one heap for twenty, in a process of its own, for its memory."""
    program = (
        f"import sys; sys.path.insert(0, {str(Path(__file__).parents[1])!r})\n"
        f"from _maps.trails import leaving; leaving({units}, {epochs})"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    kept, took, memory = map(float, done.stdout.split())
    figures = {"seconds": round(took, 1), "MB at most": round(memory), "8-NN kept": round(kept, 3)}
    return f"trails: {units:,} units through {epochs} epochs", "minutes, bounded memory", figures


def leaving(units: int, epochs: int) -> None:
    rng = np.random.default_rng(0)
    ends = rng.normal(size=(20, 10))[rng.integers(0, 20, units)] + 0.4 * rng.normal(size=(units, 10))
    start, share = 0.5 * rng.normal(size=(units, 10)), (1 - np.exp(-np.arange(epochs) / 10))[:, None, None]
    table = start * (1 - share) + ends * share + 0.02 * rng.normal(size=(epochs, units, 10))
    begun = time.process_time()
    found = nissl.trails(table, distance="euclidean")
    took = time.process_time() - begun
    print(found.quality["kept"].value, took, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
