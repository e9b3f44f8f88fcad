"""SavedModels of Keras 2: their twins in Keras 3 say the same, and a training of the original shows in the probe."""

import subprocess
import sys

import numpy as np
import pytest

import nissl
from nissl.apps.cli import main
from nissl.errors import BadValue, DamagedData, MissingData, Unsupported
from nissl.studies.port import port
from tests.docs.blocks import ROOT, commands, entrusted

pytestmark = [
    pytest.mark.framework("tf_keras"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning:tf_keras|keras"),
]
IMAGES = np.random.default_rng(0).random((12, 8, 8, 1), np.float32)
LABELS = np.arange(12) % 4


def mlp():
    """As iNNtrospect keeps its networks: every layer is an output."""
    from tf_keras import Model, layers

    x = layers.Input((8, 8, 1), name="input")
    flat = layers.Flatten(name="flatten_7")(x)
    hidden = layers.Dense(16, activation="relu", name="layer_2")(flat)
    dropped = layers.Dropout(0.3, name="dropout")(hidden)
    out = layers.Dense(4, activation="softmax", name="dense_13")(dropped)
    return Model(x, [x, flat, hidden, dropped, out])


def cnn():
    from tf_keras import Model, layers

    x = outputs = layers.Input((8, 8, 1))
    stack = [
        layers.Conv2D(6, 3, activation="relu", name="conv2d_24"),
        layers.BatchNormalization(name="norm"),
        layers.MaxPooling2D(2),
        layers.Conv2D(8, 3, padding="same", name="plain"),
        layers.LeakyReLU(0.2),
        layers.GlobalAveragePooling2D(),
        layers.Dense(4, name="head"),
    ]
    kept = []
    for layer in stack:
        outputs = layer(outputs)
        kept.append(outputs)
    model = Model(x, kept)
    random = np.random.default_rng(1)
    model.set_weights([random.uniform(0.1, 1, w.shape) for w in model.get_weights()])
    return model


@pytest.mark.parametrize("make", [mlp, cnn])
def test_a_saved_model_is_ported_with_equal_outputs(make, tmp_path):
    import keras

    model = make()
    model.save(tmp_path / "saved", save_format="tf")
    port(tmp_path / "saved", tmp_path / "twin.keras")
    twin = keras.models.load_model(tmp_path / "twin.keras")
    wanted = [output.numpy() for output in model(IMAGES, training=False)]
    net = nissl.network(twin)
    np.testing.assert_allclose(net.forward(IMAGES), wanted[-1], rtol=1e-6, atol=1e-5)
    assert type(nissl.network(model).twin.model.output).__name__ == "KerasTensor"  # the last output alone
    heard = nissl.network(model).probe(IMAGES)
    if make is mlp:
        np.testing.assert_allclose(heard["layer_2"], wanted[2], rtol=1e-6, atol=1e-5)
    for name, value in net.probe(IMAGES).items():
        np.testing.assert_allclose(value, heard[name], rtol=1e-6, atol=1e-5)


def test_outputs_that_are_no_step_to_the_last_are_kept():
    from tf_keras import Model, layers

    x = layers.Input((3,))
    net = nissl.network(Model(x, [layers.Dense(2, name="left")(x), layers.Dense(4, name="right")(x)]))
    assert [output.shape[-1] for output in net.twin.model.outputs] == [2, 4]


def test_a_network_of_several_inputs_shared_and_nested_layers_is_ported():
    from tf_keras import Model, Sequential, layers

    a, b = layers.Input((5,), name="a"), layers.Input((5,), name="b")
    embed, read = layers.Embedding(9, 6, name="embed"), layers.Bidirectional(layers.LSTM(3), name="read")
    inner = Sequential([layers.Input((6,)), layers.Dense(7, activation="tanh", name="inside")], name="inner")
    model = Model([a, b], layers.Dense(2, name="out")(inner(layers.Add()([read(embed(a)), read(embed(b))]))))
    x = tuple(np.random.default_rng(k).integers(0, 9, (4, 5)).astype(np.float32) for k in (0, 1))
    np.testing.assert_allclose(nissl.network(model).forward(x), model(list(x)).numpy(), rtol=1e-6, atol=1e-5)


def test_what_the_model_does_not_take_never_reaches_tensorflow():
    net = nissl.network(cnn())
    for wrong in (IMAGES[0], IMAGES[..., 0], IMAGES[:, :4], (IMAGES, IMAGES)):
        with pytest.raises(BadValue, match=r"inputs|shape"):
            net.run(wrong)


def test_what_keras_3_cannot_say_is_refused_by_name(tmp_path):
    from tf_keras import Model, Sequential, layers

    x = layers.Input((3,))
    with pytest.raises(Unsupported, match="own is a Lambda"):
        nissl.network(Model(x, layers.Lambda(lambda v: 2 * v, name="own")(x)))
    with pytest.raises(Unsupported, match="does not say"):
        nissl.network(Sequential([layers.Input((3,)), layers.Dense(4, "hard_sigmoid")]))

    class Own(Model):
        def call(self, x):
            return x

    with pytest.raises(Unsupported, match="Own"):
        nissl.network(Own())
    with pytest.raises(MissingData, match=r"saved_model\.pb"):
        port(tmp_path, tmp_path / "twin.keras")
    (tmp_path / "saved_model.pb").write_bytes(b"nothing")
    with pytest.raises(DamagedData):
        port(tmp_path, tmp_path / "twin.keras")


def test_a_training_of_the_original_shows_in_the_probe(run_path):
    model = mlp()
    with pytest.raises(BadValue, match="probe"):
        nissl.record(model, run_path)
    with nissl.record(model, run_path, probe=(IMAGES, LABELS), progress=False) as recorder:
        for epoch in recorder.epochs(2):
            model.set_weights([weight + 0.1 * epoch for weight in model.get_weights()])
    trace, hidden = nissl.open(run_path), model(IMAGES)[2].numpy()
    np.testing.assert_allclose(trace["E_2"]["L_layer_2"].array("probe_mean"), hidden.mean(0), rtol=1e-4)
    assert not np.allclose(trace["E_1"]["L_layer_2"].array("weight"), trace["E_2"]["L_layer_2"].array("weight"))


def test_an_edit_reaches_the_original_and_a_checkpoint_the_twin():
    model, other = cnn(), cnn()
    net = nissl.network(model)
    net.edit("head", {"bias": np.arange(4.0)})
    np.testing.assert_array_equal(model.get_layer("head").get_weights()[1], np.arange(4))
    net.renew(other)
    np.testing.assert_array_equal(model.get_layer("head").get_weights()[1], np.arange(4))  # as it was
    np.testing.assert_allclose(net.forward(IMAGES), other(IMAGES)[-1].numpy(), rtol=1e-6, atol=1e-5)
    with pytest.raises(BadValue, match="checkpoint"):
        net.renew(mlp())


def test_the_terminal_ports_and_says_what_it_did(tmp_path):
    mlp().save(tmp_path / "saved", save_format="tf")
    command = [sys.executable, "-m", "nissl", "port", "saved", "--to", "twin.keras"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "layer_2" in done.stdout and "16 x 64" in done.stdout and "load_model" in done.stdout
    again = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert again.returncode == 2 and "twin.keras is there already" in again.stderr


def test_the_page_s_lines_follow_its_command(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    model = mlp()
    model.save("MNIST_MLP", save_format="tf")
    page = "how-to/port-saved-models.md"
    (words,) = (words for words in commands((ROOT / "docs" / page).read_text()) if words[:1] == ["port"])
    assert main(words) == 0
    names = {}
    for block in entrusted("how-to/port-saved-models.md", __file__):
        block.run(names, page)
    np.testing.assert_allclose(names["network"].forward(IMAGES), model(IMAGES)[-1].numpy(), atol=1e-5)
