"""A small Keras model that has what is hard: a layer called twice, a norm, a shared ReLU, activations inside and behind.

Of convolutions alone, since on jax and torch Keras multiplies matrices, and normalises, in 32 bits whatever is asked for.
"""

import keras
import numpy as np
from keras import layers


class Norm(layers.BatchNormalization):
    """In the precision of its input."""

    def call(self, inputs, training=None, mask=None):
        deviation = (self.moving_variance.value + self.epsilon) ** 0.5
        return (inputs - self.moving_mean.value) / deviation * self.gamma.value + self.beta.value


class Residual(keras.Model):
    def __init__(self):
        super().__init__(dtype="float64")
        self.first = layers.Conv2D(4, 3, padding="same", dtype="float64")
        self.again = layers.Conv2D(4, 3, padding="same", dtype="float64")
        self.norm = Norm(dtype="float64")
        self.act = layers.ReLU(dtype="float64")
        self.shrink = layers.Conv2DTranspose(6, 2, strides=2, activation="gelu", dtype="float64")
        self.head = [
            layers.Conv2D(8, 8, dtype="float64"),
            layers.Activation("elu", dtype="float64"),
            layers.Dropout(0.5, dtype="float64"),
            layers.Conv2D(3, 1, activation="softmax", dtype="float64"),
            layers.Flatten(dtype="float64"),
        ]

    def call(self, x, training=None):
        x = self.act(self.first(x))
        x = self.act(self.norm(self.again(x), training=training) + self.again(x))
        x = self.shrink(x)
        for layer in self.head:
            x = layer(x)
        return x


def example():
    if keras.backend.backend() == "jax":
        import jax

        jax.config.update("jax_enable_x64", True)
    keras.utils.set_random_seed(1)
    model = Residual()
    model(np.zeros((1, 4, 4, 1)))
    return model, np.random.default_rng(1).normal(size=(7, 4, 4, 1)), np.arange(7) % 3
