"""A small training by Keras' `fit`."""

import keras
import numpy as np
from keras import layers

numbers = ("loss", "accuracy", "val_loss", "val_accuracy")


def data(count=48):
    return np.random.default_rng(1).normal(size=(count, 5)).astype("float32"), np.arange(count) % 3


def probe():
    return data(8)


def made():
    keras.config.set_floatx("float32")
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [layers.Input((5,)), layers.Dense(8), layers.ReLU(), layers.Dropout(0.2), layers.Dense(3, activation="softmax")]
    )
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def fit(callbacks, epochs, folder, *, resume=False):
    done = sorted(folder.glob("*.keras"), key=lambda file: int(file.stem)) if resume else []
    model = keras.models.load_model(done[-1]) if done else made()
    folder.mkdir(exist_ok=True)
    saving = keras.callbacks.ModelCheckpoint(folder / "{epoch}.keras")
    x, y = data()
    model.fit(
        x, y, batch_size=8, epochs=epochs, verbose=0, validation_data=(x, y), callbacks=[*callbacks, saving],
        initial_epoch=int(done[-1].stem) if done else 0,
    )  # fmt: skip
    return {str(i): np.asarray(value) for i, value in enumerate(model.get_weights())}


class Stopping(keras.callbacks.Callback):
    def __init__(self, after):
        super().__init__()
        self.after = after

    def on_epoch_end(self, epoch, logs=None):
        self.model.stop_training = epoch + 1 >= self.after


class Failing(keras.callbacks.Callback):
    def __init__(self, epoch, error):
        super().__init__()
        self.epoch, self.error, self.now = epoch, error, 0

    def on_epoch_begin(self, epoch, logs=None):
        self.now = epoch + 1

    def on_train_batch_begin(self, batch, logs=None):
        if self.now == self.epoch and batch == 3:
            raise self.error


stopping, failing = Stopping, Failing
