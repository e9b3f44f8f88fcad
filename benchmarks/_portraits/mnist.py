"""SimpleNet 310k on MNIST ($NISSL_DATA, or ../shared/data): two networks of different seeds, each judge of the other's portraits.

Each learns 10,000 of the training images for four epochs, from an order and weights of its own.
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
from nissl.data.mnist import Mnist
from nissl.models.simple_net import SimpleNet

DATA = Path(os.environ.get("NISSL_DATA", Path(__file__).parents[2] / "../shared/data"))
Row = tuple[str, str, dict[str, Any]]
REACH = "p >= .99 for 10 of 10 classes; by the other network for 8 of 10"
IMAGES, EPOCHS, RATE, BATCH = 10_000, 4, 3e-3, 64
REAL = 1000
PLAIN: dict[str, Any] = {"prior": 0, "rough": 0, "shift": 0, "turn": 0, "zoom": 0, "noise": 0}
WAYS: dict[str, dict[str, Any]] = {
    "as it comes, with 1,000 real images": {},
    "fourier, with 1,000 real images": {"canvas": "fourier"},
    "pixels, with 1,000 real images": {"canvas": "pixels"},
    "without real images": {"data": None, "shape": (1, 28, 28)},
    "nothing but the gradient": {"data": None, "shape": (1, 28, 28), "canvas": "pixels", **PLAIN},
}


def rows(quick: bool) -> Iterator[Row]:
    if not (DATA / "mnist").is_dir():
        print(f"mnist: no data at {DATA}")
        return
    splits = Mnist(str(DATA / "mnist")).load()
    made = [trained(splits, seed, IMAGES // (10 if quick else 1)) for seed in (0, 1)]
    yield (
        "SimpleNet on MNIST: test accuracy of the two networks",
        "-",
        {"accuracy": [right(net, splits) for net in made]},
    )
    real = splits.test.x[:REAL]
    for name, options in WAYS.items():
        yield f"SimpleNet on MNIST: portraits, {name}", REACH, drawn(made, {"data": real, **options}, quick)
    yield (
        "SimpleNet on MNIST: portraits, best of 12 recipes",
        REACH,
        drawn(made[:1], {"data": real, "search": 12}, quick, made[1]),
    )
    yield "SimpleNet on MNIST: pytorch-cnn-visualizations' way", REACH, peer(made, 10 if quick else 149)


def trained(splits: Any, seed: int, images: int) -> Any:
    torch.manual_seed(seed)
    few = np.random.default_rng(seed).permutation(len(splits.train.x))[:images]
    x, y = (torch.from_numpy(part[few]) for part in splits.train)
    net = SimpleNet(splits.shape, 10).build()
    optimizer = torch.optim.Adam(net.parameters(), RATE)
    steps = EPOCHS * -(-images // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, total_steps=steps)
    for _ in range(EPOCHS):
        for part in torch.randperm(images).split(BATCH):
            optimizer.zero_grad()
            F.cross_entropy(net(x[part]), y[part]).backward()
            optimizer.step()
            schedule.step()
    return net.eval()


def right(net: Any, splits: Any) -> float:
    said = nissl.network(net).probe(splits.test.x, ["classifier"])["classifier"].argmax(1)
    return round(float((said == splits.test.y).mean()), 4)


def drawn(made: list[Any], options: dict[str, Any], quick: bool, judge: Any = None) -> dict[str, Any]:
    """Of each network, judged by the other."""
    told: dict[str, list[Any]] = {}
    for net, other in zip(made, [judge] if judge is not None else reversed(made), strict=True):
        start = time.process_time()
        found = nissl.portrait(net, steps=16 if quick else 256, judge=other, progress=False, **options)
        seconds = time.process_time() - start
        add(told, found.probabilities, found.judged, seconds)
        told.setdefault("p under distortions, least", []).append(round(float(found.steady.min()), 3))
        for name, values in (("realism, mean", found.realism), ("realism of inputs, mean", found.realism_of_inputs)):
            if values is not None:
                told.setdefault(name, []).append(round(float(values.mean()), 3))
    return told


def add(told: dict[str, list[Any]], own: Any, judged: Any, seconds: float) -> None:
    for name, value in (
        ("p >= .99, of 10", int((own >= 0.99).sum())), ("least p", round(float(own.min()), 4)),
        ("by the other: p >= .99, of 10", int((judged >= 0.99).sum())), ("by the other: p > .5, of 10", int((judged > 0.5).sum())),
        ("by the other: least p", round(float(judged.min()), 4)), ("seconds", round(seconds, 1)),
    ):  # fmt: skip
        told.setdefault(name, []).append(value)


def peer(made: list[Any], steps: int) -> dict[str, Any]:
    """A class at a time: the logit's gradient at a rate of 6, brought back to 8 bits in every step."""
    told: dict[str, list[Any]] = {}
    for net, other in zip(made, reversed(made), strict=True):
        start = time.process_time()
        pictures = torch.cat([ascended(net, k, steps) for k in range(10)])
        seconds = time.process_time() - start
        with torch.no_grad():
            own, judged = (torch.softmax(each(pictures), 1).diagonal().numpy() for each in (net, other))
        add(told, own, judged, seconds)
    return told


def ascended(net: Any, target: int, steps: int) -> torch.Tensor:
    picture = np.random.default_rng(target).integers(0, 256, (1, 1, 28, 28)).astype(np.uint8)
    for _ in range(steps):
        x = torch.from_numpy(picture.astype(np.float32) / 127.5 - 1).requires_grad_()
        net(x)[0, target].backward()
        assert x.grad is not None
        moved = (x.detach() + 6 * x.grad).numpy()
        picture = np.clip(np.round((moved + 1) * 127.5), 0, 255).astype(np.uint8)
    return torch.from_numpy(picture.astype(np.float32) / 127.5 - 1)
