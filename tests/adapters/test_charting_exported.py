"""Graphs of ONNX models, by hand and as torch exports them."""

import numpy as np
import pytest

import nissl
from nissl.errors import BadValue, Unsupported
from tests.adapters.graphs import graph as model_of

pytestmark = pytest.mark.framework("onnx")


def feeds(found, path):
    by_id = {node.id: node.path for node in found.nodes}
    return sorted(by_id[a] for a, b in found.edges if b == found[path].id)


def by_hand():
    """A norm, two ways and a free batch; names with slashes, as exporters give them."""
    stored = {"w": np.ones((4, 3), "f"), **{k: np.ones(4, "f") for k in ("scale", "shift", "mean", "var")}}
    nodes = [
        ("MatMul", ["x", "v"], ["a"], {"name": "/body/first/MatMul"}),
        ("Relu", ["a"], ["b"], {"name": "/body/act/Relu"}),
        ("BatchNormalization", ["b", "scale", "shift", "mean", "var"], ["c"], {"name": "/norm/BatchNormalization"}),
        ("Add", ["c", "a"], ["y"], {"name": "/Add"}),
    ]
    return model_of(nodes, {"x": ["batch", 5]}, {"y": ["batch", 4]}, stored | {"v": np.ones((5, 4), "f")})


def test_operators_blocks_and_constants_of_a_graph_made_by_hand():
    pytest.importorskip("onnx")
    found = nissl.graph(by_hand())
    kinds = [(n.type, n.role, n.params) for n in found.nodes]
    assert kinds == [
        ("input", "input", 0), ("module", "block", 20), ("MatMul", "module", 20), ("Relu", "module", 0),
        ("BatchNormalization", "module", 8), ("Add", "function", 0), ("output", "output", 0),
    ]  # fmt: skip
    assert feeds(found, "Add") == sorted([found.nodes[2].path, found.nodes[4].path])
    assert found.params == 28
    assert found["x"].shape == (None, 5)
    assert nissl.graph(by_hand(), np.zeros((7, 5), "f"))["y"].shape == (7, 4)
    assert nissl.graph(by_hand(), np.zeros((7, 5), "f"))["x"].shape == (7, 5)


def test_what_is_not_there_is_refused():
    pytest.importorskip("onnx")
    with pytest.raises(Unsupported, match="ONNX has no autograd graph"):
        nissl.graph(by_hand(), kind="autograd")
    with pytest.raises(BadValue, match="float32"):
        nissl.graph(by_hand(), np.zeros((7, 6), "f"))


@pytest.mark.parametrize("name", ["perceptron", "shared", "U-Net"])
def test_torch_models_are_exported_as_they_are_and_drawn_alike(name, tmp_path):
    onnx = pytest.importorskip("onnx")
    pytest.importorskip("onnxscript")
    torch = pytest.importorskip("torch")
    from tests.core.architectures import ARCHITECTURES

    make, example = ARCHITECTURES[name]
    torch.manual_seed(0)
    model, x = make(), example()
    net = nissl.network(model)
    net.export(tmp_path / "model.onnx", x)
    assert model.training
    made = onnx.load(tmp_path / "model.onnx")
    onnx.checker.check_model(made)
    np.testing.assert_allclose(nissl.network(made).forward(x.numpy()), net.forward(x), rtol=1e-4, atol=1e-5)
    ours, theirs = nissl.graph(model, x), nissl.graph(made)
    assert (theirs.name, theirs.params) == (ours.name, ours.params)
    layers = [n.path for n in ours.nodes if n.role == "module" and n.params]
    assert [n.path for n in theirs.nodes if n.role == "module" and n.params][: len(layers)] == layers
    for path in layers:
        assert theirs[path].shape == ours[path].shape
        assert theirs[path].params == ours[path].params
