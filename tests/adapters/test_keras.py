"""Keras in `fit`: subclassed models and late calls, compiled steps, changes, and what can't be heard."""

import numpy as np
import pytest

import nissl
from nissl import plugins
from nissl.core.network import network
from nissl.core.sums import NumpyAccumulator
from nissl.errors import BadValue, Unsupported
from tests.adapters.keras_models import Blocks, X, Y, fit, heard, keras, layers, sequential

pytestmark = pytest.mark.framework("keras")


@pytest.fixture(autouse=True)
def fresh():
    keras.config.set_floatx("float32")
    keras.utils.set_random_seed(4)


def test_the_adapter_of_keras_wins_over_that_of_torch():
    import torch  # noqa: F401 - both could take the model

    assert type(network(sequential())) is plugins.load("adapters", "keras")


def test_layers_are_named_by_attributes_or_as_the_user_named_them_and_never_by_a_count_of_the_process():
    names = [[layer.name for layer in network(sequential()).layers] for _ in range(2)]
    assert names == [["conv2d", "dense"]] * 2
    given = keras.Sequential([layers.Input((4,)), layers.Dense(2, name="first"), layers.Dense(2), layers.Dense(1)])
    assert [layer.name for layer in network(given).layers] == ["first", "dense", "dense_1"]
    model = Blocks()
    model(X[:1])
    assert [layer.name for layer in network(model).layers] == ["enter", "blocks.0", "blocks.1", "leave"]


def test_a_layer_ends_with_its_norm_and_nonlinearity_and_before_a_softmax():
    net = network(sequential())
    values, before = net.probe(X), net.probe(X, place="preactivation")
    conv, dense = net.layers
    assert (conv.nonlinearity, conv.remark, conv.units, conv.kind) == (
        "ReLU",
        "heard after BatchNormalization",
        4,
        "conv",
    )
    assert (dense.nonlinearity, dense.remark) == (None, "heard before its softmax")
    assert (values["conv2d"] >= 0).all()
    assert (before["conv2d"] < 0).any()
    exponents = np.exp(values["dense"])
    np.testing.assert_allclose(exponents / exponents.sum(1, keepdims=True), net.forward(X), rtol=1e-5)


def test_channels_first_has_its_units_on_axis_1():
    if keras.backend.backend() == "tensorflow":
        pytest.skip("TensorFlow has no such convolution on a processor")
    model = keras.Sequential([layers.Input((1, 8, 8)), layers.Conv2D(4, 3, data_format="channels_first")])
    (layer,) = network(model).layers
    assert (layer.unit_axis, network(model).probe(X.transpose(0, 3, 1, 2))["conv2d"].shape) == (1, (24, 4, 6, 6))


@pytest.mark.parametrize(
    "layer",
    [
        layers.LSTM(5, return_sequences=True), layers.GRU(5), layers.Bidirectional(layers.LSTM(5)), layers.SimpleRNN(5),
        layers.MultiHeadAttention(2, 3), layers.EinsumDense("abc,cd->abd", (4, 5), bias_axes="d"), layers.Conv1D(5, 2),
        layers.SeparableConv1D(5, 2), layers.DepthwiseConv1D(2, depth_multiplier=2), layers.Conv1DTranspose(5, 2),
    ],
    ids=lambda layer: type(layer).__name__,
)  # fmt: skip
def test_units_of_every_kind_are_where_they_are_said_to_be(layer):
    given = keras.Input((4, 3))
    layer = type(layer).from_config(layer.get_config())
    attends = isinstance(layer, layers.MultiHeadAttention)
    net = network(keras.Model(given, layer(given, given) if attends else layer(given)))
    (found,) = net.layers
    value = net.probe(np.ones((2, 4, 3), "float32"))[found.name]
    assert value.shape[found.unit_axis] == found.units
    parameters = net.weights(found.name)
    assert {key: array.shape for key, array in parameters.items()} == dict(found.parameters)
    assert all(len(array) == found.units for array in parameters.values())
    net.edit(found.name, {key: array + 1 for key, array in parameters.items()})
    for key, array in net.weights(found.name).items():
        np.testing.assert_allclose(array, parameters[key] + 1)


def test_after_the_with_a_model_that_was_fitted_in_it_is_deaf():
    model, order = sequential(), []
    net = network(model)
    with heard(net, order):
        fit(model)
        net.settle()
    del order[:]
    model.fit(X, Y, verbose=0)
    model.predict(X, verbose=0)
    net.settle()
    assert order == []


def test_steps_that_were_compiled_before_are_heard_too():
    model, order = fit(sequential()), []
    net = network(model)
    with heard(net, order, passes="training"):
        model.fit(X, Y, batch_size=8, verbose=0)
        net.settle()
        assert len(order) == 6
        model.evaluate(X, Y, verbose=0)
        net.settle()
    assert len(order) == 6, "evaluation is no training"


def test_a_change_is_effective_in_predict_and_ends():
    model = fit(sequential())
    net, before = network(model), model.predict(X, verbose=0)
    weights = net.weights("conv2d")
    with net.change("conv2d", [0, 2], 0.0):
        changed = model.predict(X, verbose=0)
        np.testing.assert_allclose(changed, net.forward(X), rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(model.predict(X, verbose=0), before)
    assert np.abs(changed - before).max() > 1e-4
    np.testing.assert_array_equal(net.weights("conv2d")["weight"], weights["weight"])


def test_a_change_may_be_any_array_that_broadcasts_to_the_values():
    net = network(fit(sequential()))
    side = net.probe(X, "conv2d")["conv2d"].shape[1]
    maps = np.arange(side * side * 2.0).reshape(side, side, 2)
    with net.change("conv2d", [0, 2], maps):
        got = net.probe(X, "conv2d")["conv2d"][..., [0, 2]]
    np.testing.assert_array_equal(got, np.broadcast_to(maps, got.shape))
    with pytest.raises(BadValue, match="broadcast"), net.change("conv2d", [0, 2], maps[1:]):
        net.forward(X)


def test_gradients_of_the_loss_are_heard_in_fit():
    model, order = sequential(), []
    net = network(model)
    with heard(net, order, place="gradient", passes="training"):
        fit(model)
        net.settle()
    assert sorted(name for name, _ in order) == ["conv2d"] * 3 + ["dense"] * 3
    of_outputs = np.concatenate([value for name, value in order if name == "dense"])
    assert of_outputs.shape == (24, 3)
    assert np.abs(of_outputs).max() > 0


@pytest.mark.filterwarnings("ignore:`torch.jit:DeprecationWarning")  # what torch.compile imports
def test_a_step_that_is_compiled_as_a_whole_is_refused_before_it_trains():
    if keras.backend.backend() == "jax":
        pytest.skip("JAX is heard all the same")
    model = sequential()
    model.compile("adam", "sparse_categorical_crossentropy", jit_compile=True)
    before = model.get_weights()
    with pytest.raises(Unsupported, match="jit_compile=False"), heard(network(model), []):
        pass
    late = sequential()
    with heard(network(late), []), pytest.raises(Unsupported, match="jit_compile=False"):
        fit(late, jit_compile=True)
    assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True))


def test_evaluation_touches_neither_statistics_nor_seeds():
    model = fit(sequential())
    state = [np.asarray(v.numpy()) for v in model.non_trainable_variables]
    network(model).probe(X)
    for one, other in zip(state, model.non_trainable_variables, strict=True):
        np.testing.assert_array_equal(one, other.numpy())


@pytest.mark.parametrize("shape", [(6, 4), (6, 5, 4)])
@pytest.mark.parametrize("axis", [-1, 1])
@pytest.mark.parametrize("labels", ["examples", "tables", "positions"])
def test_the_sums_of_arrays_are_the_references(shape, axis, labels):
    from nissl.adapters._host.sums import accumulator

    draw = np.random.default_rng(1)
    batches = [draw.normal(size=shape).astype("float32") for _ in range(3)]
    batches[1][0, 0] = np.nan
    positions = 1 if len(shape) == 2 else shape[-axis if axis == 1 else 1] if axis == -1 else shape[2]
    groups = {
        "examples": np.arange(6) % 3 - 1, "tables": draw.random((6, 3)) > 0.5,
        "positions": np.arange(6 * positions).reshape(6, positions) % 3,
    }[labels]  # fmt: skip
    mine, reference = accumulator(np.asarray, axis, 0, 3, 8), NumpyAccumulator(axis, 0, 3, 8)
    for batch in batches:
        mine.fold(batch, groups)
        reference.fold(batch, groups)
    ours, wanted = mine.read(), reference.read()
    for name, value in vars(wanted).items():
        np.testing.assert_allclose(getattr(ours, name), value, rtol=1e-6, atol=1e-6, err_msg=name)


def test_a_recording_around_fit_needs_no_labels_of_its_own(run_path):
    model = sequential()
    with (
        nissl.record(model, run_path, probe=(X, Y), quantities=["activation", "profile"], progress=False) as recorder,
        recorder.network.watch_labels(recorder.step),
    ):
        for _ in recorder.epochs(2):
            fit(model)
            recorder.network.settle()
    trace = nissl.open(run_path)
    assert trace.epochs == [0, 1, 2]
    assert trace[2]["dense"].array("class_count").sum() == 24
