"""A corpus passed through a SavedModel, as iNNtrospect's projects have it: against the model's own layers."""

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
