"""A network of Keras 2 made anew in Keras 3: each layer from its configuration, its weights copied, its outputs compared."""

import inspect
from dataclasses import dataclass, field
from typing import Any

import keras
import numpy as np
import tensorflow
import tf_keras

from nissl.adapters._keras.values import to_numpy
from nissl.errors import BadValue, Unsupported, listing

CLOSE = 1e-5
"""How far an output may be away, in units of the largest value of its layer (or of one)."""
RENAMED = {"LeakyReLU": {"alpha": "negative_slope"}}
_EVERY = {"name", "trainable", "dtype", "activity_regularizer"}


@dataclass
class Ported:
    """The twin, which of its layers is which of the original's, and how near their outputs are."""

    model: Any
    pairs: list[tuple[Any, Any]] = field(default_factory=list)
    """(the original's layer, the twin's)."""
    distance: float = 0.0

    def copy_weights(self) -> None:
        """From the model to its twin, where they differ."""
        for old, new in self.pairs:
            now = old.get_weights()
            if not all(np.array_equal(a, b) for a, b in zip(now, weights(new), strict=True)):
                new.set_weights(now)

    def copy_back(self) -> None:
        for old, new in self.pairs:
            old.set_weights(weights(new))


def weights(layer: Any) -> list[Any]:
    """Of a layer of Keras 3, on any back end."""
    return [to_numpy(weight.value) for weight in layer.weights]


def ported(model: Any) -> Ported:
    """The network itself: outputs that lie on the way to the last one are compared, and left out of the twin."""
    if not getattr(model, "_is_graph_network", False):
        raise Unsupported(
            f"{type(model).__name__} is a model whose layers are called by Python code of its own, which cannot be made anew "
            "in Keras 3. Functional and Sequential models can; or run it as it is and hand over arrays (nissl.Arrays)."
        )
    pairs: list[tuple[Any, Any]] = []
    known = _walked(model, pairs)
    inputs = [known[id(tensor)] for tensor in model.inputs]
    outputs = [known[id(tensor)] for tensor in model.outputs]
    on_the_way = all(_leads_to(tensor, model.outputs[-1]) for tensor in model.outputs[:-1])
    kept = outputs[-1] if on_the_way else outputs
    name = model.name.replace("/", "_")
    twin = keras.Model(inputs[0] if len(inputs) == 1 else inputs, kept, name=name)
    found = Ported(twin, pairs)
    found.copy_weights()
    found.distance = _compared(model, keras.Model(inputs, [t for t in outputs if not _among(t, inputs)]))
    return found


def _walked(model: Any, pairs: list[tuple[Any, Any]]) -> dict[int, Any]:
    """The twin's tensor for each of the model's, by calling the new layers as the old ones were called."""
    made: dict[int, Any] = {}
    known: dict[int, Any] = {}
    for depth in sorted(model._nodes_by_depth, reverse=True):
        for node in model._nodes_by_depth[depth]:
            old = node.layer
            if node.is_input:
                shape = old.get_config().get("batch_input_shape", old.get_config().get("batch_shape"))
                given = keras.Input(batch_shape=tuple(shape), dtype=old.dtype, name=old.name.replace("/", "_"))
                known[id(node.outputs)] = given
                continue
            if id(old) not in made:
                made[id(old)] = _layer(old, pairs)
            args, kwargs = tensorflow.nest.map_structure(
                lambda value: known.get(id(value), value), (node.call_args, node.call_kwargs)
            )
            kwargs.pop("training", None)
            new = tensorflow.nest.flatten(made[id(old)](*args, **kwargs))
            for theirs, ours in zip(tensorflow.nest.flatten(node.outputs), new, strict=True):
                known[id(theirs)] = ours
    return known


def _layer(old: Any, pairs: list[tuple[Any, Any]]) -> Any:
    if isinstance(old, tf_keras.Model):
        inner = ported(old)
        pairs.extend(inner.pairs)
        return inner.model
    name = type(old).__name__
    kind = getattr(keras.layers, name, None)
    if (
        kind is None
        or name in ("Lambda", "TFOpLambda", "SlicingOpLambda")
        or not type(old).__module__.startswith("tf_keras.")
    ):
        raise Unsupported(
            f"The layer {old.name} is a {name}, which is code that Keras 3 does not have: it cannot be made anew there. Run "
            "the model as it is, and hand over arrays (nissl.Arrays)."
        )
    new = kind(**_accepted(kind, old))
    pairs.append((old, new))
    return new


def _accepted(kind: Any, old: Any) -> dict[str, Any]:
    """Of the old configuration what the new layer takes; how weights began does not matter any more."""
    config = old.get_config()
    for before, now in RENAMED.get(kind.__name__, {}).items():
        config[now] = config.pop(before)
    takes = set(inspect.signature(kind.__init__).parameters) | _EVERY
    kept = {key: value for key, value in config.items() if key in takes and not key.endswith("_initializer")}
    kept |= {"name": old.name.replace("/", "_"), "dtype": old._dtype_policy.name}
    if "axis" in kept and not isinstance(kept["axis"], int):
        axes = [int(axis) for axis in kept["axis"]]
        kept["axis"] = axes[0] if len(axes) == 1 else axes
    if "layer" in kept:  # Bidirectional, TimeDistributed
        kept["layer"] = _wrapped(old.layer if hasattr(old, "layer") else old.forward_layer)
        kept.pop("backward_layer", None)
    return kept


def _wrapped(old: Any) -> Any:
    kind = getattr(keras.layers, type(old).__name__)
    return kind(**_accepted(kind, old))


def _leads_to(tensor: Any, last: Any) -> bool:
    """Does the way to the last output go through this tensor?"""
    waiting, seen = [last], set()
    while waiting:
        one = waiting.pop()
        if one is tensor:
            return True
        if id(one) not in seen:
            seen.add(id(one))
            waiting += tensorflow.nest.flatten(one.node.keras_inputs)
    return False


def _among(tensor: Any, others: list[Any]) -> bool:
    return any(tensor is other for other in others)


def _compared(model: Any, twin: Any) -> float:
    """The largest distance between what both make of the same random input; more than a rounding error is refused."""
    given = [_random(tensor, model) for tensor in model.inputs]
    theirs = tensorflow.nest.flatten(model(given[0] if len(given) == 1 else given, training=False))
    asked = [i for i, t in enumerate(model.outputs) if not _among(t, model.inputs)]
    ours = twin(given, training=False)
    worst = 0.0
    for i, mine in zip(asked, ours if isinstance(ours, list | tuple) else [ours], strict=True):
        wanted, found = theirs[i].numpy(), to_numpy(mine)
        distance = float(np.abs(wanted - found).max(initial=0) / max(1.0, np.abs(wanted).max(initial=0)))
        name = model.output_names[i]
        if not distance <= CLOSE:
            same = listing(sorted({type(layer).__name__ for layer in model.layers}))
            raise Unsupported(
                f"The twin in Keras 3 does not say the same as the model: at its output {name} they are {distance:.1e} apart. "
                f"One of its kinds of layers means something else there: {same}."
            )
        worst = max(worst, distance)
    return worst


def _random(tensor: Any, model: Any) -> Any:
    """Three examples; whole numbers that every embedding knows, where there are embeddings."""
    random = np.random.default_rng(0)
    shape = (tensor.shape[0] or 3, *(n or 5 for n in tensor.shape[1:]))
    words = [layer.input_dim for layer in model._flatten_layers() if type(layer).__name__ == "Embedding"]
    if words:
        return random.integers(0, min(words), shape).astype(tensor.dtype.as_numpy_dtype)
    return random.random(shape).astype(tensor.dtype.as_numpy_dtype)


def check_input(model: Any, x: Any) -> None:
    """TensorFlow ends the whole process where an input has another rank than a convolution was made for."""
    given = list(x.values()) if isinstance(x, dict) else list(x) if isinstance(x, tuple | list) else [x]
    if len(given) != len(model.inputs):
        raise BadValue(f"This model takes {len(model.inputs)} inputs; {len(given)} were given.")
    for tensor, value in zip(model.inputs, given, strict=True):
        wanted, have = tuple(tensor.shape), tuple(np.shape(value))
        fits = len(wanted) == len(have) and all(w in (None, h) for w, h in zip(wanted, have, strict=True))
        if not fits:
            shown = ", ".join("any" if n is None else str(n) for n in wanted)
            raise BadValue(
                f"The model's input {tensor.name} has the shape ({shown}); an array of shape {have} was given."
            )
