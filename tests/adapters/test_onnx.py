"""ONNX networks: what they take, what they refuse, and a recording of them, also of a series of checkpoints."""

import numpy as np
import pytest

import nissl
from nissl.core.capabilities import Differentiable, Editable
from nissl.errors import BadValue, NotHeard, UnknownName, Unsupported
from tests.adapters.graphs import draw, graph, mlp, two_inputs

pytestmark = pytest.mark.framework("onnx")


def test_a_model_for_one_example_at_a_time_is_run_so():
    many, x = nissl.network(mlp()), draw(5, 3)
    for size in (1, 2, 5):
        few = nissl.network(mlp(batch=size))
        np.testing.assert_allclose(few.forward(x), many.forward(x), rtol=1e-6)
        seen, known = few.probe(x), many.probe(x)
        for name, value in known.items():
            np.testing.assert_allclose(seen[name], value, rtol=1e-6)


def test_a_first_axis_that_is_fixed_while_another_is_free_is_no_batch():
    nodes = [("Transpose", ["x"], ["t"], {"perm": [1, 0, 2]}), ("MatMul", ["t", "fc.weight"], ["y"], {})]
    net = nissl.network(graph(nodes, {"x": [4, "batch", 2]}, {"y": ["batch", 4, 3]}, {"fc.weight": draw(2, 3)}))
    assert net.run(draw(4, 6, 2)).shape == (6, 4, 3)
    with pytest.raises(BadValue, match=r"\(4, batch, 2\)"):
        net.run(draw(5, 6, 2))


def test_several_inputs_are_a_tuple_or_a_dict_and_several_outputs_a_tuple():
    net, ids, x = nissl.network(two_inputs()), np.arange(5), draw(5, 3)
    y, c = net.run((ids, x))
    np.testing.assert_array_equal(net.run({"x": x, "ids": ids})[1], c)
    np.testing.assert_array_equal(net.forward((ids, x)), y)
    assert net.layer("head").inputs == ("Gather_0", "fc")
    assert net.probe((ids, x), batch=2)["fc"].shape == (5, 4)


@pytest.mark.parametrize(
    ("x", "error", "says"),
    [
        (draw(5, 4), BadValue, r"x: float32 \(batch, 3\)"),
        (draw(3), BadValue, r"float32 \(batch, 3\).*\(3,\)"),
        (np.arange(6).reshape(2, 3), BadValue, r"astype\('float32'\)"),
        ((draw(5, 3), draw(5, 3)), BadValue, "2 inputs"),
        ({"z": draw(5, 3)}, UnknownName, "no input 'z'"),
        ({}, BadValue, "Not given: x"),
    ],
)
def test_what_the_model_does_not_take_is_refused_before_it_runs(x, error, says):
    with pytest.raises(error, match=says):
        nissl.network(mlp()).run(x)


def test_64_bit_floats_are_taken_by_a_model_of_32():
    net = nissl.network(mlp())
    np.testing.assert_array_equal(net.run(draw(5, 3).astype(np.float64)), net.run(draw(5, 3)))


def test_what_a_graph_cannot_do_is_refused_by_name(run_path):
    net = nissl.network(mlp())
    assert isinstance(net, Editable) and not isinstance(net, Differentiable)
    with pytest.raises(Unsupported, match="no gradients"), net.watch(print, "*", place="gradient"):
        pass
    with pytest.raises(Unsupported, match="number"), net.change("one", [0], lambda v: v):
        pass
    with pytest.raises(Unsupported, match="onnx network gives no such gradients"):
        nissl.record(net, run_path, quantities=["gradient"])


def test_a_session_is_told_what_to_pass_instead():
    import onnxruntime

    session = onnxruntime.InferenceSession(mlp().SerializeToString(), providers=["CPUExecutionProvider"])
    with pytest.raises(Unsupported, match=r"onnx\.load\(path\)"):
        nissl.network(session)


def test_a_quantised_layer_is_none_and_a_graph_of_nothing_else_says_so():
    from onnx import helper, numpy_helper

    model = mlp()
    model.graph.initializer.extend([
        numpy_helper.from_array(np.ones((4, 3), np.int8), "q"), numpy_helper.from_array(np.float32(0.1), "scale"),
    ])  # fmt: skip
    model.graph.node.insert(0, helper.make_node("DequantizeLinear", ["q", "scale"], ["deq"]))
    model.graph.node[1].input[1] = "deq"
    net = nissl.network(model)
    assert [layer.name for layer in net.layers] == ["two"]
    assert net.probe(draw(5, 3))["two"].shape == (5, 2)
    del model.graph.node[3], model.graph.output[0]
    model.graph.output.append(helper.make_tensor_value_info("b", 1, ["batch", 4]))
    with pytest.raises(Unsupported, match="DequantizeLinear"):
        nissl.network(model)


def test_hearing_changes_nothing_of_what_is_said():
    net, x = nissl.network(mlp()), draw(64, 3)
    alone = net.run(x)
    with net.watch(lambda *_: None, "*", place="preactivation"), net.watch(lambda *_: None, "*"):
        np.testing.assert_array_equal(net.run(x), alone)


def test_a_recording_is_the_statistics_of_what_was_run(run_path):
    net, x, y = nissl.network(mlp()), draw(60, 3), np.arange(60) % 2
    with nissl.record(net, run_path, progress=False) as recorder:
        for _ in recorder.epochs(1):
            for part, _ in recorder.batches([(x[:25], y[:25]), (x[25:], y[25:])]):
                net.run(part)
    values, trace = net.probe(x), nissl.open(run_path)
    for name, value in values.items():
        np.testing.assert_allclose(trace["E_1"][f"L_{name}"].array("mean"), value.mean(0), rtol=1e-5, atol=1e-6)
        by_class = np.stack([value[y == k].mean(0) for k in (0, 1)], 1)
        np.testing.assert_allclose(trace["E_1"][f"L_{name}"].array("class_mean"), by_class, rtol=1e-5, atol=1e-6)


def test_checkpoints_that_are_shown_the_probe_alone_are_recorded(run_path):
    x, y = draw(40, 3), np.arange(40) % 2
    with nissl.record(mlp(seed=1), run_path, probe=(x, y), progress=False) as recorder:
        for epoch in recorder.epochs(3):
            recorder.renew(mlp(seed=epoch))
    trace = nissl.open(run_path)
    for epoch in range(1, 4):
        known, cell = nissl.network(mlp(seed=epoch)), trace[f"E_{epoch}"]["L_one"]
        np.testing.assert_allclose(cell.array("probe_mean"), known.probe(x)["one"].mean(0), rtol=1e-5, atol=1e-6)
        np.testing.assert_array_equal(cell.array("weight"), known.weights("one")["weight"])
    with (
        pytest.raises(NotHeard, match=r"network\.run\(x\).* probe"),
        nissl.record(mlp(), progress=False) as recorder,
    ):
        list(recorder.epochs(1))


def test_a_series_of_checkpoints_is_a_recording_of_as_many_epochs(run_path, tmp_path):
    import onnx

    for epoch in range(4):
        onnx.save(mlp(seed=epoch), tmp_path / f"epoch{epoch}.onnx")
    x, y = draw(40, 3), np.arange(40) % 2
    first = onnx.load(tmp_path / "epoch0.onnx")
    with nissl.record(first, run_path, probe=(x, y), progress=False) as recorder:
        net = recorder.network
        for epoch in recorder.epochs(3):
            recorder.renew(onnx.load(tmp_path / f"epoch{epoch}.onnx"))
            for part, _ in recorder.batches([(x, y)]):
                net.run(part)
        with pytest.raises(BadValue, match="no checkpoint"):
            recorder.renew(mlp(width=5))
    trace = nissl.open(run_path)
    for epoch in range(4):
        value = nissl.network(mlp(seed=epoch)).probe(x)["one"]
        cell = trace[f"E_{epoch}"]["L_one"]
        np.testing.assert_allclose(cell.array("probe_mean"), value.mean(0), rtol=1e-5, atol=1e-6)
        if epoch:
            np.testing.assert_allclose(cell.array("mean"), value.mean(0), rtol=1e-5, atol=1e-6)
