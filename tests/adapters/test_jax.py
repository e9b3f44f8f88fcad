"""Training loops of nnx and Equinox as people write them, recorded: what is heard is right, and nothing is changed."""

import importlib
import os
import subprocess
import sys
from functools import partial

import numpy as np
import pytest

import nissl
from nissl.core.network import network
from nissl.errors import BadValue, NotHeard

flax = partial(pytest.param, marks=pytest.mark.framework("flax"))
equinox = partial(pytest.param, marks=pytest.mark.framework("equinox"))
BOTH = [flax("flax"), equinox("equinox")]
RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(12, 6, 6, 2)).astype(np.float32)
Y = np.arange(12) % 3
ROWS = np.arange(24.0).reshape(12, 2)
QUIET = {"quantities": ["activation", "profile"], "classes": 3, "progress": False}


def loop(framework):
    """A new training: (model, step, independent forward as numpy); `step(x, y)` gives the model after it."""
    return importlib.import_module(f"tests.adapters.{framework}_loop").Loop()


def states(training):
    return [np.asarray(value) for value in training.state()]


@pytest.mark.parametrize("framework", BOTH)
def test_a_compiled_step_is_heard_and_trains_the_same_bits(framework):
    alone = loop(framework)
    for _ in range(4):
        alone.step(X, Y)
    recorded = loop(framework)
    with nissl.record(recorded.model, probe=(recorded.native(X), Y), **QUIET) as recorder:
        for _ in recorder.epochs(2):
            for x, y in recorder.batches([(X, Y)] * 2):
                recorder.renew(recorded.step(x, y))
    for one, other in zip(states(alone), states(recorded), strict=True):
        np.testing.assert_array_equal(one, other)
    trace = recorder.trace
    assert {"conv", "dense", "dense#2", "out"} <= set(trace.layers)
    assert (trace.layer("conv").count[-1] == 2 * 12 * 16).all()
    assert (trace.layer("dense").count[-1] == 24).all()


@pytest.mark.parametrize("framework", BOTH)
def test_what_a_step_says_is_what_the_model_computes(framework):
    training = loop(framework)
    training.still()
    net = network(training.model)
    wanted = {name: np.asarray(value) for name, value in training.values(X).items()}
    training.step(X, Y)  # compiled before anybody listens
    training.back()
    with nissl.record(training.model, **QUIET) as recorder:
        for _ in recorder.epochs(1):
            for x, y in recorder.batches([(X, Y)]):
                training.step(x, y)
    for name, value in wanted.items():
        rows = np.moveaxis(value, net.layer(name).unit_axis, -1)
        found = recorder.trace.layer(name)
        flat = rows.reshape(-1, rows.shape[-1])
        np.testing.assert_allclose(found.mean[-1], flat.mean(0), rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(found.std[-1], flat.std(0), rtol=1e-4, atol=1e-6)
        np.testing.assert_allclose(found.max[-1], flat.max(0), rtol=1e-5, atol=1e-6)
        by_class = [rows[k == Y].reshape(-1, rows.shape[-1]).mean(0) for k in range(3)]
        np.testing.assert_allclose(found.class_mean[-1], np.array(by_class).T, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("framework", BOTH)
def test_a_step_that_is_not_differentiated_is_no_training(framework):
    training = loop(framework)
    with (
        pytest.raises(NotHeard, match="differentiate"),
        nissl.record(training.model, **QUIET) as recorder,
    ):
        for _ in recorder.epochs(1):
            for x, _ in recorder.batches([(X, Y)]):
                training.predict(x)


@pytest.mark.parametrize("framework", BOTH)
def test_gradients_of_a_step_reach_every_call(framework):
    training, seen = loop(framework), {}
    net = network(training.model)
    with net.watch(lambda name, value: seen.setdefault(name, []).append(value.shape), "*", place="gradient"):
        training.step(X, Y)
        net.settle()
    assert {name: len(shapes) for name, shapes in seen.items()} == {"conv": 1, "dense": 1, "dense#2": 1, "out": 1}
    assert seen["dense"] == [(12, 5)]


@pytest.mark.parametrize("framework", BOTH)
def test_a_change_reaches_a_step_that_was_compiled_before_and_leaves_it(framework):
    training = loop(framework)
    before = np.asarray(training.predict(X))
    with network(training.model).change("out", [1], 5.0):
        changed = np.asarray(training.predict(X))
    assert (changed[:, 1] == 5).all()
    np.testing.assert_array_equal(changed[:, 0], before[:, 0])
    np.testing.assert_array_equal(training.predict(X), before)


@pytest.mark.parametrize("framework", BOTH)
def test_a_change_may_be_any_array_that_broadcasts_to_the_values(framework):
    training, maps = loop(framework), np.arange(32.0).reshape(4, 4, 2)
    net, x = network(training.model), training.native(X)
    with net.change("conv", [1, 0], maps):
        got = np.moveaxis(net.probe(x, "conv")["conv"], net.layer("conv").unit_axis, -1)[..., [1, 0]]
    np.testing.assert_array_equal(got, np.broadcast_to(maps, (12, 4, 4, 2)))
    with pytest.raises(BadValue, match="broadcast"), net.change("conv", [1, 0], maps[1:]):
        net.forward(x)


@pytest.mark.parametrize(("framework", "rows"), [flax("flax", ROWS), equinox("equinox", ROWS[0])])
def test_a_change_may_be_an_array_of_as_many_examples_as_a_model_sees_at_once(framework, rows):
    training = loop(framework)
    net, x = network(training.model), training.native(X)
    with net.change("out", [1, 0], rows):
        np.testing.assert_array_equal(net.forward(x)[:, [1, 0]], np.broadcast_to(rows, (12, 2)))
    with pytest.raises(BadValue, match="broadcast"), net.change("out", [1, 0], ROWS[:5]):
        net.forward(x)


@pytest.mark.parametrize("framework", BOTH)
def test_values_that_are_not_finite_are_counted_and_left_out(framework):
    training = loop(framework)
    x = training.native(X).copy()
    x[0] = np.nan
    with nissl.record(training.model, probe=(x, Y), epoch_intervals=[0], **QUIET) as recorder:
        list(recorder.epochs(1))
    found = recorder.trace.layer("conv")
    assert (found.probe_nan[-1] == 16).all()
    assert (found.probe_count[-1] == 11 * 16).all()
    assert np.isfinite(found.probe_mean[-1]).all()


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="processes are pinned to a core in Linux only")
@pytest.mark.parametrize(("kind", "numbers"), [flax("mlp", 8 * 512), flax("cnn", 8 * 64 * 256)])
def test_large_values_never_hang_on_one_core(kind, numbers):
    told = subprocess.run(
        [sys.executable, "-m", "tests.adapters.jax_pinned", kind],
        check=False,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert told.returncode == 0, told.stderr[-2000:]
    assert told.stdout.split()[-1] == str(numbers)


@pytest.mark.framework("flax")
def test_nonlinearities_are_heard_wherever_they_are_held():
    import jax
    from flax import nnx

    class Held(nnx.Module):
        def __init__(self, rngs):
            self.body = nnx.Sequential(nnx.Linear(4, 6, rngs=rngs), jax.nn.relu, nnx.Linear(6, 5, rngs=rngs))
            self.bend, self.last = nnx.gelu, nnx.Linear(5, 3, rngs=rngs)

        def __call__(self, x):
            return jax.nn.softmax(self.last(self.bend(self.body(x))))

    model, relu = Held(nnx.Rngs(0)), jax.nn.relu
    net = network(model)
    values = net.probe(RANDOM.normal(size=(9, 4)).astype(np.float32))
    assert [layer.nonlinearity for layer in net.layers] == ["ReLU", "GELU", None]
    assert "softmax" in net.layers[-1].remark
    assert (values["body.layers.0"] >= 0).all()
    assert (values["body.layers.2"] > -0.2).all()
    assert jax.nn.relu is relu
    assert model.body.layers[1] is relu
    assert model.bend is nnx.gelu


@pytest.mark.framework("equinox")
def test_an_mlp_of_equinox_is_heard_after_its_activations():
    import equinox as eqx
    import jax

    key = jax.random.key(0)
    mlp = eqx.nn.MLP(4, 3, 6, 2, activation=jax.nn.silu, key=key)
    net = network(mlp)
    x = RANDOM.normal(size=(9, 4)).astype(np.float32)
    values, before = net.probe(x), net.probe(x, place="preactivation")
    assert [layer.nonlinearity for layer in net.layers] == ["SiLU", "SiLU", None]
    np.testing.assert_allclose(values["layers.0"], jax.nn.silu(before["layers.0"]), rtol=1e-6)
    chain = eqx.nn.Sequential([eqx.nn.Linear(4, 5, key=key), eqx.nn.Lambda(jax.nn.relu)])
    net = network(chain)
    assert (net.probe(x)["layers.0"] >= 0).all()
    assert net.layers[0].nonlinearity == "ReLU"


@pytest.mark.framework("equinox")
def test_weights_are_never_compared_to_tell_a_model_from_its_copies():
    import equinox as eqx
    import jax

    class Proud(eqx.nn.Linear):
        def __eq__(self, other):
            assert not isinstance(other, Proud)
            return False

        __hash__ = eqx.nn.Linear.__hash__

    x = RANDOM.normal(size=(9, 4)).astype(np.float32)
    net = network(Proud(4, 3, key=jax.random.key(0)))
    np.testing.assert_allclose(
        net.forward(x), x @ net.weights(net.layers[0].name)["weight"].T + net.model.bias, rtol=1e-5, atol=1e-6
    )
    net.gradient(x, "sum")


@pytest.mark.framework("flax")
def test_a_nonlinearity_that_is_written_out_is_remarked_and_edges_are_known():
    from flax import nnx
    from jax import numpy as jnp

    class Written(nnx.Module):
        def __init__(self, rngs):
            self.first, self.second, self.last = (nnx.Linear(4, 4, rngs=rngs) for _ in range(3))

        def __call__(self, x):
            x = jnp.maximum(self.first(x), 0)
            return self.last(x + jnp.tanh(self.second(x)))

    net = network(Written(nnx.Rngs(0)))
    net.probe(RANDOM.normal(size=(3, 4)).astype(np.float32))
    first, second, last = net.layers
    assert first.nonlinearity is None
    assert "maximum" in first.remark
    assert second.nonlinearity == "Tanh"
    assert (first.inputs, second.inputs, last.inputs) == ((), ("first",), ("first", "second"))
