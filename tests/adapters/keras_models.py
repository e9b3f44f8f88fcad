"""Models of Keras that end their layers in every way, and a short training of them."""

import numpy as np
import pytest

keras = pytest.importorskip("keras")
layers, imported = keras.layers, keras.ops.relu
X = np.random.default_rng(0).normal(size=(24, 8, 8, 1)).astype("float32")
Y = np.arange(24) % 3


@keras.saving.register_keras_serializable()
class Blocks(keras.Model):
    """Layers in lists, one of them called twice."""

    def __init__(self):
        super().__init__()
        self.flat = layers.Flatten()
        self.enter = layers.Dense(6, activation="relu")
        self.blocks = [layers.Dense(6), layers.Dense(6)]
        self.drop = layers.Dropout(0.3)
        self.leave = layers.Dense(3)

    def call(self, x, training=None):
        x = self.enter(self.flat(x))
        x = keras.ops.relu(self.blocks[0](x)) + self.blocks[1](x)
        return self.leave(self.drop(self.blocks[1](x), training=training))


def sequential():
    return keras.Sequential(
        [
            layers.Input((8, 8, 1)), layers.Conv2D(4, 3), layers.BatchNormalization(), layers.ReLU(), layers.Dropout(0.2),
            layers.Flatten(), layers.Dense(3, activation="softmax"),
        ]
    )  # fmt: skip


def fit(model, epochs=1, **options):
    logits = not isinstance(model, keras.Sequential)
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=logits), **options)
    model.fit(X, Y, batch_size=8, epochs=epochs, verbose=0, shuffle=False)
    return model


def heard(net, into, **how):
    return net.watch(lambda name, value: into.append((name, net.to_numpy(value).copy())), "*", **how)


def functional():
    """Nonlinearities that are functions: nodes of the graph, which are no layers."""
    given = keras.Input((8, 8, 1))
    x = layers.Flatten()(keras.ops.relu(layers.BatchNormalization()(layers.Conv2D(4, 3)(given))))
    return keras.Model(given, layers.Dense(3)(layers.Dropout(0.2)(keras.activations.tanh(layers.Dense(5)(x)))))


class Functions(keras.Model):
    """Nonlinearities that are functions, by every way to hold one."""

    def __init__(self):
        super().__init__()
        self.flat, self.drop, self.act = layers.Flatten(), layers.Dropout(0.3), keras.activations.tanh
        self.conv = layers.Conv2D(4, 3)
        self.norm = layers.BatchNormalization()
        self.dense = [layers.Dense(6) for _ in range(5)]

    def call(self, x, training=None):
        x = imported(self.norm(self.conv(x), training=training))
        x = self.act(self.dense[0](self.flat(x)))
        x = self.drop(keras.ops.gelu(self.dense[1](x)), training=training)
        x = keras.activations.silu(self.dense[2](x))
        return self.dense[4](keras.ops.softmax(self.dense[3](x)))


def residual():
    """Sums directly behind a convolution, a norm and a dense layer, which TensorFlow computes as one with them."""
    given = keras.Input((8, 8, 1))
    first, second = (layers.Conv2D(4, 3, padding="same") for _ in range(2))
    x = layers.ReLU()(first(given) + given)
    x = layers.Flatten()(keras.ops.relu(layers.BatchNormalization()(second(x)) + x))
    x = layers.Dense(5, activation="gelu")(x)
    return keras.Model(given, layers.Dense(3)(layers.Dense(5)(x) + x))


class Own(layers.Layer):
    """A computing layer of a kind that Keras does not know."""

    def build(self, shape):
        self.kernel = self.add_weight(shape=(shape[-1], 6))
        self.bias = self.add_weight(shape=(6,))

    def call(self, x):
        return keras.ops.matmul(x, self.kernel) + self.bias
