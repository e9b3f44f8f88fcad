"""Networks that are only arrays: played from memory or a folder, or handed over while another framework computes."""

import numpy as np
import pytest

import nissl
from nissl.adapters.arrays import Arrays
from nissl.core.capabilities import Differentiable, Editable
from nissl.core.layer import Layer
from nissl.core.network import network
from nissl.errors import BadValue, MissingData, NotHeard, UnknownName, Unsupported


def activations(n=12):
    draw = np.random.default_rng(0).normal
    return {"conv": draw(size=(n, 4, 5, 5)), "out": draw(size=(n, 3))}


def heard(net, **how):
    seen = {}
    return seen, net.watch(lambda name, value: seen.setdefault(name, []).append(value), "*", **how)


def test_units_are_on_the_axis_that_the_user_names():
    net = Arrays(activations(), unit_axis={"conv": 1})
    conv, out = net.layers
    assert (conv.units, conv.unit_axis, conv.unit_shape) == (4, 1, (5, 5))
    assert (out.units, out.unit_axis, out.unit_shape) == (3, -1, ())
    sums = net.accumulator(conv)
    sums.fold(net.probe(np.arange(12), "conv")["conv"])
    np.testing.assert_allclose(sums.read().mean, activations()["conv"].mean((0, 2, 3)))


def test_a_folder_is_read_with_its_gradients_and_labels(tmp_path):
    for name, array in activations().items():
        np.save(tmp_path / f"{name}.act.npy", array)
    np.save(tmp_path / "conv.grad.npy", 2 * activations()["conv"])
    np.save(tmp_path / "labels.npy", np.arange(12) % 3)
    net = network(str(tmp_path))
    assert [layer.name for layer in net.layers] == ["conv", "out"]
    assert list(net.labels) == list(np.arange(12) % 3)
    seen, watching = heard(net, place="gradient")
    with watching:
        net.run(np.array([3, 1]))
    np.testing.assert_array_equal(seen["conv"][0], 2 * activations()["conv"][[3, 1]])
    with pytest.raises(MissingData, match=r"act\.npy"):
        Arrays(tmp_path / "nothing")


def test_a_loop_of_the_users_hands_over_what_it_computed():
    net = Arrays({"conv": Layer("conv", "conv", 4, 1, unit="channel"), "out": 3})
    given, seen, trained, gradients, outputs = activations(), {}, {}, {}, []
    with (
        net.watch(seen.__setitem__, "*"),
        net.watch(trained.__setitem__, ["conv"], passes="training"),
        net.watch(gradients.__setitem__, "*", place="gradient"),
        net.watch_outputs(lambda _, value: outputs.append(value)),
    ):
        net.hear(given, {"out": given["out"]}, outputs=given["out"], training=False)
        assert not trained
        net.hear({"conv": given["conv"]})
    assert set(seen) == {"conv", "out"} and set(trained) == {"conv"} and set(gradients) == {"out"}
    assert len(outputs) == 1
    net.hear(given)  # nobody listens any more
    with pytest.raises(Unsupported, match="hear"):
        net.run(np.arange(3))
    with pytest.raises(UnknownName, match="conv"):
        net.hear({"cnov": given["conv"]})
    with pytest.raises(BadValue, match="unit_axis"):
        net.hear({"out": given["conv"]})


def test_a_recording_of_arrays_is_the_arrays_statistics(run_path):
    net, given, y = (
        Arrays({"conv": Layer("conv", "conv", 4, 1, unit="channel"), "out": 3}),
        activations(),
        np.arange(12) % 3,
    )
    with nissl.record(net, run_path, classes=3, quantities=["activation", "profile"], progress=False) as recorder:
        for _ in recorder.epochs(2):
            for rows, _ in recorder.batches([(np.arange(6), y[:6]), (np.arange(6, 12), y[6:])]):
                net.hear({name: array[rows] for name, array in given.items()})
    found = nissl.open(run_path).layer("conv").mean[-1]
    np.testing.assert_allclose(found, given["conv"].mean((0, 2, 3)), rtol=1e-5)


def test_what_arrays_cannot_do_is_refused_by_name():
    net = Arrays(activations())
    assert not isinstance(net, Editable) and not isinstance(net, Differentiable)
    with pytest.raises(Unsupported, match="layer of their own"), net.watch(print, "*", place="preactivation"):
        pass
    with pytest.raises(NotHeard, match="outputs"):
        Arrays({"a": np.ones((2, 2)), "b": 3}).forward(np.arange(2))
    for wrong in ({}, {"a": "text"}, {"a": np.ones(3)}, {"a": np.ones((3, 2)), "b": np.ones((4, 2))}):
        with pytest.raises(BadValue):
            Arrays(wrong)
    with pytest.raises(BadValue, match="indices"):
        net.run(np.ones((2, 2)))
    with pytest.raises(UnknownName):
        Arrays(activations(), unit_axis={"conf": 1})
