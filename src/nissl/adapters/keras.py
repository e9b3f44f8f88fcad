"""Keras 3, on the back ends tensorflow, torch and jax."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, ClassVar, Self

import keras
import numpy as np
from keras import ops, tree

from nissl.adapters._host import sums
from nissl.adapters._keras import parameters, targets, values
from nissl.adapters._keras.atlas import Atlas
from nissl.adapters._keras.changes import Replacing
from nissl.adapters._keras.charting import charted
from nissl.adapters._keras.hearing import Hearing, Listener
from nissl.core.capabilities import Charted, Differentiable, Editable, Labelling, Ruled, Ruling
from nissl.core.graph import Graph, checked_kind
from nissl.core.layer import Layer
from nissl.core.network import Array, Network, OnValue, checked_passes, checked_place
from nissl.core.sums import Accumulator
from nissl.errors import BadValue, DamagedData, NotHeard, Unsupported, listing


class Keras(Network, Editable, Differentiable, Labelling, Ruled, Charted):
    """Any Keras 3 model or layer: Sequential, functional or subclassed, in `fit` or in a loop of one's own."""

    framework: ClassVar[str] = "keras"
    rank: ClassVar[int] = 1

    def __init__(self, model: Any, *, functional: bool = False, leaves: bool = False):
        super().__init__(model, functional=functional, leaves=leaves)
        self._atlas = Atlas(model, leaves=leaves)
        self._hearing = Hearing(self._atlas)

    @classmethod
    def accepts(cls, model: Any) -> bool:
        return isinstance(model, keras.layers.Layer)

    @classmethod
    def saved(cls, file: str | Path, *, leaves: bool = False) -> Self:
        """The network in a file of Keras'."""
        try:
            return cls(keras.models.load_model(str(file), compile=False), leaves=leaves)
        except (ValueError, OSError, KeyError, TypeError) as error:
            raise DamagedData(f"{file} can't be read by Keras {keras.__version__}: {error}") from error

    @property
    def layers(self) -> tuple[Layer, ...]:
        self._atlas.walk()
        return self._atlas.layers

    def watch(
        self, on_value: OnValue, layers: str | Sequence[str], *, place: str = "activation", passes: str = "all"
    ) -> Any:
        if not self.layers and not self.model.built:
            raise NotHeard("This model has no layers yet: call it once, or build it, so that they come to be.")
        self.select(layers)
        patterns = [layers] if isinstance(layers, str) else list(layers)
        return self._hearing.listening(Listener(on_value, patterns, checked_place(place), checked_passes(passes)))

    def watch_outputs(self, on_value: OnValue, *, passes: str = "all") -> Any:
        return self._hearing.listening(Listener(on_value, (), "output", checked_passes(passes)))

    def watch_labels(self, on_labels: Callable[[Any], None]) -> Any:
        return self._hearing.listening(Listener(on_labels, (), "labels", True))

    @contextmanager
    def evaluating(self) -> Iterator[None]:
        self._synced()
        self._hearing.evaluating += 1
        try:
            with self._hearing.backend.still():
                yield
        finally:
            self._hearing.evaluating -= 1

    def run(self, x: Any) -> Any:
        """In evaluation nothing is assigned: not a moving average, not the seed of a dropout."""
        if not self._hearing.evaluating:
            return self.model(_native(x))
        given = {"training": False} if self.model._call_has_training_arg else {}
        if not all(layer.built for _, layer in self._atlas.modules.values()):
            self.model(_native(x), **given)  # makes what is not there yet
        with keras.StatelessScope():
            return self.model(_native(x), **given)

    def forward(self, x: Any) -> Array:
        with self.evaluating():
            return np.array(self.to_numpy(self.run(x)))

    def weights(self, layer: str) -> dict[str, Array]:
        self.layer(layer)
        self._synced()
        return parameters.weights(self._atlas.place(layer).module)

    def edit(self, layer: str, parameters_: Mapping[str, Array]) -> None:
        self.layer(layer)
        self._synced()
        parameters.edit(self._atlas.place(layer).module, layer, parameters_)

    def _synced(self) -> None:
        """On jax a running `fit` holds the variables' values by itself until it is asked for them."""
        if hasattr(self.model, "jax_state_sync"):
            self.model.jax_state_sync()

    def to_numpy(self, value: Any) -> Array:
        return values.to_numpy(value)

    def keep(self, value: Any) -> Any:
        given = values.first(value) if isinstance(value, list | tuple | dict) else value
        return np.array(given) if isinstance(given, np.ndarray | np.generic) else self._hearing.backend.copied(given)

    def like(self, array: Array, value: Any) -> Any:
        return keras.ops.convert_to_tensor(array, keras.backend.standardize_dtype(value.dtype))

    def groups(self, labels: Any) -> Any:
        if keras.backend.backend() == "torch":
            from nissl.adapters._torch.groups import groups_of

            return groups_of(labels)
        return self.to_numpy(labels)

    def accumulator(self, layer: Layer, *, classes: int = 0, sketch: int = 0) -> Accumulator:
        if keras.backend.backend() == "torch":
            from nissl.adapters._torch.sums import TorchAccumulator

            return TorchAccumulator(layer.unit_axis, layer.batch_axis, classes, sketch)
        return sums.accumulator(self.to_numpy, layer.unit_axis, layer.batch_axis, classes, sketch)

    def settle(self) -> None:
        self._hearing.settle()

    def change(self, layer: str, units: Sequence[int] | None = None, to: Any = 0.0) -> Any:
        return self._hearing.changing(Replacing(self.layer(layer), units, to))

    def gradient(self, x: Any, target: Any, at: str | Sequence[str] = "input", of: str | None = None) -> Any:
        names = [at] if isinstance(at, str) else list(at)
        known = {layer.name for layer in self.layers}
        wanted = [name for name in names if name in known or name != "input"]
        for name in [*wanted, *([] if of is None else [of])]:
            if not self._atlas.learned and "#" in name:
                self.forward(x)  # late calls show in a pass
            self.layer(name)
        inputs, native = [], _native(x)
        leaves = tree.flatten(native)
        floats = [i for i, leaf in enumerate(leaves) if keras.backend.is_float_dtype(leaf.dtype)]
        inputs = [leaves[i] for i in floats]

        def score(given: list[Any], catch: Callable[[str, Any], Any]) -> Any:
            filled = list(leaves)
            for i, leaf in zip(floats, given, strict=True):
                filled[i] = leaf
            self._hearing.catch = kept = targets.Kept(catch, of)
            try:
                output = self.run(tree.pack_sequence_as(native, filled))
                return targets.score(*((output, target) if of is None else (kept.value, target, self.layer(of))))
            finally:
                self._hearing.catch = None

        with self._hearing.differentiating():
            of_inputs, of_layers = self._hearing.backend.gradients(score, inputs, wanted, self._hearing.rule)
        silent = [name for name in wanted if name not in of_layers]
        if silent:
            raise NotHeard(f"These layers did not run on this input, so that they have no gradient: {listing(silent)}.")
        at_leaves: list[Any] = [None] * len(leaves)
        for i, gradient in zip(floats, of_inputs, strict=True):
            at_leaves[i] = gradient
        found = [of_layers[n] if n in wanted else tree.pack_sequence_as(native, at_leaves) for n in names]
        return found[0] if isinstance(at, str) else dict(zip(names, found, strict=True))

    def ruled(self, rule: str, **how: Any) -> AbstractContextManager[Ruling]:
        """On torch, whose graphs show every ReLU; the rules of relevance are not known here."""
        name = keras.backend.backend()
        if name != "torch" or rule not in ("guided", "deconvnet"):
            raise Unsupported(
                f"Keras on {name} knows no {rule} gradients: guided and deconvnet ones are known on torch (KERAS_BACKEND=torch). "
                "Methods of plain gradients: gradient, integrated_gradients, smooth_grad, grad_cam."
            )
        from nissl.adapters._torch.ruling import ruled

        return ruled(self._hearing, rule, **how)

    def chart(self, x: Any, kind: str) -> Graph:
        checked_kind("Keras", kind, ["modules"])
        if x is not None and not all(layer.built for layer in self.model._flatten_layers()):
            self.forward(x)  # makes what is not there yet
        return charted(self.model, None if x is None else _native(x))

    def unheard_reason(self) -> str:
        return (
            "Does `fit`, or a loop that calls this model with training=True, run inside the recorder's `with`? A step that "
            "you compiled yourself (tf.function, jax.jit) before keeps its old graph: compile it inside the `with`."
        )


def _native(x: Any) -> Any:
    """Arrays as the back end's tensors; a tuple or dict of them as a model with several inputs takes it."""
    if isinstance(x, Mapping):
        return {name: _native(value) for name, value in x.items()}
    if isinstance(x, list | tuple) and x and (values.is_tensor(x[0]) or isinstance(x[0], np.ndarray)):
        return [_native(value) for value in x]
    try:
        return x if values.is_tensor(x) else ops.convert_to_tensor(np.asarray(x) if hasattr(x, "__array__") else x)
    except (TypeError, ValueError) as error:
        raise BadValue(f"A Keras model takes arrays, or a list or dict of them, not {type(x).__name__}.") from error
