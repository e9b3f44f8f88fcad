"""The training step of one network, bare or recorded by nissl."""

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import torch
from torch import Tensor

import nissl
from _overhead.interleave import Step, endless
from _overhead.models import Case

BOTH = ("activation", "profile")


class Training:
    """One network, its optimiser and its batch."""

    def __init__(self, case: Case):
        torch.manual_seed(0)
        self.case, self.model = case, case.make()
        self.optimiser = case.optimiser(self.model.parameters())
        self.batch = case.batch()

    def __call__(self) -> Tensor:
        x, y = self.batch[:2]
        self.optimiser.zero_grad()
        loss = self.case.loss(self.model(x), y)
        loss.backward()
        self.optimiser.step()
        return loss


Watcher = Callable[[Training], AbstractContextManager[Step]]


@contextmanager
def bare(training: Training) -> Iterator[Step]:
    """Nothing watches."""
    yield training


def recorded(*quantities: str, classes: bool = True, native: bool = True, **options: Any) -> Watcher:
    """By nissl: `next()` of its batches begins each step; `classes` False leaves the labels out."""

    @contextmanager
    def opened(training: Training) -> Iterator[Step]:
        named = training.case.token_classes if classes and training.case.token_classes else None
        chosen = {"quantities": quantities} if quantities else {}
        with switched(native), nissl.record(training.model, progress=False, classes=named, **chosen, **options) as r:
            r.begin_epoch(1)
            batches = r.batches(endless(training.batch), (lambda batch: batch[-1]) if classes else (lambda _: None))

            def step() -> None:
                next(batches)
                training()

            yield step

    return opened


@contextmanager
def switched(native: bool) -> Iterator[None]:
    """With the compiled kernel or without it."""
    before = os.environ.get("NISSL_NATIVE")
    os.environ["NISSL_NATIVE"] = "1" if native else "0"
    try:
        yield
    finally:
        del os.environ["NISSL_NATIVE"]
        if before is not None:
            os.environ["NISSL_NATIVE"] = before


@contextmanager
def whole_epochs(training: Training) -> Iterator[Step]:
    """By nissl, with the reading and keeping at the end of each epoch; one call is a step, each block's worth an epoch."""
    with nissl.record(training.model, progress=False, quantities=BOTH) as recorder:

        def steps() -> Iterator[None]:
            for _ in recorder.epochs(10**6):
                for _ in recorder.batches([training.batch] * training.case.steps):
                    training()
                    yield

        running = steps()
        yield lambda: next(running)
