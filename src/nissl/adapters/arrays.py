"""Networks of which there are only arrays: activations that any framework handed over, or that lie in a folder."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from nissl.core.layer import Layer
from nissl.core.network import Array, Network, OnValue, checked_passes, checked_place
from nissl.errors import BadValue, MissingData, NotHeard, UnknownName, Unsupported, listing, near

ACTIVATION, GRADIENT = ".act.npy", ".grad.npy"


class Arrays(Network):
    """Layers by name: an array of activations (example first), or how many units it will have, or a `Layer`.

    A folder of `LAYER.act.npy` files (and, where there are any, `LAYER.grad.npy` and `labels.npy`) is read as it is
    needed. What another framework computes in a loop of the user's is handed over with `hear`.
    """

    framework: ClassVar[str] = "arrays"

    def __init__(
        self,
        layers: Mapping[str, Any] | str | Path,
        *,
        gradients: Mapping[str, Any] | None = None,
        outputs: Any = None,
        labels: Any = None,
        unit_axis: Mapping[str, int] | None = None,
        functional: bool = False,
        leaves: bool = False,
    ):
        """`unit_axis`: which axis of a layer's arrays counts its units; -1, the last, where nothing is said."""
        super().__init__(layers, functional=functional, leaves=leaves)
        if isinstance(layers, str | Path):
            layers, gradients, labels = _folder(Path(layers))
        if not layers:
            raise BadValue("A network of arrays needs at least one layer: {name: array or number of units}.")
        axes = dict(unit_axis or {})
        self._known(axes, layers)
        self._layers = tuple(_layer(name, given, axes.get(name, -1)) for name, given in layers.items())
        self._stored = {name: array for name, array in layers.items() if _is_array(array)}
        self._gradients, self.labels = dict(gradients or {}), labels
        self._known(self._gradients, layers)
        self._outputs = outputs if outputs is not None else self._stored.get(self._layers[-1].name)
        self._check_examples()
        self._watches: list[tuple[str, frozenset[str], OnValue, bool]] = []
        self._training = True

    @classmethod
    def accepts(cls, model: Any) -> bool:
        if isinstance(model, str | Path):
            return any(Path(model).glob(f"*{ACTIVATION}"))
        return isinstance(model, Mapping) and bool(model) and all(_is_array(array) for array in model.values())

    @property
    def layers(self) -> tuple[Layer, ...]:
        return self._layers

    def hear(
        self,
        activations: Mapping[str, Any],
        gradients: Mapping[str, Any] | None = None,
        *,
        outputs: Any = None,
        training: bool = True,
    ) -> None:
        """Hand over what one pass computed; `training=False` says that it was an evaluation."""
        values = {"activation": activations, "gradient": gradients or {}}
        for given in values.values():
            self._known(given, [layer.name for layer in self._layers])
        for name, value in ((n, v) for given in values.values() for n, v in given.items()):
            self._fits(name, np.shape(value))
        for place, names, on_value, only_training in list(self._watches):
            if only_training and not training:
                continue
            if place == "outputs" and outputs is not None:
                on_value("", np.asarray(outputs))
            for name, value in values.get(place, {}).items():
                if name in names:
                    on_value(name, np.asarray(value))

    @contextmanager
    def watch(
        self, on_value: OnValue, layers: str | Sequence[str], *, place: str = "activation", passes: str = "all"
    ) -> Iterator[None]:
        if checked_place(place) == "preactivation":
            raise Unsupported("Arrays are heard as they are handed over: give pre-activations as a layer of their own.")
        with self._watching(place, frozenset(self.select(layers)), on_value, passes):
            yield

    @contextmanager
    def watch_outputs(self, on_value: OnValue, *, passes: str = "all") -> Iterator[None]:
        with self._watching("outputs", frozenset(), on_value, passes):
            yield

    @contextmanager
    def _watching(self, place: str, names: frozenset[str], on_value: OnValue, passes: str) -> Iterator[None]:
        entry = (place, names, on_value, checked_passes(passes))
        self._watches.append(entry)
        try:
            yield
        finally:
            self._watches.remove(entry)

    @contextmanager
    def evaluating(self) -> Iterator[None]:
        before, self._training = self._training, False
        try:
            yield
        finally:
            self._training = before

    def run(self, x: Any = None) -> Any:
        """Play the stored arrays of these examples (indices; None: all) to whoever watches; returns their outputs."""
        if not self._stored:
            raise Unsupported(
                "This network has no arrays of its own to play: it hears what is given to `hear`. To probe it, make it of "
                "the arrays of the probe: Arrays({layer: array})."
            )
        rows = self._rows(x)
        outputs = None if self._outputs is None else np.asarray(self._outputs[rows])
        played = {name: np.asarray(array[rows]) for name, array in self._stored.items()}
        self.hear(
            played,
            {n: np.asarray(g[rows]) for n, g in self._gradients.items()},
            outputs=outputs,
            training=self._training,
        )
        return outputs

    def _rows(self, x: Any) -> Any:
        if x is None:
            return slice(None)
        rows = np.asarray(x)
        if rows.ndim != 1 or rows.dtype.kind not in "iu":
            raise BadValue(
                "The input of a network of arrays is the indices of stored examples, such as np.arange(100); this has the "
                f"shape {rows.shape} and type {rows.dtype}."
            )
        return rows

    def forward(self, x: Any = None) -> Array:
        with self.evaluating():
            watches, self._watches = self._watches, []
            try:
                outputs = self.run(x)
            finally:
                self._watches = watches
        if outputs is None:
            raise NotHeard("No outputs were given to this network of arrays: Arrays(..., outputs=array).")
        return np.array(outputs)

    def weights(self, layer: str) -> dict[str, Array]:
        self.layer(layer)
        return {}

    def to_numpy(self, value: Any) -> Array:
        return np.asarray(value)

    def unheard_reason(self) -> str:
        return "Does the loop call `hear` with these layers, and training=True, inside the recorder's `with`?"

    def _known(self, given: Mapping[str, Any], layers: Any) -> None:
        for name in given:
            if name not in layers:
                raise UnknownName(f"There is no layer {name!r}.{near(name, layers)} The layers are: {listing(layers)}.")

    def _fits(self, name: str, shape: tuple[int, ...]) -> None:
        layer = self.layer(name)
        if not -len(shape) <= layer.unit_axis < len(shape) or layer.units not in (None, shape[layer.unit_axis]):
            raise BadValue(
                f"{name} has {layer.units} units on axis {layer.unit_axis}; an array of shape {shape} was given. Say which "
                f'axis counts the units: Arrays(..., unit_axis={{"{name}": 1}}).'
            )

    def _check_examples(self) -> None:
        arrays = {**self._stored, **{f"{n} (gradients)": g for n, g in self._gradients.items()}}
        arrays |= {} if self.labels is None else {"labels": self.labels}
        lengths = {name: len(array) for name, array in arrays.items()}
        if len(set(lengths.values())) > 1:
            raise BadValue(f"Every array must have the same examples, example first; there are {lengths}.")


def _is_array(given: Any) -> bool:
    return hasattr(given, "shape") and hasattr(given, "__array__") and len(given.shape) > 0


def _layer(name: str, given: Any, axis: int) -> Layer:
    if isinstance(given, Layer):
        return given
    if isinstance(given, int | np.integer):
        return Layer(name, "other", int(given), axis)
    if not _is_array(given):
        raise BadValue(f"{name}: an array, a number of units or a Layer, not {type(given).__name__}.")
    shape = tuple(given.shape)
    if len(shape) < 2 or not -len(shape) <= axis < len(shape) or axis % len(shape) == 0:
        raise BadValue(f"{name}: an array of shape {shape} has no axis {axis} of units beside its examples.")
    rest = tuple(n for i, n in enumerate(shape) if i not in (0, axis % len(shape)))
    return Layer(name, "other", shape[axis], axis, unit_shape=rest)


def _folder(folder: Path) -> tuple[dict[str, Any], dict[str, Any], Any]:
    """Layers, gradients and labels of a folder, mapped into memory."""
    found = {
        ending: {
            file.name.removesuffix(ending): np.load(file, mmap_mode="r") for file in sorted(folder.glob(f"*{ending}"))
        }
        for ending in (ACTIVATION, GRADIENT)
    }
    if not found[ACTIVATION]:
        raise MissingData(f"{folder} has no LAYER{ACTIVATION}; a network of arrays is one such file for each layer.")
    labels = folder / "labels.npy"
    return found[ACTIVATION], found[GRADIENT], np.load(labels) if labels.exists() else None
