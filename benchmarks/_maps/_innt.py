"""iNNtrospect's first three steps as it does them, in the framework that it is made for, from a folder of batches to averages.

In words of our own, and with one thing mended so that both find the same numbers: channels stay where they are when examples are
aligned. Batches are read from files; activations and gradients of the predicted class at the input and at every layer, flattened
ones too, are written; these are aligned example by example into further files; all of them are averaged, group by group.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np

BATCH = 128
Arrays = dict[str, np.ndarray]


def corpus(x: np.ndarray, y: np.ndarray, folder: Path) -> None:
    """Batches of one group each, channels last, and the table that says whose they are."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for group in np.unique(y):
        some = x[y == group].transpose(0, 2, 3, 1)
        for start in range(0, len(some), BATCH):
            rows.append(f"batch{len(rows):04d}.npy,{group}")
            np.save(folder / rows[-1].split(",")[0], np.ascontiguousarray(some[start : start + BATCH]))
    (folder / "corpus.csv").write_text("\n".join(rows) + "\n")


def twin(weights: list[np.ndarray]) -> Any:
    """The torch network's twin, which gives the input and what each layer says."""
    import tf_keras as keras

    first = value = keras.Input((28, 28, 1))
    outputs, made = [first], []
    if weights[0].ndim == 2:
        value = keras.layers.Flatten()(value)
        made.append(keras.layers.Dense(128, "relu"))
    else:
        made += [keras.layers.Conv2D(128, 3, 2, activation="relu") for _ in range(2)]
    for layer in made:
        value = layer(value)
        outputs.append(value)
    if len(made) > 1:
        value = keras.layers.Flatten()(value)
        outputs.append(value)
    made.append(keras.layers.Dense(10))
    outputs.append(made[-1](value))
    model = keras.Model(first, outputs)
    for layer, weight, bias in zip(made, weights[::2], weights[1::2], strict=True):
        if weight.ndim == 4:
            turned = weight.transpose(2, 3, 1, 0)
        elif weight.shape[1] == 4608:
            turned = weight.reshape(10, 128, 6, 6).transpose(2, 3, 1, 0).reshape(4608, 10)
        else:
            turned = weight.T
        layer.set_weights([turned, bias])
    return model


def profiles(model: Any, data: Path, out: Path, aligned: bool) -> list[np.ndarray]:
    """Each layer's averages, (group, *shape), without the last layer's, which have no gradients."""
    table = np.loadtxt(data / "corpus.csv", dtype=str, delimiter=",")
    groups: dict[str, list[str]] = {
        str(name): [str(file) for file, of in table if of == name] for name in np.unique(table[:, 1])
    }
    layers = len(model.outputs)
    for place in [f"acts/{k}" for k in range(layers)] + [f"grads/{k}" for k in range(layers - 1)]:
        (out / place).mkdir(parents=True, exist_ok=True)
    (out / "groups.json").write_text(json.dumps(groups))
    for file, _ in table:
        values, slopes = heard(model, np.load(data / file))
        for k, value in enumerate(values):
            np.save(out / f"acts/{k}" / file, value)
        for k, slope in enumerate(slopes):
            np.save(out / f"grads/{k}" / file, slope)
    sources = [align(out, k, [file for file, _ in table]) if aligned else out / f"acts/{k}" for k in range(layers - 1)]
    for files in groups.values():  # how large the groups are is read off the input
        sum(len(np.load(out / "acts/0" / file)) for file in files)
    return [np.array([averaged(source, files) for files in groups.values()]) for source in sources]


def heard(model: Any, batch: np.ndarray) -> tuple[Any, Any]:
    """All layers' values, and the gradients of each example's predicted class at all but the last."""
    import tensorflow as tf

    given = tf.convert_to_tensor(batch)
    with tf.GradientTape() as tape:
        tape.watch(given)
        values = model(given)
        outputs = values[-1]
        predicted = np.argmax(outputs, 1)
        [one[k].numpy() for one, k in zip(outputs, predicted, strict=True)]  # theirs reads these, and leaves them
        slopes = tape.gradient(outputs, values[:-1], output_gradients=tf.one_hot(predicted, outputs.shape[-1]))
    return values, slopes


def align(out: Path, layer: int, files: list[str]) -> Path:
    """Files of one layer, aligned: padded with zeros, and cropped around the most salient place; plain ones where there is none."""
    into = out / f"aligned/{layer}"
    into.mkdir(parents=True)
    for file in files:
        values, slopes = np.load(out / f"acts/{layer}" / file), np.load(out / f"grads/{layer}" / file)
        if values.ndim <= 2:
            return out / f"acts/{layer}"
        found, maps = np.zeros_like(values), np.abs(slopes).mean(-1)
        for i, (value, salience) in enumerate(zip(values, maps, strict=True)):
            if salience.min() == salience.max():
                found[i] = value
                continue
            peak = np.array(np.unravel_index(np.argmax(salience), salience.shape))
            steps = [*(peak - np.array(salience.shape) // 2), 0]
            wide = np.pad(value, tuple((np.max((-step, 0)), np.max((step, 0))) for step in steps))
            found[i] = wide[
                tuple(
                    slice(np.max((step, 0)), size - np.max((-step, 0)))
                    for step, size in zip(steps, wide.shape, strict=True)
                )
            ]
        np.save(into / file, found)
    return into


def averaged(source: Path, files: list[str]) -> np.ndarray:
    """One group's."""
    batches = [(len(batch), batch.mean(0)) for batch in (np.load(source / file) for file in files)]
    whole = sum(count for count, _ in batches)
    total = np.zeros_like(batches[0][1])
    for count, mean in batches:
        total = total + mean * (count / whole)
    return total
