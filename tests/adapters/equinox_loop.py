"""An Equinox training with dropout and Adam, compiled by `filter_jit`, one example at a time under `vmap`."""

import equinox as eqx
import jax
import optax
from jax import numpy as jnp


class Net(eqx.Module):
    conv: eqx.nn.Conv2d
    dense: eqx.nn.Linear
    dropout: eqx.nn.Dropout
    out: eqx.nn.Linear

    def __init__(self, key):
        a, b, c = jax.random.split(key, 3)
        self.conv, self.dense = eqx.nn.Conv2d(2, 4, 3, key=a), eqx.nn.Linear(4, 5, key=b)
        self.dropout, self.out = eqx.nn.Dropout(0.2), eqx.nn.Linear(10, 3, key=c)

    def __call__(self, x, key=None):
        x = jax.nn.relu(self.conv(x)).mean((1, 2))
        return self.out(self.dropout(jnp.concatenate([self.dense(x), self.dense(x + 1)]), key=key))


class Loop:
    def __init__(self):
        self.model, self.count = Net(jax.random.key(0)), 0
        self.optimizer = optax.adam(1e-2)
        self.moments = self.optimizer.init(eqx.filter(self.model, eqx.is_inexact_array))
        self._step, self._predict = eqx.filter_jit(self._update), eqx.filter_jit(lambda m, x: jax.vmap(m)(x))

    def native(self, x):
        return x.transpose(0, 3, 1, 2)

    def _update(self, model, moments, x, y, key):
        @eqx.filter_value_and_grad
        def loss(model):
            out = jax.vmap(model)(x, jax.random.split(key, len(x)))
            return optax.softmax_cross_entropy_with_integer_labels(out, y).mean()

        _, gradients = loss(model)
        updates, moments = self.optimizer.update(gradients, moments)
        return eqx.apply_updates(model, updates), moments

    def step(self, x, y):
        self.count += 1
        key = jax.random.key(self.count)
        self.model, self.moments = self._step(self.model, self.moments, self.native(x), y, key)
        return self.model

    def predict(self, x):
        return self._predict(eqx.nn.inference_mode(self.model), self.native(x))

    def state(self):
        return jax.tree.leaves(eqx.filter((self.model, self.moments), eqx.is_array))

    def still(self):
        self._first = self.model, self.moments

    def back(self):
        self.model, self.moments = self._first

    def values(self, x):
        m = self.model
        conv = jax.lax.conv_general_dilated(self.native(x), m.conv.weight, (1, 1), "VALID") + m.conv.bias
        bent = jnp.maximum(conv, 0)
        return {"conv": bent, "dense": bent.mean((2, 3)) @ m.dense.weight.T + m.dense.bias}
