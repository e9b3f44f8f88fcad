"""A small nnx network that has what is hard: a module called twice, a norm, grouped and transposed convolutions, dropout."""

import jax
import numpy as np
from flax import nnx
from jax import numpy as jnp


class Residual(nnx.Module):
    def __init__(self, rngs):
        kept = {"param_dtype": jnp.float64, "rngs": rngs}
        self.first = nnx.Conv(1, 4, (3, 3), **kept)
        self.again = nnx.Conv(4, 4, (3, 3), feature_group_count=2, **kept)
        self.norm = nnx.BatchNorm(4, **kept)
        self.shrink = nnx.ConvTranspose(4, 6, (2, 2), strides=2, **kept)
        self.head = nnx.List([nnx.Linear(6 * 64, 8, **kept), nnx.Linear(8, 3, **kept)])
        self.dropout = nnx.Dropout(0.5, rngs=rngs)

    def __call__(self, x):
        x = jax.nn.relu(self.first(x))
        x = jax.nn.gelu(self.norm(self.again(x)) + self.again(x))
        x = self.shrink(x).reshape(len(x), -1)
        return self.head[1](self.dropout(jnp.tanh(self.head[0](x))))


def example():
    x = np.random.default_rng(0).normal(size=(7, 4, 4, 1))
    return Residual(nnx.Rngs(1)), x, np.arange(7) % 3
