"""Flax nnx: a step under `nnx.jit`."""

import os
import time
from collections.abc import Callable, Iterator, Mapping
from itertools import islice, pairwise
from typing import Any

import numpy as np

import nissl

BATCH, PROBE, WARM = 64, 1024, 3
os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false")  # read when jax makes its first array

import flax  # noqa: E402
import jax  # noqa: E402
import optax  # noqa: E402
from flax import nnx  # noqa: E402


def name() -> str:
    return f"flax {flax.__version__} under nnx.jit"


def single_thread() -> None:
    """Eigen has one thread by XLA_FLAGS; on a machine of several cores, pin the process to one besides."""


class Mlp(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        sizes = (784, 256, 256, 256, 10)
        self.layers = nnx.List([nnx.Linear(a, b, rngs=rngs) for a, b in pairwise(sizes)])

    def __call__(self, x: Any) -> Any:
        for layer in self.layers[:-1]:
            x = jax.nn.relu(layer(x))
        return self.layers[-1](x)


class Cnn(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.first = nnx.Conv(1, 16, (3, 3), padding="VALID", rngs=rngs)
        self.second = nnx.Conv(16, 32, (3, 3), strides=2, padding="VALID", rngs=rngs)
        self.out = nnx.Linear(32 * 12 * 12, 10, rngs=rngs)

    def __call__(self, x: Any) -> Any:
        x = jax.nn.relu(self.second(jax.nn.relu(self.first(x))))
        return self.out(x.reshape(len(x), -1))


class Training:
    """One network, its optimiser and its batches."""

    def __init__(self, make: Callable[[nnx.Rngs], Any], x: Any, y: Any):
        self.model = make(nnx.Rngs(0))
        self.optimizer = nnx.Optimizer(self.model, optax.adam(1e-3), wrt=nnx.Param)
        self.batches = [(x[at : at + BATCH], y[at : at + BATCH]) for at in range(0, len(x), BATCH)]
        self._step = nnx.jit(step)

    def __call__(self, x: Any, y: Any) -> None:
        self._step(self.model, self.optimizer, x, y).block_until_ready()


def step(model: Any, optimizer: Any, x: Any, y: Any) -> Any:
    def loss(model: Any) -> Any:
        return optax.softmax_cross_entropy_with_integer_labels(model(x), y).mean()

    value, gradients = nnx.value_and_grad(loss)(model)
    optimizer.update(model, gradients)
    return value


def bare(training: Training) -> Callable[[], float]:
    def block() -> float:
        for x, y in training.batches[:WARM]:
            training(x, y)
        start = time.process_time()
        for x, y in training.batches:
            training(x, y)
        return time.process_time() - start

    return block


def recorded(training: Training) -> Callable[[], float]:
    """Statistics by class at every step; opening, closing and the first steps are not timed."""
    network = nissl.network(training.model)  # one for all blocks, so that they share the compiled step

    def block() -> float:
        with nissl.record(network, quantities=["activation", "profile"], classes=10, progress=False) as recorder:
            recorder.begin_epoch(1)
            loader = recorder.batches([*training.batches[:WARM], *training.batches])
            for x, y in islice(loader, WARM):
                training(x, y)
            start = time.process_time()
            for x, y in loader:
                training(x, y)
            return time.process_time() - start

    return block


def evaluated(training: Training) -> Callable[[], float]:
    """One pass of evaluation, under jit, over as many examples as the probe has."""
    run, batches = nnx.jit(lambda model, x: model(x)), training.batches[: PROBE // BATCH]
    inputs = np.concatenate([x for x, _ in batches])

    def block() -> float:
        run(training.model, inputs[:256]).block_until_ready()
        start = time.process_time()
        for at in range(0, len(inputs), 256):
            run(training.model, inputs[at : at + 256]).block_until_ready()
        return time.process_time() - start

    return block


def probed(training: Training) -> Callable[[], float]:
    """The end of an epoch whose probe is heard, with statistics by class."""
    batches = training.batches[: PROBE // BATCH]
    probe = tuple(np.concatenate(parts) for parts in zip(*batches, strict=True))
    network = nissl.network(training.model)

    def block() -> float:
        quantities = ["activation", "profile"]
        with nissl.record(network, quantities=quantities, probe=probe, epoch_intervals=[0], progress=False) as recorder:
            start = time.process_time()
            next(recorder.epochs(1))
            return time.process_time() - start

    return block


def cases(steps: int) -> Iterator[tuple[str, Mapping[str, Callable[[], float]]]]:
    draw = np.random.default_rng(0)
    for case, make, shape in (("mlp", Mlp, (784,)), ("cnn", Cnn, (28, 28, 1))):
        x = draw.normal(size=(max(steps * BATCH, PROBE), *shape)).astype("float32")
        y = draw.integers(0, 10, len(x))
        first, second, third, fourth, fifth = (Training(make, x, y) for _ in range(5))
        yield f"{case}, a step", {
            "bare": bare(first), "bare again": bare(second), "by class at every step": recorded(third),
        }  # fmt: skip
        yield f"{case}, a probe", {"bare": evaluated(fourth), "end of an epoch": probed(fifth)}
