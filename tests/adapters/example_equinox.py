"""A small Equinox network that has what is hard: a module called twice, one under `vmap` of its own, groups, dropout."""

import equinox as eqx
import jax
import numpy as np
from jax import numpy as jnp


class Residual(eqx.Module):
    first: eqx.nn.Conv2d
    again: eqx.nn.Conv2d
    shrink: eqx.nn.ConvTranspose2d
    each: eqx.nn.Linear
    head: list
    dropout: eqx.nn.Dropout

    def __init__(self, key):
        keys = jax.random.split(key, 6)
        kept = {"dtype": jnp.float64}
        self.first = eqx.nn.Conv2d(1, 4, 3, padding=1, key=keys[0], **kept)
        self.again = eqx.nn.Conv2d(4, 4, 3, padding=1, groups=2, key=keys[1], **kept)
        self.shrink = eqx.nn.ConvTranspose2d(4, 6, 2, stride=2, key=keys[2], **kept)
        self.each = eqx.nn.Linear(64, 5, key=keys[3], **kept)
        self.head = [eqx.nn.Linear(30, 8, key=keys[4], **kept), eqx.nn.Linear(8, 3, key=keys[5], **kept)]
        self.dropout = eqx.nn.Dropout(0.5)

    def __call__(self, x, *, key=None):
        x = jax.nn.relu(self.first(x))
        x = jax.nn.relu(self.again(x) + self.again(x + 1))
        x = jax.vmap(self.each)(self.shrink(x).reshape(6, -1)).ravel()
        return self.head[1](self.dropout(jnp.tanh(self.head[0](x)), key=key))


def example():
    x = np.random.default_rng(0).normal(size=(7, 1, 4, 4))
    return Residual(jax.random.key(1)), x, np.arange(7) % 3
