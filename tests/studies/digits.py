"""A small perceptron that has learned the digits, and a loop that goes on with it."""

from functools import cache
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from nissl.core.dataset import Splits
from nissl.data.digits import Digits


@cache
def digits() -> Splits:
    return Digits().load()


def learn(model: nn.Module, epochs: int, *, optimiser: Any = None, seed: int = 0, term: Any = None) -> None:
    x, y = map(torch.as_tensor, digits().train)
    optimiser = optimiser or torch.optim.SGD(model.parameters(), 0.1, momentum=0.9)
    order = torch.Generator().manual_seed(seed)
    for _ in range(epochs):
        for part in torch.randperm(len(x), generator=order).split(64):
            optimiser.zero_grad()
            loss: Tensor = F.cross_entropy(model(x[part]), y[part])
            (loss if term is None else loss + term()).backward()
            optimiser.step()


def perceptron(hidden: int = 48, seed: int = 0) -> nn.Sequential:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return nn.Sequential(
            nn.Flatten(), nn.Linear(64, hidden), nn.ReLU(), nn.Linear(hidden, hidden), nn.ReLU(), nn.Linear(hidden, 10)
        )


@cache
def trained() -> nn.Sequential:
    """For all tests, so that none may change it."""
    model = perceptron()
    learn(model, 12)
    return model.eval()


def accuracy(model: nn.Module) -> float:
    x, y = map(torch.as_tensor, digits().test)
    with torch.no_grad():
        return float((model(x).argmax(1) == y).float().mean())
