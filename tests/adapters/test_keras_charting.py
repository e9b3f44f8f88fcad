"""Graphs of Keras models, the same on each back end."""

import numpy as np
import pytest

import nissl
from nissl.errors import BadValue, MissingData, Unsupported
from nissl.studies.graph import graph as graph_of

pytestmark = pytest.mark.framework("keras")


def feeds(graph, path):
    by_id = {node.id: node.path for node in graph.nodes}
    return sorted(by_id[a] for a, b in graph.edges if b == graph[path].id)


def functional():
    import keras
    from keras import layers, ops

    image, more = keras.Input((8, 8, 1)), keras.Input((5,))
    x = layers.Conv2D(4, 3, activation="relu", name="conv")(image)
    y = layers.BatchNormalization(name="norm")(x)
    x = layers.GlobalAveragePooling2D(name="pool")(layers.Add(name="sum")([x, y]) * 2 + ops.relu(y))
    head = layers.Dense(3, name="head")
    inner = keras.Sequential([keras.Input((5,)), layers.Dense(4), layers.Dropout(0.5)], name="inner")
    one, two = head(x), head(inner(more))
    return keras.Model([image, more], {"a": ops.concatenate([one, two]), "b": two})


def test_layers_functions_blocks_shared_layers_and_names():
    model = functional()
    books = [(len(layer._inbound_nodes), len(layer._outbound_nodes)) for layer in model._flatten_layers()]
    weights = [np.array(v) for v in model.weights]
    graph = nissl.graph(model)
    assert books == [(len(layer._inbound_nodes), len(layer._outbound_nodes)) for layer in model._flatten_layers()]
    assert all(np.array_equal(a, b) for a, b in zip(weights, model.weights, strict=True))
    assert feeds(graph, "sum") == ["conv", "norm"]
    assert feeds(graph, "head") == ["pool"]
    assert feeds(graph, "head#2") == ["inner.dropout"]
    assert feeds(graph, "inner.dense") == ["input.1"]
    assert feeds(graph, "output.b") == ["head#2"]
    assert feeds(graph, "concatenate") == ["head", "head#2"]
    assert {"multiply", "add", "relu"} <= {n.type for n in graph.nodes if n.role == "function"}
    assert graph["conv"].shape == (None, 6, 6, 4)
    assert graph["norm"].params == 8  # not its moving averages
    assert graph["inner"].params == 24
    assert graph.params == sum(int(np.prod(v.shape)) for v in model.trainable_weights)
    given = nissl.graph(model, [np.zeros((2, 8, 8, 1), "f"), np.zeros((2, 5), "f")])
    assert given["conv"].shape == (2, 6, 6, 4)
    assert given.edges == graph.edges


def own(backend):
    """A function of the back end's own."""
    if backend == "torch":
        import torch

        return torch.sin
    if backend == "jax":
        from jax import numpy

        return numpy.sin
    import tensorflow

    return tensorflow.sin


def subclassed(root):
    import keras
    from keras import layers

    class Block(layers.Layer):
        def __init__(self):
            super().__init__()
            self.dense = layers.Dense(3)

        def call(self, x):
            return own(keras.backend.backend())(self.dense(x))

    class Model(keras.Model):
        def __init__(self):
            super().__init__()
            self.block, self.head = Block(), layers.Dense(2)

        def call(self, x):
            x = self.head(self.block(x))
            return own(keras.backend.backend())(x) if root else x

    return Model()


def test_a_layer_that_cannot_be_looked_into_is_one_node():
    graph = nissl.graph(subclassed(root=False), np.zeros((2, 4), "f"))
    assert [n.path for n in graph.nodes] == ["input", "block", "head", "output"]
    assert graph["block"].params == 15
    assert graph["block"].shape == (2, 3)


def test_what_cannot_be_drawn_is_refused():
    import keras

    with pytest.raises(Unsupported, match=r"keras\.ops"):
        nissl.graph(subclassed(root=True), np.zeros((2, 4), "f"))
    with pytest.raises(BadValue, match="give x"):
        nissl.graph(keras.Sequential([keras.layers.Dense(2)]))
    with pytest.raises(Unsupported, match="Keras has no autograd graph"):
        nissl.graph(functional(), kind="autograd")
    assert keras.ops.relu(keras.KerasTensor((2, 3))).shape == (2, 3)


def test_a_script_s_model_that_knows_its_input_is_drawn_without_an_example(tmp_path):
    (tmp_path / "nets.py").write_text(
        "import keras\n"
        "given = keras.Input((6, 5, 3))\n"
        "known = keras.Model(given, keras.layers.Conv2D(4, 3, name='stem')(given))\n"
        "unknown = keras.Sequential([keras.layers.Dense(3)])\n"
    )
    found = graph_of(f"{tmp_path}/nets.py:known").graph
    assert tuple(found["stem"].shape)[1:] == (4, 3, 4)
    with pytest.raises(MissingData, match="--input-shape 3,224,224"):
        graph_of(f"{tmp_path}/nets.py:unknown")
