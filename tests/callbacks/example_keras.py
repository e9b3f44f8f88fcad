"""A small training by Keras."""

import keras
import numpy as np

numbers = ("val_loss", "loss", "accuracy")


def data():
    x = np.random.default_rng(1).standard_normal((48, 5), dtype=np.float32)
    return x, np.arange(48) % 3


def probe():
    x, y = data()
    return x[:8], y[:8]


def network():
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((5,)),
            layers.Dense(8, "relu", name="hidden"),
            layers.Dropout(0.2, seed=1),
            layers.Dense(3, "softmax", name="out"),
        ],
        name="net",
    )
    model.compile(keras.optimizers.Adam(0.01), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def fit(callbacks, epochs, folder, *, resume=False):
    keras.utils.set_random_seed(0)
    folder.mkdir(parents=True, exist_ok=True)
    done = max((int(path.stem) for path in folder.glob("*.keras")), default=0) if resume else 0
    model = keras.models.load_model(folder / f"{done}.keras") if done else network()
    saving = keras.callbacks.ModelCheckpoint(str(folder / "{epoch}.keras"))
    model.fit(
        *data(), batch_size=8, epochs=epochs, initial_epoch=done, validation_data=data(), verbose=0,
        callbacks=[*callbacks, saving],
    )  # fmt: skip
    return {variable.path: np.asarray(variable.numpy()) for variable in model.weights}


class Stopping(keras.callbacks.Callback):
    def __init__(self, after):
        super().__init__()
        self.after = after

    def on_epoch_end(self, epoch, logs=None):
        if epoch + 1 >= self.after:
            self.model.stop_training = True


class Failing(keras.callbacks.Callback):
    def __init__(self, epoch, error):
        super().__init__()
        self.at, self.error, self.epoch = epoch - 1, error, 0

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        if (self.epoch, batch) == (self.at, 3):
            raise self.error


stopping, failing = Stopping, Failing
