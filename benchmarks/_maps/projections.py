"""Samples as points: 60,000 features of a small CNN of MNIST beside openTSNE as it comes, and 13 moments of its training.

Times are the process's CPU seconds with one thread; neighbours kept are looked at from 1,500 samples.
"""

import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from openTSNE import TSNE
from torch import nn
from torch.nn import functional as F

import nissl
from nissl.core.neighbours import preserved
from nissl.core.preservation import jump
from nissl.data.mnist import Mnist

Row = tuple[str, str, dict[str, Any]]
Array = NDArray[Any]
STEPS = (0, 10, 30, 80, 150, 300, 500, 782, 1200, 1564, 2346, 3128, 3910)
LOOKED_AT = 1500


def cnn() -> nn.Module:
    """64 features before the output."""
    return nn.Sequential(
        nn.Conv2d(1, 8, 5, stride=2, padding=2), nn.ReLU(), nn.Conv2d(8, 16, 3, stride=2, padding=1), nn.ReLU(), nn.Flatten(),
        nn.Linear(16 * 49, 64), nn.ReLU(), nn.Linear(64, 10),
    )  # fmt: skip


def features(net: nn.Module, x: torch.Tensor) -> Array:
    with torch.no_grad():
        found: Array = torch.cat([net[:7](part) for part in x.split(2000)]).numpy()
    return found


def trained() -> tuple[Array, list[Array]]:
    """Features of all 60,000 images, and of 2,000 that were not trained on at each of 13 moments."""
    torch.manual_seed(0)
    splits = Mnist().load()
    x, y = torch.from_numpy(splits.train.x), torch.from_numpy(splits.train.y)
    some = torch.from_numpy(np.random.default_rng(0).permutation(10_000)[:2000] + 50_000)
    net, step = cnn(), 0
    optimizer = torch.optim.Adam(net.parameters(), 1e-3)
    moments = [features(net, x[some])]
    for _ in range(5):
        for part in torch.randperm(50_000).split(64):
            optimizer.zero_grad()
            F.cross_entropy(net(x[part]), y[part]).backward()
            optimizer.step()
            step += 1
            if step in STEPS:
                moments.append(features(net, x[some]))
    return features(net, x), moments


def rows(quick: bool) -> Iterator[Row]:
    every, moments = trained()
    yield frames(moments)
    if not quick:
        yield large(every)


def large(values: Array) -> Row:
    """All samples, and a first picture of them."""
    shown: list[tuple[float, Array]] = []
    began = time.process_time()
    found = nissl.projection(
        values, jobs=1, progress=False, preview=lambda places: shown.append((time.process_time() - began, places))
    )
    seconds = time.process_time() - began
    first = next(
        one for one in shown[1:] if not np.array_equal(one[1], shown[0][1])
    )  # before that, principal components
    peer, theirs = timed(lambda: np.asarray(TSNE(n_jobs=1, random_state=0).fit(found.features)))
    return (
        "60,000 samples x 64",
        "<= 240 s on two cores, kept within .02 of openTSNE's, a preview <= 30 s",
        {
            "nissl": {"cpu s": round(seconds), "kept": kept(found.features, found.positions)},
            "preview": previewed(first[0], found.features, first[1]),
            "openTSNE as it comes": {"cpu s": round(peer), "kept": kept(found.features, theirs)},
        },
    )


def previewed(seconds: float, x: Array, places: Array) -> dict[str, float]:
    found = preserved(x, places, 15, most=LOOKED_AT)
    return {
        "cpu s": round(seconds, 1),
        "kept": round(found.kept, 4),
        "trustworthiness": round(found.trustworthiness, 4),
    }


def frames(moments: list[Array]) -> Row:
    """2,000 samples over time: from the last moment backwards, forward, and each for itself."""
    told: dict[str, Any] = {}
    for name, forward in (("backwards", False), ("forward", True)):
        seconds, found = timed(lambda forward=forward: nissl.projection(moments, forward=forward, progress=False))
        quality = found.quality
        told[name] = {"cpu s": round(seconds, 1), "kept": round(quality.kept, 3), "jump": round(quality.jump or 0, 3)}
        told[name] |= {"temporal": round(quality.temporal or 0, 3)}
    scaled = [frame.features for frame in found.frames]
    for name, first in (("each for itself, random start", "random"), ("each for itself, PCA start", "pca")):
        seconds, places = timed(
            lambda first=first: [
                np.asarray(TSNE(n_jobs=1, random_state=t, neighbors="exact", initialization=first).fit(one))
                for t, one in enumerate(scaled)
            ]
        )
        share = np.mean([preserved(x, z, 15, most=1000).kept for x, z in zip(scaled, places, strict=True)])
        told[name] = {"cpu s": round(seconds, 1), "kept": round(float(share), 3), "jump": round(jump(places) or 0, 3)}
    return "13 moments of 2,000 samples", "jump <= .1, kept >= 95 % of each for itself", told


def timed(do: Callable[[], Any]) -> tuple[float, Any]:
    began = time.process_time()
    made = do()
    return time.process_time() - began, made


def kept(x: Array, places: Array) -> float:
    return round(preserved(x, places, 15, most=LOOKED_AT).kept, 4)
