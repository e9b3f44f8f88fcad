"""A corpus passed through a SavedModel, as iNNtrospect's projects have it: against the model's own layers."""

import json
import subprocess
import sys

import numpy as np
import pytest

pytestmark = pytest.mark.framework("tf_keras")


def test_profiles_of_a_saved_model_are_those_of_its_own_layers(tmp_path):
    import tf_keras

    from nissl.studies.corpus import compute_naps, create_model_with_layer_outputs, load_model, process_corpus_file

    layers = tf_keras.layers
    model = tf_keras.Sequential([
        layers.Input((12, 10, 1)), layers.Conv2D(8, 3, activation="relu", name="conv2d_24"), layers.MaxPooling2D(name="pool"),
        layers.Conv2D(6, 3, activation="relu", name="conv2d_25"), layers.Flatten(name="flatten_8"), layers.Dense(3, activation="softmax"),
    ])  # fmt: skip
    model.save(tmp_path / "model", save_format="tf")
    draw, data = np.random.default_rng(0), tmp_path / "data"
    data.mkdir()
    batches = [draw.normal(size=(5, 12, 10, 1)).astype(np.float32) for _ in range(4)]
    for number, x in enumerate(batches):
        np.save(data / f"batch{number:04}.npy", x)
    (data / "corpus.csv").write_text("\n".join(f"batch{n:04}.npy,{'ab'[n % 2]},{n % 2}" for n in range(4)))

    names = ["conv2d_24", "pool", "conv2d_25", "flatten_8"]
    watched = create_model_with_layer_outputs(load_model(tmp_path / "model"), names)
    process_corpus_file(data, watched, tmp_path / "out", progress=False)
    for aligned in (False, True):
        compute_naps(tmp_path / "out", use_aligned_acts=aligned)
        inner = tf_keras.Model(model.inputs, [layer.output for layer in model.layers[:4]])
        for k in range(4):
            found = np.load(tmp_path / f"out/naps/layer{k + 1:03}.npy")
            values = [np.asarray(inner(x)[k]) for x in batches]
            if not aligned or values[0].ndim == 2:
                wanted = [np.concatenate(values[group::2]).mean(0) for group in range(2)]
                np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-6)
            assert found.shape == (2, *values[0].shape[1:])


def test_a_project_with_aligned_profiles_runs_from_a_terminal(tmp_path):
    """In a process of its own: what else a test process has imported changes what TensorFlow's values can do."""
    import tensorflow as tf
    import tf_keras

    from tests.studies.corpora import centred

    tf_keras.utils.set_random_seed(0)
    model = tf_keras.Sequential([
        tf_keras.layers.Input((9, 7, 1)), tf_keras.layers.Conv2D(5, 3, activation="relu", name="seen"),
        tf_keras.layers.Flatten(), tf_keras.layers.Dense(3),
    ])  # fmt: skip
    model.save(tmp_path / "model", save_format="tf")
    x = np.random.default_rng(0).normal(size=(6, 9, 7, 1)).astype(np.float32)
    (tmp_path / "data").mkdir()
    np.save(tmp_path / "data" / "all.npy", x)
    (tmp_path / "data" / "corpus.csv").write_text("all.npy, one\n")
    said = {
        "model_path": "model", "layer_names_of_interest": ["seen"], "data_path": "data", "processed_corpus_path": "out",
        "use_aligned_naps": True,
    }  # fmt: skip
    (tmp_path / "config.json").write_text(json.dumps(said))
    ran = subprocess.run(
        [sys.executable, "-m", "nissl", "corpus", "config.json", "--no-pictures"],
        check=False, cwd=tmp_path, capture_output=True, text=True,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr[-2000:]
    both = tf_keras.Model(model.inputs, [model.get_layer("seen").output, model.output])
    with tf.GradientTape() as tape:
        values, outputs = both(x)
        answered = tf.reduce_sum(tf.reduce_max(outputs, 1))
    slopes = np.asarray(tape.gradient(answered, values))
    wanted = np.mean([centred(value, slope) for value, slope in zip(np.asarray(values), slopes, strict=True)], 0)
    np.testing.assert_allclose(np.load(tmp_path / "out/naps/layer001.npy")[0], wanted, rtol=1e-5, atol=1e-6)
