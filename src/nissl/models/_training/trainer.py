"""A plain training loop's pieces: batches in a seeded order, a step, an evaluation, a checkpoint."""

import math
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from nissl.core.dataset import Examples, Splits
from nissl.errors import BadValue, Unsupported, listing, near

_OPTIMISERS = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW, "sgd": torch.optim.SGD}
_SMALL = 500_000  # parameters
_LARGE = 512  # examples at a time where no gradient is kept


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Everything that torch draws comes from this seed; its own random state is as before when the `with` ends."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        yield


class Trainer:
    """Trains one torch module on one data set; the loss follows from the labels and from what the network gives."""

    def __init__(self, network: Any, splits: Splits, *, gives: str, optimiser: str, learning_rate: float, batch: int, seed: int, device: str):  # fmt: skip
        if not isinstance(network, nn.Module):
            raise Unsupported(
                f"{type(network).__qualname__} is no torch module. Train it in your own loop, inside nissl.record."
            )
        if optimiser not in _OPTIMISERS:
            raise BadValue(f"optimiser={optimiser!r}.{near(optimiser, _OPTIMISERS)} There are: {listing(_OPTIMISERS)}.")
        self.device = _device(device)
        self.network = network.to(self.device)
        self._splits, self._gives = splits, gives
        self._try(splits.train)
        self._optimiser: torch.optim.Optimizer = _OPTIMISERS[optimiser](network.parameters(), lr=learning_rate)
        self.loader = _Loader(splits.train, batch, self.device, seed=seed, shuffled=True)

    @contextmanager
    def paced(self) -> Iterator[None]:
        """One thread for a small network: more would wait for one another longer than they work, worst on a busy machine."""
        threads = torch.get_num_threads()
        if sum(p.numel() for p in self.network.parameters()) < _SMALL:
            torch.set_num_threads(1)
        try:
            yield
        finally:
            torch.set_num_threads(threads)

    def step(self, x: Tensor, y: Tensor) -> Tensor:
        """One optimiser step; its loss."""
        loss = self._loss(x, y)
        loss.backward()  # type: ignore[no-untyped-call, unused-ignore]
        self._optimiser.step()
        self._optimiser.zero_grad()
        return loss.detach()

    def evaluate(self) -> float:
        """The mean loss over the test examples."""
        training, total = self.network.training, 0.0
        self.network.eval()
        with torch.no_grad():
            for x, y in _Loader(self._splits.test, _LARGE, self.device):
                total += float(self._loss(x, y)) * len(x)
        self.network.train(training)
        return total / len(self._splits.test.x)

    @staticmethod
    def weights(network: nn.Module) -> dict[str, Tensor]:
        """As they are now, where any machine can load them."""
        return {name: value.cpu() for name, value in network.state_dict().items()}

    def state(self) -> dict[str, Any]:
        """All that decides how the training goes on."""
        drawn = {"cpu": torch.get_rng_state(), "order": self.loader.order.get_state()}
        if self.device.startswith("cuda"):
            drawn["device"] = torch.cuda.get_rng_state(self.device)
        return {"network": self.weights(self.network), "optimiser": self._optimiser.state_dict(), "random": drawn}

    def restore(self, path: Path) -> dict[str, Any]:
        """Be as at `state`; gives everything that lies in the file."""
        kept: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        self.network.load_state_dict(kept["network"])
        self._optimiser.load_state_dict(kept["optimiser"])
        torch.set_rng_state(kept["random"]["cpu"])
        self.loader.order.set_state(kept["random"]["order"])
        if self.device.startswith("cuda") and "device" in kept["random"]:
            torch.cuda.set_rng_state(kept["random"]["device"], self.device)
        return kept

    @staticmethod
    def save(path: Path, content: dict[str, Any]) -> None:
        """Whole, or not at all."""
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f"{path.name}.{os.getpid()}.part")
        try:
            torch.save(content, part)
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)

    def _try(self, examples: Examples) -> None:
        """One pass before any training, so that a wrong pair of network and data is told here and in words."""
        x, y = next(iter(_Loader(Examples(examples.x[:2], examples.y[:2]), 2, self.device)))
        training = self.network.training
        self.network.eval()
        try:
            with torch.no_grad():
                self._loss(x, y)
        except (RuntimeError, ValueError, IndexError, TypeError) as problem:
            raise BadValue(
                f"{type(self.network).__qualname__} cannot learn from {self._splits.kind} examples of shape "
                f"{self._splits.shape} ({x.dtype}) with labels of shape {tuple(y.shape[1:])} ({y.dtype}): {problem}"
            ) from problem
        finally:
            self.network.train(training)

    def _loss(self, x: Tensor, y: Tensor) -> Tensor:
        out = self.network(x)
        out = out[0] if isinstance(out, tuple) else out
        if self._gives == "probability":
            return F.binary_cross_entropy(out.reshape(len(out), -1), y.reshape(len(y), -1).to(out.dtype))
        if y.dtype != torch.int64:
            several = y.ndim == 2 and len(self._splits.classes) == y.shape[1]
            return F.binary_cross_entropy_with_logits(out, y) if several else F.mse_loss(out, y.reshape(out.shape))
        if y.ndim == 2 and out.ndim == 2:
            return F.binary_cross_entropy_with_logits(out, y.to(out.dtype))
        return F.cross_entropy(out.flatten(0, -2), y.flatten())


class _Loader:
    """Batches on the device; in a new order each time, or (`shuffled` False) as they lie."""

    def __init__(self, examples: Examples, batch: int, device: str, *, seed: int = 0, shuffled: bool = False):
        self._examples, self._batch, self._device, self._shuffled = examples, batch, device, shuffled
        self.order = torch.Generator().manual_seed(seed)

    def __len__(self) -> int:
        return math.ceil(len(self._examples.x) / self._batch)

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        count = len(self._examples.x)
        rows = torch.randperm(count, generator=self.order).numpy() if self._shuffled else np.arange(count)
        for start in range(0, count, self._batch):
            chosen = rows[start : start + self._batch]
            yield tuple(torch.from_numpy(part[chosen]).to(self._device) for part in self._examples)  # type: ignore[misc]


def _device(name: str) -> str:
    if name == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        torch.empty(0, device=name)
    except (RuntimeError, AssertionError) as problem:
        raise BadValue(f"device={name!r} cannot be used: {str(problem).splitlines()[0]}") from problem
    return name
