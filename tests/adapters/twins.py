"""The same two networks, weights and all, in every framework: what one hears of them, all must hear."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

CLASSES = 3
LABELS = np.arange(24) % CLASSES


@dataclass
class Twin:
    """A model and its input, laid out as its framework has them; `unit_axis` of a feature map in that layout."""

    model: Any
    x: Any
    channels: int = 1


def parameters(*shapes: tuple[int, ...]) -> list[tuple[np.ndarray, np.ndarray]]:
    """Weights, unit first, and biases."""
    random = np.random.default_rng(7)
    return [
        (
            random.normal(0, 1 / np.sqrt(np.prod(shape[1:])), shape).astype(np.float32),
            random.normal(0, 0.1, shape[0]).astype(np.float32),
        )
        for shape in shapes
    ]


MLP = parameters((8, 6), (5, 8), (CLASSES, 5))
CNN = parameters((4, 2, 3, 3), (6, 4, 3, 3), (CLASSES, 6))
ROWS = np.random.default_rng(3).normal(size=(24, 6)).astype(np.float32)
IMAGES = np.random.default_rng(4).normal(size=(24, 2, 8, 8)).astype(np.float32)  # example, channel, row, column


def torch(cnn: bool) -> Twin:
    import torch
    from torch import nn

    class Mean(nn.Module):
        def forward(self, x: Any) -> Any:
            return x.mean((2, 3))

    if cnn:
        layers = [nn.Conv2d(2, 4, 3), nn.ReLU(), nn.Conv2d(4, 6, 3), nn.ReLU(), Mean(), nn.Linear(6, CLASSES)]
    else:
        layers = [nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 5), nn.ReLU(), nn.Linear(5, CLASSES)]
    model = nn.Sequential(*layers)
    given = iter(CNN if cnn else MLP)
    for layer in model:
        if hasattr(layer, "weight"):
            weight, bias = next(given)
            with torch.no_grad():
                layer.weight.copy_(torch.from_numpy(weight))
                layer.bias.copy_(torch.from_numpy(bias))
    return Twin(model, IMAGES if cnn else ROWS)


def keras(cnn: bool) -> Twin:
    import keras

    return _keras_like(keras.Sequential, keras.layers, keras.layers.Input, cnn)


def tf_keras(cnn: bool) -> Twin:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import tf_keras

    return _keras_like(tf_keras.Sequential, tf_keras.layers, tf_keras.layers.InputLayer, cnn)


def _keras_like(sequential: Any, layers: Any, entrance: Any, cnn: bool) -> Twin:
    if cnn:
        convs = [layers.Conv2D(4, 3, activation="relu"), layers.Conv2D(6, 3, activation="relu")]
        stack = [*convs, layers.GlobalAveragePooling2D(), layers.Dense(CLASSES)]
    else:
        stack = [layers.Dense(8, activation="relu"), layers.Dense(5, activation="relu"), layers.Dense(CLASSES)]
    model = sequential([entrance((8, 8, 2) if cnn else (6,)), *stack])
    _fill(stack, cnn)
    return Twin(model, IMAGES.transpose(0, 2, 3, 1) if cnn else ROWS, -1)


def _fill(stack: list[Any], cnn: bool) -> None:
    given = iter(CNN if cnn else MLP)
    for layer in stack:
        if layer.get_weights():
            weight, bias = next(given)
            layer.set_weights([units_last(weight), bias])


def units_last(weight: np.ndarray) -> np.ndarray:
    """(out, in, rows, columns) as (rows, columns, in, out); (out, in) as (in, out)."""
    return weight.transpose(2, 3, 1, 0) if weight.ndim == 4 else weight.T


def flax(cnn: bool) -> Twin:
    import jax.numpy as jnp
    from flax import nnx

    class Net(nnx.Module):
        def __init__(self, rngs: nnx.Rngs):
            if cnn:
                self.first = nnx.Conv(2, 4, (3, 3), padding="VALID", rngs=rngs)
                self.second = nnx.Conv(4, 6, (3, 3), padding="VALID", rngs=rngs)
            else:
                self.first, self.second = nnx.Linear(6, 8, rngs=rngs), nnx.Linear(8, 5, rngs=rngs)
            self.last = nnx.Linear(6 if cnn else 5, CLASSES, rngs=rngs)

        def __call__(self, x: Any) -> Any:
            x = nnx.relu(self.second(nnx.relu(self.first(x))))
            return self.last(x.mean((1, 2)) if cnn else x)

    model = Net(nnx.Rngs(0))
    for layer, (weight, bias) in zip((model.first, model.second, model.last), CNN if cnn else MLP, strict=True):
        layer.kernel[...], layer.bias[...] = jnp.asarray(units_last(weight)), jnp.asarray(bias)
    return Twin(model, IMAGES.transpose(0, 2, 3, 1) if cnn else ROWS, -1)


def equinox(cnn: bool) -> Twin:
    import equinox as eqx
    import jax
    import jax.numpy as jnp

    key = jax.random.key(0)

    class Net(eqx.Module):
        first: Any
        second: Any
        last: Any

        def __call__(self, x: Any) -> Any:
            x = jax.nn.relu(self.second(jax.nn.relu(self.first(x))))
            return self.last(x.mean((1, 2)) if cnn else x)

    made = []
    for weight, bias in CNN if cnn else MLP:
        out, into = weight.shape[:2]
        layer = eqx.nn.Conv2d(into, out, 3, key=key) if weight.ndim == 4 else eqx.nn.Linear(into, out, key=key)
        new = jnp.asarray(weight), jnp.asarray(bias).reshape(layer.bias.shape)
        made.append(eqx.tree_at(lambda one: (one.weight, one.bias), layer, new))
    return Twin(Net(*made), IMAGES if cnn else ROWS)


def onnx(cnn: bool) -> Twin:
    from onnx import TensorProto, helper, numpy_helper

    nodes, initializers, value = [], [], "x"
    for number, (weight, bias) in enumerate(CNN if cnn else MLP):
        if cnn and number == 2:
            nodes += [
                helper.make_node("GlobalAveragePool", [value], ["pooled"]),
                helper.make_node("Flatten", ["pooled"], ["flat"]),
            ]
            value = "flat"
        names = [f"layer_{number}.weight", f"layer_{number}.bias"]
        initializers += [numpy_helper.from_array(weight, names[0]), numpy_helper.from_array(bias, names[1])]
        kind = {"op_type": "Conv"} if weight.ndim == 4 else {"op_type": "Gemm", "transB": 1}
        out = "y" if number == 2 else f"pre_{number}"
        nodes.append(helper.make_node(inputs=[value, *names], outputs=[out], **kind))
        if number < 2:
            nodes.append(helper.make_node("Relu", [out], [f"value_{number}"]))
            value = f"value_{number}"
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", 2, 8, 8] if cnn else ["batch", 6])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, ["batch", CLASSES])
    graph = helper.make_graph(nodes, "twin", [x], [y], initializers)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return Twin(model, IMAGES if cnn else ROWS)


def sklearn(cnn: bool) -> Twin:
    from sklearn.neural_network import MLPClassifier

    assert not cnn, "scikit-learn has no convolutions"
    model = MLPClassifier((8, 5), max_iter=1, random_state=0)
    model.partial_fit(ROWS, LABELS, classes=list(range(CLASSES)))
    model.coefs_ = [weight.T.astype(np.float64) for weight, _ in MLP]
    model.intercepts_ = [bias.astype(np.float64) for _, bias in MLP]
    return Twin(model, ROWS.astype(np.float64))


TWINS: dict[str, Callable[[bool], Twin]] = {
    made.__name__: made for made in (torch, keras, tf_keras, flax, equinox, onnx, sklearn)
}
