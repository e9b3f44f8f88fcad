"""However a step of nnx is compiled, it is heard once for every call, and returns what it returns to everybody else."""

from functools import cache, partial

import numpy as np
import pytest

import nissl
from nissl.core.network import network

pytestmark = pytest.mark.framework("flax")
X = np.random.default_rng(0).normal(size=(6, 4)).astype(np.float32)
STEPS = 3


def pieces(width=5):
    """A model and its optimiser."""
    import jax
    from flax import nnx

    class Net(nnx.Module):
        def __init__(self, rngs):
            self.first, self.last = nnx.Linear(4, width, rngs=rngs), nnx.Linear(width, 3, rngs=rngs)

        def __call__(self, x):
            return self.last(jax.nn.relu(self.first(x)))

    return trained(Net(nnx.Rngs(0)))


def trained(model):
    import optax
    from flax import nnx

    return model, nnx.Optimizer(model, optax.sgd(0.1), wrt=nnx.Param)


def loss(model, x):
    return (model(x) ** 2).mean()


def step(model, optimizer, x, loss=loss):
    from flax import nnx

    value, gradients = nnx.value_and_grad(loss)(model, x)
    optimizer.update(model, gradients)
    return {"loss": value, "model": None}


WAYS = {
    "decorated": lambda nnx: nnx.jit(step),
    "donated": lambda nnx: nnx.jit(step, donate_argnums=(0, 1)),
    "placed": lambda nnx: nnx.jit(step, out_shardings=here()),
    "in a compiled step": lambda nnx: nnx.jit(partial(through, nnx.jit(step))),
    "a compiled loss": lambda nnx: partial(step, loss=nnx.jit(loss)),
    "a compiled loss in a compiled step": lambda nnx: nnx.jit(partial(step, loss=nnx.jit(loss))),
    "checkpointed": lambda nnx: nnx.jit(partial(step, loss=nnx.remat(loss))),
    "as a tree": lambda nnx: nnx.jit(step, graph=False),
    "arguments kept": lambda nnx: lambda model, optimizer, x: nnx.cached_partial(nnx.jit(step), model, optimizer)(x),
    "ahead of time": lambda nnx: ahead(nnx.jit(step)),
}


def here():
    import jax

    return jax.sharding.SingleDeviceSharding(jax.devices()[0])


def through(run, *given):
    return run(*given)


def ahead(run):
    """Called, and compiled ahead of time besides, which must not share what the call has traced."""

    def both(*given):
        run(*given)
        return run.lower(*given).compile()(*given)

    return both


def compiled(way):
    from flax import nnx

    return WAYS[way](nnx)


@cache
def by_hand():
    """Of each step: the first layer's values, the loss, and the parameters after it."""
    found, held = [], [value.astype(float) for value in parameters(pieces()[0])]
    for _ in range(2 * STEPS):
        bias, kernel, last_bias, last_kernel = held
        hidden = np.maximum(X @ kernel + bias, 0)
        out = hidden @ last_kernel + last_bias
        slope = 2 * out / out.size
        back = slope @ last_kernel.T * (hidden > 0)
        slopes = back.sum(0), X.T @ back, slope.sum(0), hidden.T @ slope
        held = [value - 0.1 * one for value, one in zip(held, slopes, strict=True)]
        found.append((hidden, (out**2).mean(), held))
    return found


@pytest.mark.parametrize("way", WAYS)
def test_every_way_to_compile_a_step_is_heard_once_a_call(way):
    run, calls = compiled(way), 2 if way == "ahead of time" else 1
    rows, wanted, ends = zip(*by_hand()[: STEPS * calls], strict=True)
    run(*pieces(), X)  # compiled before anybody listens
    heard, losses = pieces(), []
    with nissl.record(heard[0], quantities=["activation", "gradient"], progress=False) as recorder:
        for _ in recorder.epochs(1):
            for x, _ in recorder.batches([(X, np.arange(6) % 2)] * STEPS):
                found = run(*heard, x)
                assert set(found) == {"loss", "model"}
                losses.append(np.asarray(found["loss"]))
    np.testing.assert_allclose(losses, wanted[calls - 1 :: calls], rtol=1e-5)
    for one, other in zip(ends[-1], parameters(heard[0]), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-7)
    layer, every = recorder.trace.layer("first"), np.concatenate(rows)
    assert (layer.count[-1] == len(every)).all()
    assert (layer.gradient_count[-1] == len(every)).all()
    np.testing.assert_allclose(layer.mean[-1], every.mean(0), rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(layer.std[-1], every.std(0), rtol=1e-4, atol=1e-6)
    assert set(run(*heard, X)) == {"loss", "model"}


def parameters(model):
    import jax
    from flax import nnx

    return [np.asarray(leaf) for leaf in jax.tree.leaves(nnx.state(model, nnx.Param))]


@pytest.mark.parametrize("way", ["decorated", "as a tree"])
def test_a_step_returns_what_it_tells_and_calls_nobody(way, monkeypatch):
    import jax

    def never(*_, **__):
        raise AssertionError

    monkeypatch.setattr(jax.debug, "callback", never)
    (model, optimizer), run = pieces(), compiled(way)
    probe, quantities = (X, np.arange(6) % 2), ["activation", "gradient"]
    with nissl.record(model, quantities=quantities, probe=probe, progress=False) as recorder:
        for _ in recorder.epochs(2):
            for x, _ in recorder.batches([(X, np.arange(6) % 2)] * STEPS):
                run(model, optimizer, x)
    layer = recorder.trace.layer("first")
    assert (layer.count[-1] == len(X) * STEPS).all()
    assert (layer.probe_count[-1] == len(X)).all()


def test_two_who_listen_to_one_step_each_hear_it():
    import jax
    from flax import nnx

    (model, optimizer), (other, second) = pieces(), pieces(7)

    @nnx.jit
    def both(model, optimizer, other, second, x):
        return step(model, optimizer, x)["loss"], step(other, second, x)["loss"]

    heard = {"first": [], "second": [], "all": []}
    nets = network(model), network(other)
    first = nets[0].watch(lambda name, value: heard["first"].append(name), "*", passes="training")
    again = nets[1].watch(lambda name, value: heard["second"].append(name), "last", passes="training")
    every = nets[1].watch(lambda name, value: heard["all"].append(np.shape(value)), "first")
    with again, every:
        with first:
            both(model, optimizer, other, second, X)
        made = both(model, optimizer, other, second, X)
    assert all(isinstance(value, jax.Array) for value in made)
    assert heard == {"first": ["first", "last"], "second": ["last"] * 2, "all": [(6, 7)] * 2}


def test_a_compiled_pass_inside_a_gradient_tells_those_who_hear_all_passes():
    from flax import nnx

    (model, _), seen = pieces(), []
    run = nnx.jit(loss)
    with network(model).watch(lambda name, value: seen.append((name, np.asarray(value))), "first"):
        nnx.grad(run)(model, X)
        run(model, X)
    assert [name for name, _ in seen] == ["first", "first"]
    np.testing.assert_allclose(seen[0][1], seen[1][1], rtol=1e-6)


def test_maps_that_a_step_reduces_because_they_are_far_from_the_host_have_the_same_statistics(monkeypatch):
    import jax
    from flax import nnx

    class Maps(nnx.Module):
        def __init__(self, rngs):
            self.conv, self.last = nnx.Conv(2, 4, (3, 3), rngs=rngs), nnx.Linear(4, 3, rngs=rngs)

        def __call__(self, x):
            return self.last(jax.nn.relu(self.conv(x)).mean((1, 2)))

    draw, found = np.random.default_rng(1), []
    x, y = draw.normal(size=(12, 6, 6, 2)).astype(np.float32), np.arange(12) % 3
    x[0, 0, 0] = np.nan
    for place in ("cpu", "gpu"):
        monkeypatch.setattr(jax, "default_backend", lambda place=place: place)
        (model, optimizer), run = trained(Maps(nnx.Rngs(0))), nnx.jit(step)
        with nissl.record(model, quantities=["activation", "profile"], classes=3, progress=False) as recorder:
            for _ in recorder.epochs(1):
                for one, _ in recorder.batches([(np.nan_to_num(x), y), (x, y)]):
                    run(model, optimizer, one)
        found.append(recorder.trace.layer("conv"))
    assert (found[0].nan[-1] > 0).all()
    for name in ("count", "nan", "mean", "std", "min", "max", "class_mean"):
        one, other = (getattr(layer, name)[-1] for layer in found)
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6, err_msg=name)
