"""A functional tf_keras model of 64-bit floats, with a layer called twice and an activation behind another.

Of convolutions alone, since on jax and torch Keras 3 multiplies matrices in 32 bits whatever is asked for.
"""

import numpy as np


def example():
    import tf_keras
    from tf_keras import layers

    tf_keras.utils.set_random_seed(1)
    x = layers.Input((4, 4, 1), dtype="float64")
    given = {"dtype": "float64"}
    biased = {**given, "bias_initializer": "random_normal"}  # no ReLU stands exactly at its corner
    twice = layers.Conv2D(6, 2, padding="same", activation="tanh", name="twice", **given)
    hidden = layers.Conv2D(4, 3, padding="same", activation="relu", name="first", **biased)(x)
    hidden = layers.ReLU(**given)(layers.Conv2D(6, 2, name="second", **biased)(hidden))
    hidden = layers.Dropout(0.5, **given)(twice(twice(hidden)))
    model = tf_keras.Model(x, layers.Flatten(**given)(layers.Conv2D(3, 3, name="out", **given)(hidden)))
    return model, np.random.default_rng(0).normal(size=(7, 4, 4, 1)), np.arange(7) % 3
