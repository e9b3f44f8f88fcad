"""Real images, where they are at hand ($NISSL_DATA, or ../shared/data): SimpleNet on MNIST, a trained ResNet-20 on CIFAR-10.

CIFAR-10 is there as JPEG copies, on which the network is right in 81 of 100 cases.
"""

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.nn import functional as F

import nissl
from _structures.digits import DELETED, Row, deletion, learn
from nissl.data.cifar10 import Cifar10
from nissl.data.mnist import Mnist
from nissl.models.resnet20 import Resnet20
from nissl.models.simple_net import SimpleNet

DATA = Path(os.environ.get("NISSL_DATA", Path(__file__).parents[2] / "../shared/data"))
FOUND_WITH, JUDGED_ON, TIMED_ON = 512, 500, 512
MNIST, EPOCHS = 4000, 2


def rows(quick: bool) -> Iterator[Row]:
    if not (DATA / "mnist").is_dir():
        print(f"images: no data at {DATA}")
        return
    yield resnet_cost(quick)
    yield (
        "ResNet-20 on CIFAR-10: a class deleted, held out",
        DELETED,
        deletion(resnets(1 if quick else 3), ("secant",)),  # a learned mask takes minutes a class here
    )
    yield (
        "SimpleNet on MNIST: a class deleted, held out",
        DELETED,
        deletion(simple_nets(1 if quick else 3), ("secant",)),
    )


def chosen(x: Any, y: Any, count: int, seed: int) -> tuple[Any, Any]:
    few = np.random.default_rng(seed).permutation(len(x))[:count]
    return x[few], y[few]


def resnets(seeds: int) -> list[Any]:
    net, train, test = resnet()
    return [(net, chosen(*train, FOUND_WITH, seed), chosen(*test, JUDGED_ON, seed)) for seed in range(seeds)]


def resnet() -> tuple[Any, Any, Any]:
    weights = str(next((DATA / "cifar10_resnet").glob("*.th")))
    net = Resnet20((3, 32, 32), 10, weights=weights).build().eval()
    splits = Cifar10(str(DATA / "cifar10_jpeg"), mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225)).load()
    return net, splits.train, splits.test


def simple_nets(seeds: int) -> list[Any]:
    splits = Mnist(str(DATA / "mnist")).load()
    found = []
    for seed in range(seeds):
        torch.manual_seed(seed)
        x, y = chosen(*splits.train, MNIST, seed)
        net = SimpleNet(splits.shape, 10).build()
        learn(net, torch.from_numpy(x), torch.from_numpy(y), EPOCHS)
        found.append((net, chosen(*splits.train, FOUND_WITH, seed + 100), chosen(*splits.test, JUDGED_ON, seed)))
    return found


def resnet_cost(quick: bool) -> Row:
    """All ten classes at once, against a pass forth and back over the same images, and against exact ablation."""
    net, train, _ = resnet()
    x, y = chosen(*train, TIMED_ON, 0)
    took: dict[str, list[float]] = {"secant": [], "attribution_patching": []}
    bare = []
    for _ in range(1 if quick else 3):
        for by, values in took.items():
            bare.append(passes(net, x, y))
            values.append(found(net, x, y, by))
    unit = float(np.median(bare))
    figures = {f"{by}, in passes forth and back": round(float(np.median(v)) / unit, 2) for by, v in took.items()}
    few = x[:64], y[:64]  # the oracle takes 689 passes forth: measured on an eighth, and so is what it is compared with
    scores = {"rank": "contrast"}  # what members are chosen by costs every method the same, and is left out
    exact = found(net, *few, "exact_ablation", baseline="mean", **scores)
    for by in took:
        figures[f"{by}, times faster than exact ablation, scores alone"] = round(
            exact / found(net, *few, by, **scores), 1
        )
    return (
        "ResNet-20: all 10 classes, 512 images",
        "<= 40 passes forth and back, >= 20 x faster than exact ablation",
        figures,
    )


def passes(net: Any, x: Any, y: Any) -> float:
    """Seconds of a pass forth and back over all of these, as training takes it."""
    start = time.process_time()
    for part in torch.arange(len(x)).split(128):
        F.cross_entropy(net(torch.from_numpy(x[part])), torch.from_numpy(y[part])).backward()
    net.zero_grad()
    return time.process_time() - start


def found(net: Any, x: Any, y: Any, by: str, **options: Any) -> float:
    """Seconds that finding the structures of all classes takes."""
    start = time.process_time()
    nissl.structures(net, (x, y), by=by, **options)
    return time.process_time() - start
