"""Keras 2 (tf_keras), in which TensorFlow's SavedModels of Keras are read: seen through a twin in Keras 3."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar, Self

import tf_keras

from nissl import plugins
from nissl.adapters._tf_keras.porting import check_input, ported
from nissl.core.capabilities import Differentiable, Editable
from nissl.core.layer import Layer
from nissl.core.network import Array, Network, OnValue
from nissl.core.sums import Accumulator
from nissl.errors import BadValue, DamagedData, MissingData


class TfKeras(Network, Editable, Differentiable):
    """A functional or Sequential model of tf_keras; what is heard and changed is its twin in Keras 3, of equal outputs.

    The model's weights are copied whenever the twin is asked, so that a probe shows a training of yours epoch by epoch;
    its single steps are not heard. A `change` is seen by `run`, `forward` and the probe, not by the model's own calls.
    """

    framework: ClassVar[str] = "tf_keras"
    steps_heard: ClassVar[bool] = False

    def __init__(self, model: Any, *, functional: bool = False, leaves: bool = False):
        super().__init__(model, functional=functional, leaves=leaves)
        self.twin = ported(model)
        self._inner: Any = plugins.load("adapters", "keras")(self.twin.model, functional=functional, leaves=leaves)

    @classmethod
    def saved(cls, folder: str | Path, *, leaves: bool = False) -> Self:
        """The network in a SavedModel."""
        if not (Path(folder) / "saved_model.pb").exists():
            raise MissingData(f"{folder} is no SavedModel: it has no saved_model.pb.")
        try:
            model = tf_keras.models.load_model(str(folder), compile=False)
        except (ValueError, OSError, KeyError) as error:
            raise DamagedData(f"{folder} cannot be read by tf_keras: {error}") from error
        if not isinstance(model, tf_keras.Model):
            raise DamagedData(
                f"{folder} holds no Keras model but a {type(model).__name__}, which has no layers to port."
            )
        return cls(model, leaves=leaves)

    def save(self, file: str | Path) -> None:
        """The twin as a file of Keras 3's; nothing is overwritten."""
        if Path(file).suffix != ".keras":
            raise BadValue(f"{file}: Keras 3 keeps models in files that end in .keras.")
        if Path(file).exists():
            raise BadValue(f"{file} is there already: delete it, or choose another name.")
        self._current.twin.model.save(file)

    @property
    def _current(self) -> Self:
        self.twin.copy_weights()
        return self

    @classmethod
    def accepts(cls, model: Any) -> bool:
        return isinstance(model, tf_keras.Model)

    @property
    def layers(self) -> tuple[Layer, ...]:
        found: tuple[Layer, ...] = self._inner.layers
        return found

    def watch(
        self, on_value: OnValue, layers: str | Sequence[str], *, place: str = "activation", passes: str = "all"
    ) -> Any:
        return self._inner.watch(on_value, layers, place=place, passes=passes)

    def watch_outputs(self, on_value: OnValue, *, passes: str = "all") -> Any:
        return self._inner.watch_outputs(on_value, passes=passes)

    @contextmanager
    def evaluating(self) -> Iterator[None]:
        self.twin.copy_weights()
        with self._inner.evaluating():
            yield

    def run(self, x: Any) -> Any:
        check_input(self.model, x)
        return self._inner.run(x)

    def forward(self, x: Any) -> Array:
        check_input(self.model, x)
        return self._current._inner.forward(x)

    def weights(self, layer: str) -> dict[str, Array]:
        return self._current._inner.weights(layer)

    def edit(self, layer: str, parameters: Mapping[str, Array]) -> None:
        """Also in the user's model."""
        self._current._inner.edit(layer, parameters)
        self.twin.copy_back()

    def change(self, layer: str, units: Sequence[int] | None = None, to: Any = 0.0) -> Any:
        return self._inner.change(layer, units, to)

    def gradient(self, x: Any, target: Any, at: str | Sequence[str] = "input", of: str | None = None) -> Any:
        check_input(self.model, x)
        return self._current._inner.gradient(x, target, at, of)

    def renew(self, model: Any) -> None:
        """Go on with another checkpoint of the same model."""
        fresh = ported(model)
        if [w.shape for w in model.get_weights()] != [w.shape for w in self.model.get_weights()]:
            raise BadValue("This is no checkpoint of the same model: its weights have other shapes.")
        self.twin.pairs = [(old, new) for (old, _), (_, new) in zip(fresh.pairs, self.twin.pairs, strict=True)]
        self.model = model

    def to_numpy(self, value: Any) -> Array:
        return self._inner.to_numpy(value)

    def keep(self, value: Any) -> Any:
        return self._inner.keep(value)

    def like(self, array: Array, value: Any) -> Any:
        return self._inner.like(array, value)

    def groups(self, labels: Any) -> Any:
        return self._inner.groups(labels)

    def accumulator(self, layer: Layer, *, classes: int = 0, sketch: int = 0) -> Accumulator:
        made: Accumulator = self._inner.accumulator(layer, classes=classes, sketch=sketch)
        return made

    def settle(self) -> None:
        self._inner.settle()

    def unheard_reason(self) -> str:
        return "A tf_keras model is heard through its twin in Keras 3: by network.run(x), and by the recorder's probe."
