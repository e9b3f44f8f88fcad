"""A Keras model as nodes and edges: its calls on shapes alone, which every back end knows; nothing of the model is run or changed."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import keras
from keras import tree

from nissl.adapters._keras import kinds, values
from nissl.adapters._keras.atlas import inside
from nissl.adapters._keras.steps import known_inputs
from nissl.core.draft import Draft, Shape
from nissl.core.graph import Graph
from nissl.errors import BadValue, Unsupported


def charted(model: Any, x: Any) -> Graph:
    """Layers, and Keras' functions between them. A layer that calls a back end's own functions can't be looked into: it is one node."""
    x = known_inputs(model) if x is None else x
    if x is None:
        raise BadValue("It is not known what this model takes: give x, an example or a batch of it.")
    given = tree.map_structure(_shape_of, x)
    closed: set[int] = set()
    while True:
        try:
            return _Charting(model, closed).done(given)
        except _Closed as found:
            if found.layer is model or id(found.layer) in closed:
                raise Unsupported(
                    f"{type(model).__name__} calls functions that take the back end's own values, which can't be followed: "
                    f"{found.__cause__}. Write them with keras.ops, or inside layers of their own."
                ) from found
            closed.add(id(found.layer))


class _Closed(BaseException):  # no Exception, of which Keras makes others on their way
    """A layer whose inside can't be seen."""

    def __init__(self, layer: Any):
        super().__init__()
        self.layer = layer


class _Charting:
    def __init__(self, model: Any, closed: set[int]):
        self._model = model
        found = list(inside(model, "", {id(model)}))
        self._paths = {id(layer): path for path, layer, _ in found}
        self._leaves = {id(layer) for _, layer, leaf in found if leaf} | closed
        if isinstance(model, kinds.KNOWN):
            self._leaves.add(id(model))
        self._draft, self._made, self._held = Draft(), dict[int, int](), list[Any]()
        self._deep = False

    def done(self, given: Any) -> Graph:
        for path, tensor in _named(given, "input"):
            self._own(tensor, self._draft.add(path, "input", "input", _shape(tensor)))
        how = {"training": False} if self._model._call_has_training_arg else {}
        with self._followed():
            out = self._model(given, **how)
        for path, tensor in _named(out, "output"):
            self._draft.add(path, "output", "output", _shape(tensor), 0, self._sources(tensor))
        return self._draft.graph(type(self._model).__name__, "modules", _params(self._model))

    @contextmanager
    def _followed(self) -> Iterator[None]:
        """Every call on shapes is told, of layers and of functions; the books that Keras keeps of calls are put back."""
        chart, kinds_ = self, (keras.Operation, keras.layers.Layer)
        before = [kind.symbolic_call for kind in kinds_]
        books = [book for one in self._every() for book in (one._inbound_nodes, one._outbound_nodes)]
        lengths = [len(book) for book in books]

        def symbolic_call(operation: Any, *args: Any, **kwargs: Any) -> Any:
            return chart.through(operation, args, kwargs)

        try:
            for kind in kinds_:
                kind.symbolic_call = symbolic_call
            yield
        finally:
            for kind, call in zip(kinds_, before, strict=True):
                kind.symbolic_call = call
            for book, length in zip(books, lengths, strict=True):
                del book[length:]

    def _every(self) -> Iterator[Any]:
        """Whatever of the model keeps a book of its calls."""
        layers = self._model._flatten_layers()
        found = [*layers, *(node for layer in layers for node in getattr(layer, "operations", ()))]
        yield from {id(one): one for one in found}.values()

    def through(self, operation: Any, args: Any, kwargs: Any) -> Any:
        if self._deep:
            return operation.compute_output_spec(*args, **kwargs)
        sources = self._sources((args, kwargs))
        if not isinstance(operation, keras.layers.Layer):
            out = self._shapes(operation, args, kwargs)
            name, node = kinds.operation(operation), None
            if name == "convert_to_tensor" and sources:  # which Keras calls on whatever it is given
                self._own(out, sources[0])
            else:
                node = self._draft.function(name, _shape(out), 0, sources)
        elif id(operation) in self._leaves:
            out = self._shapes(operation, args, kwargs)
            path, kind = self._path(operation), type(operation).__name__
            node = self._draft.add(path, kind, "module", _shape(out), _params(operation), sources)
        else:
            out, node = self._inside(operation, args, kwargs, sources)
        if node is not None:
            self._own(out, node)
        return out

    def _inside(self, layer: Any, args: Any, kwargs: Any, sources: list[int]) -> tuple[Any, int | None]:
        if layer is not self._model:
            self._draft.enter(self._path(layer), type(layer).__name__)
        try:
            out = layer.call(*args, **kwargs)
        except Exception as error:
            raise _Closed(layer) from error
        return out, None if layer is self._model else self._draft.leave(_shape(out), _params(layer), sources)

    def _shapes(self, operation: Any, args: Any, kwargs: Any) -> Any:
        """What comes out, each tensor an object of its own."""
        self._deep = True
        try:
            out = operation.compute_output_spec(*args, **kwargs)
        finally:
            self._deep = False
        taken = {id(leaf) for leaf in tree.flatten((args, kwargs))}
        return tree.map_structure(lambda t: keras.KerasTensor(t.shape, t.dtype) if id(t) in taken else t, out)

    def _path(self, layer: Any) -> str:
        return self._draft.named(self._paths.get(id(layer), layer.name))

    def _sources(self, value: Any) -> list[int]:
        return [self._made[id(leaf)] for leaf in tree.flatten(value) if id(leaf) in self._made]

    def _own(self, value: Any, node: int) -> None:
        for leaf in tree.flatten(value):
            self._held.append(leaf)  # so that no other takes its place
            self._made[id(leaf)] = node


def _shape_of(value: Any) -> Any:
    return keras.KerasTensor(tuple(value.shape), keras.backend.standardize_dtype(value.dtype))


def _shape(value: Any) -> Shape:
    first = values.first(value) if isinstance(value, list | tuple | dict) else value
    return tuple(first.shape) if isinstance(first, keras.KerasTensor) else None


def _params(layer: Any) -> int:
    """All that was made to be learned, frozen or not."""
    found = {id(v): v for one in layer._flatten_layers() for v in one._trainable_variables}
    return sum(math.prod(variable.shape) for variable in found.values())


def _named(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Every tensor in a value with where it is."""
    if isinstance(value, dict):
        parts: Any = value.items()
    elif isinstance(value, list | tuple):
        parts = [(None, value[0])] if len(value) == 1 else enumerate(value)
    else:
        yield path, value
        return
    for key, part in parts:
        yield from _named(part, path if key is None else f"{path}.{key}")
