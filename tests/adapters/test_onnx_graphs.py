"""Which operators of an ONNX graph are layers, what belongs to them, and what they are called."""

import numpy as np
import pytest

import nissl
from tests.adapters.graphs import draw, graph, mlp

pytestmark = pytest.mark.framework("onnx")


def test_a_recurrent_layer_whose_last_step_alone_is_used_is_heard_whole_and_changed_in_both():
    stored = {"w": draw(1, 15, 2), "r": draw(1, 15, 5), "head.weight": draw(5, 3)}
    nodes = [
        ("GRU", ["x", "w", "r"], ["", "last"], {"hidden_size": 5}),
        ("Squeeze", ["last", "axis"], ["h"], {}),
        ("MatMul", ["h", "head.weight"], ["y"], {}),
    ]
    net = nissl.network(graph(nodes, {"x": [4, "b", 2]}, {"y": ["b", 3]}, {**stored, "axis": np.array([0])}))
    x = draw(4, 6, 2)
    assert net.layers[0].name == "GRU_0"
    outputs, seen = [], {}
    with net.watch(seen.__setitem__, "*"):
        outputs.append(net.run(x))
    assert seen["GRU_0"].shape == (4, 6, 5)
    np.testing.assert_allclose(seen["GRU_0"][-1] @ stored["head.weight"], outputs[0], rtol=1e-5, atol=1e-6)
    with net.change("GRU_0"):
        assert (net.forward(x) == 0).all()


@pytest.mark.parametrize("half", ["Mul", "Div"])
def test_a_nonlinearity_of_several_operators_ends_its_layer(half):
    numbers = {"root": np.float32(2**0.5), "one": np.float32(1), "half": np.float32(0.5 if half == "Mul" else 2)}
    nodes = [
        ("MatMul", ["x", "fc.weight"], ["a"], {}),
        ("Div", ["a", "root"], ["b"], {}),
        ("Erf", ["b"], ["c"], {}),
        ("Add", ["c", "one"], ["d"], {}),
        ("Mul", ["a", "d"], ["e"], {}),
        (half, ["e", "half"], ["f"], {}),
        ("MatMul", ["f", "head.weight"], ["y"], {}),
    ]
    stored = {"fc.weight": draw(3, 4), "head.weight": draw(4, 2), **numbers}
    net = nissl.network(graph(nodes, {"x": ["b", 3]}, {"y": ["b", 2]}, stored))
    assert net.layer("fc").nonlinearity == "GELU"
    x = draw(5, 3)
    np.testing.assert_allclose(net.probe(x)["fc"] @ stored["head.weight"], net.forward(x), rtol=1e-5, atol=1e-6)


def test_a_value_that_somebody_else_takes_too_is_heard_as_it_is():
    nodes = [
        ("Gemm", ["x", "one.weight"], ["a"], {}),
        ("Relu", ["a"], ["b"], {}),
        ("Add", ["a", "b"], ["c"], {}),
        ("Gemm", ["c", "two.weight"], ["y"], {}),
    ]
    stored = {"one.weight": draw(3, 4), "two.weight": draw(4, 2)}
    net = nissl.network(graph(nodes, {"x": ["b", 3]}, {"y": ["b", 2]}, stored))
    assert net.layer("one").nonlinearity is None
    np.testing.assert_allclose(net.probe(draw(5, 3))["one"], draw(5, 3) @ stored["one.weight"], rtol=1e-5, atol=1e-6)


def test_a_norm_over_the_same_units_is_passed_and_a_softmax_is_not():
    nodes = [
        ("Conv", ["x", "conv.weight"], ["a"], {}),
        ("BatchNormalization", ["a", "n.weight", "n.bias", "n.mean", "n.var"], ["b"], {}),
        ("Relu", ["b"], ["c"], {}),
        ("Conv", ["c", "last.weight"], ["d"], {}),
        ("BatchNormalization", ["d", "n.weight", "n.bias", "n.mean", "n.var"], ["e"], {}),
        ("GlobalAveragePool", ["e"], ["f"], {}),
        ("Flatten", ["f"], ["g"], {}),
        ("Gemm", ["g", "head.weight"], ["h"], {}),
        ("Softmax", ["h"], ["y"], {}),
    ]
    stored = {
        "conv.weight": draw(4, 1, 3, 3), "last.weight": draw(4, 4, 1, 1), "head.weight": draw(4, 3), "n.weight": draw(4),
        "n.bias": draw(4), "n.mean": draw(4), "n.var": np.abs(draw(4)),
    }  # fmt: skip
    net = nissl.network(graph(nodes, {"x": ["b", 1, 5, 5]}, {"y": ["b", 3]}, stored))
    conv, last, head = net.layers
    assert (conv.nonlinearity, last.nonlinearity, head.nonlinearity) == ("ReLU", None, None)
    assert conv.remark == last.remark == "heard after BatchNormalization"
    assert "softmax" in head.remark
    with net.change("last", None, 0.25):
        assert (net.probe(draw(2, 1, 5, 5))["last"] == 0.25).all()


def test_the_examples_may_be_on_another_axis_than_the_first():
    stored = {"a.weight": draw(4, 3), "b.weight": draw(3, 2)}
    nodes = [
        ("Transpose", ["x"], ["turned"], {"perm": [1, 0, 2]}),
        ("MatMul", ["turned", "a.weight"], ["a"], {}),
        ("ReduceMean", ["a"], ["pooled"], {"axes": [0], "keepdims": 0}),
        ("MatMul", ["pooled", "b.weight"], ["y"], {}),
    ]
    x, y = draw(6, 6, 4), np.arange(6) % 2  # as many positions as examples
    net = nissl.network(graph(nodes, {"x": ["b", 6, 4]}, {"y": ["b", 2]}, stored))
    assert [(layer.batch_axis, layer.unit_shape) for layer in net.layers] == [(1, (6,)), (0, ())]
    with nissl.record(net, probe=(x, y), progress=False) as recorder:
        list(recorder.epochs(1))
    value = x @ stored["a.weight"]
    wanted = np.stack([value[y == k].mean((0, 1)) for k in range(2)], 1)
    np.testing.assert_allclose(recorder.trace["E_1/L_a"].array("probe_class_mean"), wanted, atol=1e-5)


def test_names_come_from_weights_nodes_and_scopes_and_are_unique():
    nodes = [
        ("MatMul", ["x", "onnx::MatMul_7"], ["a"], {"name": "/net/fc/MatMul"}),
        ("MatMul", ["a", "onnx::MatMul_8"], ["b"], {"name": "/net/fc/MatMul"}),
        ("MatMul", ["b", "onnx::MatMul_8"], ["c"], {"name": "/net/fc/MatMul"}),
        ("MatMul", ["c", "k"], ["d"], {"name": "plain"}),
        ("MatMul", ["d", "seq/dense/kernel:0"], ["e"], {}),
        ("MatMul", ["e", "nameless"], ["y"], {}),
    ]
    stored = {name: draw(3, 3) for name in ("onnx::MatMul_7", "onnx::MatMul_8", "k", "seq/dense/kernel:0", "nameless")}
    net = nissl.network(graph(nodes, {"x": ["b", 3]}, {"y": ["b", 3]}, stored))
    names = [layer.name for layer in net.layers]
    assert len(set(names)) == 6
    assert names[0] == "net.fc"
    assert names[3:] == ["plain", "seq.dense", "MatMul_5"]


def test_weights_in_constant_nodes_behind_a_transpose_are_read_and_edited():
    from onnx import helper, numpy_helper

    model = mlp()
    stored = draw(4, 4)
    constant = helper.make_node("Constant", [], ["w"], value=numpy_helper.from_array(stored))
    turn = helper.make_node("Transpose", ["w"], ["wt"], perm=[1, 0])
    dense = helper.make_node("MatMul", ["b", "wt"], ["m"], "middle")
    for number, node in enumerate([constant, turn, dense]):
        model.graph.node.insert(2 + number, node)
    model.graph.node[5].input[0] = "m"
    net, x = nissl.network(model), draw(5, 3)
    np.testing.assert_array_equal(net.weights("middle")["weight"], stored)
    hidden = net.probe(x)["one"]
    net.edit("middle", {"weight": 2 * stored})
    np.testing.assert_allclose(net.probe(x)["middle"], hidden @ (2 * stored).T, rtol=1e-5, atol=1e-6)


def test_functions_of_a_model_are_looked_into():
    from onnx import helper

    model = mlp()
    body = [helper.make_node("Relu", ["p"], ["q"])]
    model.functions.append(helper.make_function("own", "Bend", ["p"], ["q"], body, model.opset_import))
    model.opset_import.append(helper.make_opsetid("own", 1))
    model.graph.node[1].op_type, model.graph.node[1].domain = "Bend", "own"
    net, plain = nissl.network(model), nissl.network(mlp())
    assert net.layer("one").nonlinearity == "ReLU"
    np.testing.assert_array_equal(net.forward(draw(5, 3)), plain.forward(draw(5, 3)))
