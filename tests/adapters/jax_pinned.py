"""A process on one core, whose steps and probes hand over large arrays: run by a test that gives it a time."""

import os
import sys

os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})  # before jax counts its threads

import jax  # noqa: E402
import numpy as np  # noqa: E402
import optax  # noqa: E402
from flax import nnx  # noqa: E402

import nissl  # noqa: E402

STEPS = 16


class Net(nnx.Module):
    def __init__(self, rngs, cnn):
        self.first = nnx.Conv(3, 32, (3, 3), rngs=rngs) if cnn else nnx.Linear(64, 4096, rngs=rngs)
        self.last = nnx.Linear(32 if cnn else 4096, 10, rngs=rngs)

    def __call__(self, x):
        x = jax.nn.relu(self.first(x))
        return self.last(x.mean((1, 2)) if x.ndim == 4 else x)


@nnx.jit
def step(model, optimizer, x, y):
    @nnx.remat  # so that its values are called out of the step, not returned by it
    def loss(model):
        return optax.softmax_cross_entropy_with_integer_labels(model(x), y).mean()

    optimizer.update(model, nnx.grad(loss)(model))


def main(cnn):
    draw, shape = np.random.default_rng(0), (64, 16, 16, 3) if cnn else (512, 64)
    x, y = draw.normal(size=shape).astype(np.float32), draw.integers(0, 10, shape[0])
    model = Net(nnx.Rngs(0), cnn)
    optimizer = nnx.Optimizer(model, optax.sgd(1e-3), wrt=nnx.Param)
    quantities = ["activation", "gradient"]
    with nissl.record(model, quantities=quantities, probe=(x, y), progress=False) as recorder:
        for _ in recorder.epochs(2):
            for one, other in recorder.batches([(x, y)] * (STEPS // 2)):
                step(model, optimizer, one, other)
    print(int(recorder.trace.layer("first").count[-1][0]))


main("cnn" in sys.argv)
