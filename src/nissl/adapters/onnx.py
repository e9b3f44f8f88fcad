"""ONNX graphs, run by onnxruntime."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np

from nissl.core.capabilities import Charted, Editable, Exportable
from nissl.core.graph import Graph, checked_kind
from nissl.core.layer import Layer
from nissl.core.network import Array, Network, OnValue, checked_passes, checked_place
from nissl.errors import BadValue, DamagedData, Unsupported


@dataclass(frozen=True, eq=False)
class _Watch:
    on_value: OnValue
    layers: tuple[str, ...]
    place: str
    training: bool


class Onnx(Network, Editable, Charted, Exportable):
    """An `onnx.ModelProto`, as `onnx.load` returns it. What `run` computes is heard; there are no gradients.

    A layer is an operator with weights, together with the norm and the nonlinearity behind it. A model that was exported
    for a fixed number of examples is run that many at a time.
    """

    framework: ClassVar[str] = "onnx"
    trains: ClassVar[bool] = False

    def __init__(self, model: Any, *, functional: bool = False, leaves: bool = False):
        super().__init__(model, functional=functional, leaves=leaves)
        if leaves:
            raise Unsupported("leaves=True makes layers of modules; an ONNX graph has operators only.")
        self._watches: list[_Watch] = []
        self._changes: list[Any] = []
        self._training = True
        self._take(model)

    def _take(self, model: Any) -> None:
        from nissl.adapters._onnx.graph import tensors
        from nissl.adapters._onnx.inputs import ports
        from nissl.adapters._onnx.reading import layers_of
        from nissl.adapters._onnx.sessions import Sessions

        self._places = {place.layer.name: place for place in layers_of(model)}
        self._ports, self._sessions, self._tensors = ports(model), Sessions(model), tensors(model)

    @classmethod
    def accepts(cls, model: Any) -> bool:
        kind = type(model)
        if kind.__name__ == "InferenceSession" and kind.__module__.startswith("onnxruntime"):
            raise Unsupported("A session of onnxruntime holds no graph: pass onnx.load(path) of the same file.")
        onnx = sys.modules.get("onnx")
        return onnx is not None and isinstance(model, onnx.ModelProto)

    @classmethod
    def saved(cls, file: str | Path, *, leaves: bool = False) -> Self:
        """The network in a .onnx file."""
        import onnx
        from google.protobuf.message import DecodeError

        try:
            return cls(onnx.load(str(file)), leaves=leaves)
        except DecodeError as error:
            raise DamagedData(f"{file} holds no ONNX model: {error}.") from error

    @property
    def layers(self) -> tuple[Layer, ...]:
        return tuple(place.layer for place in self._places.values())

    @contextmanager
    def watch(
        self, on_value: OnValue, layers: str | Sequence[str], *, place: str = "activation", passes: str = "all"
    ) -> Iterator[None]:
        if checked_place(place) == "gradient":
            raise Unsupported("An ONNX graph gives no gradients: there is its activation and its preactivation.")
        with self._watching(_Watch(on_value, tuple(self.select(layers)), place, checked_passes(passes))):
            yield

    @contextmanager
    def watch_outputs(self, on_value: OnValue, *, passes: str = "all") -> Iterator[None]:
        with self._watching(_Watch(on_value, (), "outputs", checked_passes(passes))):
            yield

    @contextmanager
    def _watching(self, watch: _Watch) -> Iterator[None]:
        self._watches.append(watch)
        try:
            yield
        finally:
            self._watches.remove(watch)

    @contextmanager
    def evaluating(self) -> Iterator[None]:
        before, self._training = self._training, False
        try:
            yield
        finally:
            self._training = before

    def run(self, x: Any) -> Any:
        """What the model returns: an array, or a tuple where it has several outputs."""
        watches = [watch for watch in self._watches if self._training or not watch.training]
        heard = dict.fromkeys((name, watch.place) for watch in watches for name in watch.layers)
        outputs, values = self._pass(x, list(heard))
        returned = outputs[0] if len(outputs) == 1 else tuple(outputs)
        for watch in watches:
            for name in watch.layers:
                watch.on_value(name, values[name, watch.place])
            if watch.place == "outputs":
                watch.on_value("", returned)
        return returned

    def _pass(self, x: Any, heard: list[tuple[str, str]]) -> tuple[list[Any], dict[tuple[str, str], Any]]:
        """The outputs, and the values of these layers at these places, in the network's own batches."""
        from nissl.adapters._onnx import inputs

        given = inputs.feeds(self._ports, x)
        size = inputs.fixed_batch(self._ports)
        places = [self._places[name] for name, _ in heard]
        names = [p.own if where == "preactivation" else p.heard for p, (_, where) in zip(places, heard, strict=True)]
        unique, (changed, switched) = list(dict.fromkeys(names)), self._switched()
        parts = []
        for piece, real in inputs.pieces(given, size) if size else [(given, 0)]:
            made = self._sessions.run(unique, changed, {**piece, **switched})
            count = len(made) - len(unique)
            by_name = dict(zip(unique, made[count:], strict=True))
            shown = [p.shown(by_name[name]) for p, name in zip(places, names, strict=True)]
            axes = [0] * count + [p.layer.batch_axis for p in places]
            parts.append([_real(v, axis, real, size) for v, axis in zip([*made[:count], *shown], axes, strict=True)])
        whole = [_together(v, axis) for v, axis in zip(zip(*parts, strict=True), axes, strict=True)]
        return whole[:count], dict(zip(heard, whole[count:], strict=True))

    def _switched(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """The changed layers by the value that is switched, and what is fed to the switches."""
        from nissl.adapters._onnx.changes import switches
        from nissl.adapters._onnx.sessions import TO, UNITS

        changed, fed = {}, {}
        for name in dict.fromkeys(one.layer for one in self._changes):
            place = self._places[name]
            for value in (place.heard, *place.beside):
                changed[value] = place
                fed[UNITS + value], fed[TO + value] = switches(self._changes, place)
        return changed, fed

    def chart(self, x: Any, kind: str) -> Graph:
        from nissl.adapters._onnx.charting import charted
        from nissl.adapters._onnx.graph import prepared
        from nissl.adapters._onnx.inputs import feeds

        checked_kind("ONNX", kind, ["modules"])
        return charted(prepared(self.model), {} if x is None else feeds(self._ports, x))

    def export(self, file: Path, x: Any) -> None:
        import onnx

        onnx.save(self.model, str(file))

    def forward(self, x: Any) -> Array:
        with self.evaluating():
            return self.to_numpy(tuple(self._pass(x, [])[0])).copy()

    def weights(self, layer: str) -> dict[str, Array]:
        from nissl.adapters._onnx import forms

        return forms.read(self._places[self.layer(layer).name].forms, self._tensors)

    @contextmanager
    def change(self, layer: str, units: Sequence[int] | None = None, to: Any = 0.0) -> Iterator[None]:
        from nissl.adapters._onnx.changes import change

        made = change(self.layer(layer), units, to)
        self._changes.append(made)
        try:
            yield
        finally:
            self._changes.remove(made)

    def edit(self, layer: str, parameters: Mapping[str, Array]) -> None:
        from nissl.adapters._onnx import forms
        from nissl.adapters._onnx.sessions import Sessions

        place = self._places[self.layer(layer).name]
        forms.write(layer, place.forms, self._tensors, parameters)
        self._sessions = Sessions(self.model)

    def renew(self, model: Any) -> None:
        """Go on with another checkpoint of the same network: `recorder.renew(onnx.load("epoch5.onnx"))`."""
        before = self.layers
        fresh = Onnx(model)
        if [(n.name, n.units, dict(n.parameters)) for n in fresh.layers] != [
            (n.name, n.units, dict(n.parameters)) for n in before
        ]:
            raise BadValue(
                "This is no checkpoint of the same network: its layers are "
                f"{', '.join(f'{n.name} ({n.units})' for n in fresh.layers)}, not "
                f"{', '.join(f'{n.name} ({n.units})' for n in before)}."
            )
        self.model = model
        self._take(model)

    def to_numpy(self, value: Any) -> Array:
        array = np.asarray(value[0] if isinstance(value, tuple | list) else value)
        return array if array.dtype.kind in "biufc" or array.dtype.kind in "SUO" else array.astype(np.float32)

    def unheard_reason(self) -> str:
        return (
            "An ONNX network is heard through itself: make it with `network = nissl.network(onnx.load(path))`, record that, "
            "and call `network.run(x)` inside the recorder's `with`, or pass probe=(x, y); a session of your own is not heard."
        )


def _real(value: Any, axis: int, real: int, size: int | None) -> Any:
    """Without what filled up the last piece, where the model takes a fixed number of examples."""
    if not size or not isinstance(value, np.ndarray) or not value.ndim:
        return value
    return np.take(value, np.arange(value.shape[axis] * real // size), axis)


def _together(parts: Sequence[Any], axis: int) -> Any:
    if len(parts) == 1 or not isinstance(parts[0], np.ndarray) or not parts[0].ndim:
        return parts[0]
    return np.concatenate(parts, axis)
