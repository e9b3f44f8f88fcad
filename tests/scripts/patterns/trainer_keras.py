import hashlib

import keras
import numpy as np

keras.utils.set_random_seed(0)
x = np.random.default_rng(0).normal(size=(64, 6)).astype("float32")
y = (x.sum(1) > 0).astype("int64")
model = keras.Sequential(
    [keras.Input((6,)), keras.layers.Dense(8, activation="relu", name="hidden"), keras.layers.Dense(2, name="out")]
)
model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
model.fit(x, y, epochs=2, batch_size=16, verbose=0)
print(hashlib.sha256(b"".join(w.tobytes() for w in model.get_weights())).hexdigest())
