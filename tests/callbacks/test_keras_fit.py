"""Keras' `fit`: what it may be told to do, and how it may end."""

import gc

import numpy as np
import pytest

import nissl

pytestmark = pytest.mark.framework("keras")


def fitted(model, callbacks, **options):
    from tests.callbacks.example_keras import data

    x, y = data()
    model.fit(x, y, batch_size=8, epochs=2, verbose=0, callbacks=callbacks, **options)


def test_every_batch_may_be_kept(run_path):
    from tests.callbacks.example_keras import made

    fitted(made(), [nissl.callbacks.Keras(run_path, drop_batches=False)], shuffle=False)
    layer = nissl.open(run_path)[2]["dense"]
    assert len(layer.batches) == 6
    assert nissl.open(run_path)[2]["dense_1"].array("class_count").sum() == 48


def test_steps_that_are_executed_together_are_heard_each(run_path):
    import keras

    if keras.backend.backend() == "torch":
        pytest.skip("Keras executes no steps together on torch")
    from tests.callbacks.example_keras import made

    alone, heard = made(), made()
    for model in (alone, heard):
        model.compile("adam", "sparse_categorical_crossentropy", steps_per_execution=4)
    fitted(alone, [], shuffle=False)
    fitted(heard, [nissl.callbacks.Keras(run_path, drop_batches=False)], shuffle=False)
    assert len(nissl.open(run_path)[2]["dense"].batches) == 6
    for one, other in zip(alone.get_weights(), heard.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("kind", [ValueError, KeyboardInterrupt])
@pytest.mark.parametrize("where", ["a step", "validation", "another callback"])
def test_a_training_that_fails_leaves_its_finished_epochs_and_an_ended_trace(where, kind, run_path):
    import keras

    from tests.callbacks.example_keras import data, made

    class Failing(keras.Sequential):
        """Its first epoch is as it should be."""

        calls = 0

        def compute_loss(self, *args, training=True, **kwargs):
            self.calls += training == (where == "a step")
            if self.calls > 9 and where != "another callback":
                raise kind("on purpose")
            return super().compute_loss(*args, training=training, **kwargs)

    class Other(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            if where == "another callback" and epoch:
                raise kind("on purpose")

    model, callback = Failing(made().layers), nissl.callbacks.Keras(run_path)
    model.compile("adam", "sparse_categorical_crossentropy", run_eagerly=True)
    with pytest.raises(kind, match="on purpose") as raised:
        fitted(model, [Other(), callback], validation_data=data(), validation_batch_size=8)
    ended = not callback.recording
    assert ended == (where != "another callback")
    del callback, raised, model
    gc.collect()
    assert nissl.open(run_path).epochs == [1]
    with nissl.callbacks.Keras(run_path, overwrite=True) as again:  # nobody holds it
        fitted(made(), [again])
