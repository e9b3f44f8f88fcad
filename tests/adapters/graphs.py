"""ONNX graphs made by hand."""

import numpy as np


def graph(nodes, inputs, outputs, stored, opset=17):
    """A model of (operator, inputs, outputs, options) and named arrays; inputs and outputs as {name: shape}."""
    from onnx import TensorProto, helper, numpy_helper

    kinds = {"ids": TensorProto.INT64}
    made = [helper.make_node(kind, *given, **options) for kind, *given, options in nodes]
    ports = [
        [helper.make_tensor_value_info(name, kinds.get(name, TensorProto.FLOAT), shape) for name, shape in side.items()]
        for side in (inputs, outputs)
    ]
    kept = [numpy_helper.from_array(np.asarray(array), name) for name, array in stored.items()]
    return helper.make_model(
        helper.make_graph(made, "g", *ports, kept), opset_imports=[helper.make_opsetid("", opset)], ir_version=10
    )


def draw(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def mlp(batch="batch", seed=0, width=4):
    stored = {
        "one.weight": draw(width, 3, seed=seed),
        "one.bias": draw(width),
        "two.weight": draw(2, width, seed=seed + 1),
    }
    nodes = [
        ("Gemm", ["x", "one.weight", "one.bias"], ["a"], {"transB": 1}),
        ("Relu", ["a"], ["b"], {}),
        ("Gemm", ["b", "two.weight"], ["y"], {"transB": 1}),
    ]
    return graph(nodes, {"x": [batch, 3]}, {"y": [batch, 2]}, stored)


def two_inputs():
    nodes = [
        ("Gather", ["table", "ids"], ["a"], {}),
        ("MatMul", ["x", "fc.weight"], ["b"], {}),
        ("Add", ["a", "b"], ["c"], {}),
        ("MatMul", ["c", "head.weight"], ["y"], {}),
    ]
    stored = {"table": draw(7, 4), "fc.weight": draw(3, 4), "head.weight": draw(4, 2)}
    return graph(nodes, {"ids": ["b"], "x": ["b", 3]}, {"y": ["b", 2], "c": ["b", 4]}, stored)
