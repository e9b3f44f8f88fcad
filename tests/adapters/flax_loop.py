"""An nnx training with dropout, batch statistics and Adam, compiled by `nnx.jit`."""

import jax
import numpy as np
import optax
from flax import nnx
from jax import numpy as jnp


class Net(nnx.Module):
    def __init__(self, rngs):
        self.conv = nnx.Conv(2, 4, (3, 3), padding="VALID", rngs=rngs)
        self.norm = nnx.BatchNorm(4, rngs=rngs)
        self.dense = nnx.Linear(4, 5, rngs=rngs)
        self.dropout = nnx.Dropout(0.2, rngs=rngs)
        self.out = nnx.Linear(10, 3, rngs=rngs)

    def __call__(self, x):
        x = jax.nn.relu(self.norm(self.conv(x))).mean((1, 2))
        return self.out(self.dropout(jnp.concatenate([self.dense(x), self.dense(x + 1)], -1)))


class Loop:
    def __init__(self):
        self.model = Net(nnx.Rngs(0))
        self.optimizer = nnx.Optimizer(self.model, optax.adam(1e-2), wrt=nnx.Param)
        self._first = nnx.state((self.model, self.optimizer))
        self._step, self._predict = nnx.jit(step), nnx.jit(lambda model, x: model(x))

    def native(self, x):
        return x

    def step(self, x, y):
        self._step(self.model, self.optimizer, x, y)
        return self.model

    def predict(self, x):
        still = nnx.clone(self.model)
        still.eval()
        return self._predict(still, x)

    def state(self):
        every = jax.tree.leaves(nnx.state((self.model, self.optimizer)))
        return [jax.random.key_data(v) if jnp.issubdtype(v.dtype, jax.dtypes.prng_key) else v for v in every]

    def still(self):
        self.model.dropout.rate = 0.0
        self._first = jax.tree.map(jnp.copy, nnx.state((self.model, self.optimizer)))

    def back(self):
        nnx.update((self.model, self.optimizer), self._first)

    def values(self, x):
        m = self.model
        conv = jax.lax.conv_general_dilated(
            x, m.conv.kernel[...], (1, 1), "VALID", dimension_numbers=("NHWC", "HWIO", "NHWC")
        )
        normed = (conv - conv.mean((0, 1, 2))) / np.sqrt(conv.var((0, 1, 2)) + 1e-5)
        bent = np.maximum(normed, 0)
        first = bent.mean((1, 2)) @ m.dense.kernel[...] + m.dense.bias[...]
        return {"conv": bent, "dense": first}


def step(model, optimizer, x, y):
    def loss(model):
        return optax.softmax_cross_entropy_with_integer_labels(model(x), y).mean()

    value, gradients = nnx.value_and_grad(loss)(model)
    optimizer.update(model, gradients)
    return value
