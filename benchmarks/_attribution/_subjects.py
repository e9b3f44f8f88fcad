"""The network and the images that all rows are about, and the clock."""

import gc
import statistics
import time
from collections.abc import Callable
from typing import Any

import torch
from torch import nn

Figures = dict[str, Any]
Rows = tuple[str, str, Figures]
Work = Callable[[], Any]


def cnn() -> nn.Module:
    """Two convolutions and a classifier, for images of 28 x 28."""
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(1, 16, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(16, 32, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
        nn.Linear(32 * 25, 10),
    ).eval()  # fmt: skip


def alexnet(wide: int = 4096) -> nn.Module:
    """AlexNet's shape, 61 million parameters, weights as drawn: what pytorch-cnn-visualizations is mostly used on."""
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(3, 64, 11, 4, 2), nn.ReLU(), nn.MaxPool2d(3, 2), nn.Conv2d(64, 192, 5, 1, 2), nn.ReLU(), nn.MaxPool2d(3, 2),
        nn.Conv2d(192, 384, 3, 1, 1), nn.ReLU(), nn.Conv2d(384, 256, 3, 1, 1), nn.ReLU(), nn.Conv2d(256, 256, 3, 1, 1), nn.ReLU(),
        nn.MaxPool2d(3, 2), nn.AdaptiveAvgPool2d(6), nn.Flatten(), nn.Dropout(), nn.Linear(9216, wide), nn.ReLU(), nn.Dropout(),
        nn.Linear(wide, wide), nn.ReLU(), nn.Linear(wide, 1000),
    ).eval()  # fmt: skip


def examples(count: int, shape: tuple[int, ...] = (1, 28, 28)) -> tuple[torch.Tensor, torch.Tensor]:
    """Images and classes."""
    return torch.randn(count, *shape, generator=torch.Generator().manual_seed(1)), torch.arange(count) % 10


def timed(works: dict[str, Work], rounds: int) -> dict[str, float]:
    """Seconds of the processor for each, the median of rounds in which all take their turn."""
    told: dict[str, list[float]] = {name: [] for name in works}
    for turn in range(rounds + 1):
        for name, work in works.items():
            gc.collect()  # nobody clears up after another
            begun = time.process_time()
            work()
            if turn:  # the first warms up
                told[name].append(time.process_time() - begun)
    return {name: statistics.median(times) for name, times in told.items()}
