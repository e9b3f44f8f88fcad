"""What a step costs, beside the bare gradient of ten logits in one batch; and ten classes together beside one after the other."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from torch import nn

import nissl
from nissl.models.simple_net import SimpleNet

Row = tuple[str, str, dict[str, Any]]
REAL = np.random.default_rng(0).normal(size=(200, 1, 28, 28)).cumsum(2).cumsum(3).astype(np.float32)
CANVASES = ("principal", "fourier", "pixels")


def rows(quick: bool) -> Iterator[Row]:
    torch.manual_seed(0)
    nets = {"SimpleNet 310k": SimpleNet((1, 28, 28), 10).build().eval(), "three convolutions": small()}
    for name, net in list(nets.items())[1 if quick else 0 :]:
        yield f"{name}, ten portraits of 1 x 28 x 28: a step, in bare gradients", "-", steps(net, 8 if quick else 64)
    yield (
        "three convolutions: ten classes one after the other, in the time of all together",
        ">= 2",
        together(nets["three convolutions"], quick),
    )


def small() -> nn.Module:
    sizes = ((1, 8), (8, 16), (16, 32))
    layers: list[nn.Module] = []
    for a, b in sizes:
        layers += [nn.Conv2d(a, b, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)]
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(32 * 9, 10)).eval()


def steps(net: Any, count: int) -> dict[str, Any]:
    """Medians of interleaved turns; what is done once (components, realism) is told apart."""
    x = torch.randn(10, 1, 28, 28)

    def bare() -> None:
        for _ in range(count):
            y = x.clone().requires_grad_()
            torch.autograd.grad(net(y).diagonal().sum(), y)

    told = {}
    for canvas in CANVASES:
        turns = []
        for _ in range(5):
            unit = took(bare)
            once = took(lambda: drawn(net, canvas, 1))  # noqa: B023 - called at once
            turns.append(((took(lambda: drawn(net, canvas, count + 1)) - once) / unit, once))  # noqa: B023
        ratio, once = np.median(turns, 0)
        told[canvas] = {"ratio": round(float(ratio), 2), "once, seconds": round(float(once), 2)}
    return told


def together(net: Any, quick: bool) -> dict[str, Any]:
    ratios = []
    for _ in range(1 if quick else 5):
        alone = sum(took(lambda: drawn(net, "fourier", 64, k)) for k in range(10))  # noqa: B023
        ratios.append(alone / took(lambda: drawn(net, "fourier", 64)))
    return {"ratio": round(float(np.median(ratios)), 2)}


def drawn(net: Any, canvas: str, count: int, target: Any = None) -> Any:
    data = {"shape": (1, 28, 28)} if target is not None or canvas == "fourier" else {"data": REAL}
    return nissl.portrait(net, target, canvas=canvas, steps=count, progress=False, **data)


def took(what: Callable[[], Any]) -> float:
    start = time.process_time()
    what()
    return time.process_time() - start
