"""Keras in `fit`, on whichever back end KERAS_BACKEND names."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from functools import partial
from typing import Any

import keras
import numpy as np
from keras import layers

import nissl

BATCH, PROBE = 64, 1024


def name() -> str:
    return f"keras {keras.version()} on {keras.backend.backend()}"


def single_thread() -> None:
    backend = keras.backend.backend()
    if backend == "tensorflow":
        import tensorflow as tf

        tf.config.threading.set_intra_op_parallelism_threads(1)
        tf.config.threading.set_inter_op_parallelism_threads(1)
    if backend == "torch":
        import torch

        torch.set_num_threads(1)


def mlp() -> Any:
    hidden = [layers.Dense(256, activation="relu") for _ in range(3)]
    return keras.Sequential([layers.Input((784,)), *hidden, layers.Dense(10)])


def cnn() -> Any:
    convolutions = [layers.Conv2D(16, 3, activation="relu"), layers.Conv2D(32, 3, strides=2, activation="relu")]
    return keras.Sequential([layers.Input((28, 28, 1)), *convolutions, layers.Flatten(), layers.Dense(10)])


def compiled(make: Callable[[], Any]) -> Any:
    keras.utils.set_random_seed(0)
    model = make()
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    return model


def bare(make: Callable[[], Any], x: Any, y: Any) -> Callable[[], float]:
    return partial(_fit, compiled(make), x, y)


def _fit(model: Any, x: Any, y: Any) -> float:
    start = time.process_time()
    model.fit(x, y, batch_size=BATCH, verbose=0, shuffle=False)
    return time.process_time() - start


class Recorded:
    """Statistics by class at every step; a block is an epoch, and the epoch's end is not part of it."""

    def __init__(self, make: Callable[[], Any], x: Any, y: Any):
        self._model, self._x, self._y = compiled(make), x, y
        quantities = ["activation", "profile"]
        self._recorder = nissl.record(self._model, quantities=quantities, classes=10, progress=False)
        self._recorder.__enter__()
        self._open = ExitStack()
        self._open.enter_context(self._recorder.network.watch_labels(self._recorder.step))
        self._epoch = 0

    def __call__(self) -> float:
        self._epoch += 1
        self._recorder.begin_epoch(self._epoch)
        start = time.process_time()
        self._model.fit(self._x, self._y, batch_size=BATCH, verbose=0, shuffle=False)
        self._recorder.network.settle()
        took = time.process_time() - start
        self._recorder.end_epoch()
        trace = self._recorder.trace
        assert trace[self._epoch][trace.layers[-1]].array("class_count").sum() == len(self._x)
        return took


def evaluated(make: Callable[[], Any], x: Any, y: Any) -> Callable[[], float]:
    """One pass of evaluation over as many examples as the probe has."""
    model = compiled(make)

    def block() -> float:
        start = time.process_time()
        model.evaluate(x[:PROBE], y[:PROBE], batch_size=256, verbose=0)
        return time.process_time() - start

    return block


class Probed:
    """The end of an epoch whose probe is heard, with statistics by class."""

    def __init__(self, make: Callable[[], Any], x: Any, y: Any):
        quantities = ["activation", "profile"]
        probe = (x[:PROBE], y[:PROBE])
        self._model, self._batch = compiled(make), (x[:BATCH], y[:BATCH])
        self._recorder = nissl.record(self._model, quantities=quantities, probe=probe, progress=False)
        self._recorder.__enter__()
        self._open = ExitStack()
        self._open.enter_context(self._recorder.network.watch_labels(self._recorder.step))
        self._epoch = 0

    def __call__(self) -> float:
        self._epoch += 1
        self._recorder.begin_epoch(self._epoch)
        self._model.fit(*self._batch, verbose=0)
        self._recorder.network.settle()
        start = time.process_time()
        self._recorder.end_epoch()
        return time.process_time() - start


def cases(steps: int) -> Iterator[tuple[str, Mapping[str, Callable[[], float]]]]:
    draw = np.random.default_rng(0)
    for case, make, shape in (("mlp", mlp, (784,)), ("cnn", cnn, (28, 28, 1))):
        x = draw.normal(size=(steps * BATCH, *shape)).astype("float32")
        y = draw.integers(0, 10, steps * BATCH)
        yield f"{case}, a step", {
            "bare": bare(make, x, y), "bare again": bare(make, x, y), "by class at every step": Recorded(make, x, y),
        }  # fmt: skip
        yield f"{case}, a probe", {"bare": evaluated(make, x, y), "end of an epoch": Probed(make, x, y)}
