"""A small ONNX graph of 64-bit floats: Gemm stored both ways, MatMul with an Add, a shared weight, a softmax."""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


def example():
    draw = np.random.default_rng(1).normal
    stored = {
        "body.0.weight": draw(size=(5, 6)), "body.0.bias": draw(size=5), "body.2.weight": draw(size=(5, 5)),
        "body.2.bias": draw(size=(1, 5)), "head.weight": draw(size=(5, 3)), "head.bias": draw(size=3),
    }  # fmt: skip
    nodes = [
        helper.make_node("Gemm", ["x", "body.0.weight", "body.0.bias"], ["a"], "first", transB=1),
        helper.make_node("Relu", ["a"], ["b"]),
        helper.make_node("MatMul", ["b", "body.2.weight"], ["c"], "again"),
        helper.make_node("Add", ["body.2.bias", "c"], ["d"]),
        helper.make_node("Tanh", ["d"], ["e"]),
        helper.make_node("MatMul", ["e", "body.2.weight"], ["f"], "again_2"),
        helper.make_node("Add", ["f", "b"], ["g"]),
        helper.make_node("Gemm", ["g", "head.weight", "head.bias"], ["h"], "head"),
        helper.make_node("Softmax", ["h"], ["y"]),
    ]
    graph = helper.make_graph(
        nodes,
        "small",
        [helper.make_tensor_value_info("x", TensorProto.DOUBLE, ["batch", 6])],
        [helper.make_tensor_value_info("y", TensorProto.DOUBLE, ["batch", 3])],
        [numpy_helper.from_array(array, name) for name, array in stored.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10)
    onnx.checker.check_model(model)
    return model, draw(size=(7, 6)), np.arange(7) % 3
