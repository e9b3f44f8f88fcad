"""The map of a Keras model: its layers by name, and what has been seen of them in passes."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import keras

from nissl.adapters._keras import kinds, parameters
from nissl.core.joining import Joining
from nissl.core.layer import Layer

_OWN = re.compile(
    r"_(functional|layers|tracker|metrics|loss_tracker|compile_.*|inbound_nodes|outbound_nodes|optimizer)$"
)


@dataclass
class Place:
    """A call of a computing layer in a pass, and which layers' outputs end it."""

    name: str
    module: Any
    layer: Layer
    followers: tuple[Any, ...] | None = None
    """The norm and the nonlinearity that end it, once a pass has shown them; None: not known yet."""
    mixed: str | None = None
    """The layer's own activation function, where that mixes the units: it is heard before."""

    bent: bool = False
    """Does the layer apply a nonlinearity itself?"""


Passed = tuple[Place, tuple[Any, ...], tuple[str, ...], tuple[str, ...], int | None]


class Atlas:
    """Found by walking, in order of definition, until a pass shows the order of use, late calls and what follows what."""

    def __init__(self, model: Any, *, leaves: bool = False):
        self.model, self._leaves = model, leaves
        self._places: dict[str, Place] = {}
        self.modules: dict[int, tuple[str, Any]] = {}
        """Every layer inside, and the model, by identity: its role and itself."""
        self.bends: list[Any] = []
        """Nodes of a graph that are nonlinearities and no layers."""
        self._names: dict[int, str] = {}
        self.learned = False
        self._walked = -1
        self.walk()

    def walk(self) -> None:
        """Look again where layers may have been made since: a model that is built by its first call."""
        found = list(inside(self.model, "", {id(self.model)}))
        if len(found) == self._walked:
            return
        self._walked = len(found)
        self.modules = {id(self.model): (kinds.OTHER, self.model)}
        if isinstance(self.model, kinds.KNOWN):
            found = [("", self.model, True)]
        graphs = (self.model, *(module for _, module, _ in found))
        self.bends = [node for graph in graphs for node in _bends(graph)]
        for name, module, leaf in found:
            role = kinds.role(module, leaf)
            if self._leaves and leaf:
                role = kinds.COMPUTES
            self.modules[id(module)] = role, module
            if role == kinds.COMPUTES:
                self._names[id(module)] = name or module.name
                self._add(name or module.name, module)

    def _add(self, name: str, module: Any) -> None:
        if name in self._places:
            return
        mine = None if self._leaves and not isinstance(module, kinds.KNOWN) else kinds.own_function(module)
        mixed = mine if kinds.mixes(mine) else None
        kind = kinds.kind(module)
        layer = Layer(
            name, kind.name, kind.units, kind.unit_axis, unit=kind.unit, parameters=parameters.shapes(module),
            nonlinearity=None if mixed or mine is None else kinds.NAMES.get(mine, mine),
            remark=f"heard before its {mixed}" if mixed else None,
        )  # fmt: skip
        followers: tuple[Any, ...] | None = () if self._leaves or mine is not None else None
        self._places[name] = Place(name, module, layer, followers, mixed, mine is not None)

    @property
    def layers(self) -> tuple[Layer, ...]:
        """As they are now: a layer that is not built has neither units nor parameters."""
        for place in self._places.values():
            if not place.layer.parameters and place.module.built:
                units = kinds.kind(place.module).units or place.layer.units
                place.layer = replace(place.layer, units=units, parameters=parameters.shapes(place.module))
        return tuple(place.layer for place in self._places.values())

    def role(self, module: Any) -> str:
        if any(node is module for node in self.bends):
            return kinds.BENDS
        return self.modules[id(module)][0] if id(module) in self.modules else kinds.OTHER

    def place(self, name: str) -> Place:
        return self._places[name]

    def called(self, module: Any, call: int) -> Place:
        """The place of this call of a layer, its first or a later one."""
        base = self._names[id(module)]
        name = base if call == 1 else f"{base}#{call}"
        if name not in self._places:
            first = self._places[base]
            self._places[name] = replace(first, name=name, layer=replace(first.layer, name=name, inputs=()))
            if first.followers is not None and not first.bent:
                self._places[name].followers = None
        return self._places[name]

    def learn(self, passed: list[Passed], joining: Joining) -> None:
        """What a pass has shown: places in order, what ended each, what it was made from (twice), and how many units came."""
        order: dict[str, Place] = {}
        for place, followers, inputs, takes, units in passed:
            order[place.name] = place
            if not place.bent and not self._leaves:
                place.followers = followers
                place.layer = _ended(place.layer, followers)
            known = place.layer.units if place.layer.units is not None else units
            place.layer = joining.told(replace(place.layer, inputs=inputs, units=known), takes)
        self._places = order | {name: place for name, place in self._places.items() if name not in order}
        self.learned = True


def _ended(layer: Layer, followers: tuple[Any, ...]) -> Layer:
    bends = [kinds.nonlinearity(f) for f in followers if not isinstance(f, kinds.UNIT_NORMS)]
    norms = [type(f).__name__ for f in followers if isinstance(f, kinds.UNIT_NORMS)]
    remark = f"heard after {' and '.join(norms)}" if norms else None
    return replace(layer, nonlinearity=bends[-1] if bends else None, remark=remark)


def inside(module: Any, path: str, seen: set[int]) -> Iterator[tuple[str, Any, bool]]:
    """Every layer inside with its path, parents first, and whether it is a leaf."""
    for name, child in _children(module):
        if id(child) in seen or isinstance(child, keras.layers.InputLayer):
            continue
        seen.add(id(child))
        full = f"{path}.{name}" if path else name
        leaf = isinstance(child, kinds.KNOWN) or next(_children(child), None) is None
        yield full, child, leaf
        if not leaf:
            yield from inside(child, full, seen)


def _bends(graph: Any) -> Iterator[Any]:
    """Nonlinearities that are nodes of a functional model without being layers (`keras.ops.relu(x)` of a keras.Input)."""
    for node in graph.operations if _functional(graph) else ():
        if not isinstance(node, keras.layers.Layer) and kinds.operation(node) in kinds.NAMES:
            yield node


def _children(module: Any) -> Iterator[tuple[str, Any]]:
    """Layers of a Sequential or functional model by their own names, others by the attributes that hold them."""
    if isinstance(module, keras.Sequential) or _functional(module):
        yield from _named(module.layers)
        return
    held: dict[int, tuple[str, Any]] = {}
    for name, value in _attributes(module):
        for inner, child in _layers(value, name):
            held.setdefault(id(child), (inner, child))
    made = list(getattr(module, "_layers", None) or ())  # in order of definition
    yield from sorted(held.values(), key=lambda one: _position(made, one[1]))
    yield from _named([child for child in made if id(child) not in held])


def _position(made: list[Any], child: Any) -> int:
    return next((i for i, one in enumerate(made) if one is child), len(made))


def _functional(module: Any) -> bool:
    """A model made of a graph; a subclass that also holds layers in attributes is named by the graph all the same."""
    return isinstance(module, keras.Model) and hasattr(module, "_operations_by_depth")


def _attributes(module: Any) -> Iterator[tuple[str, Any]]:
    every = [*vars(module).items(), *(vars(module).get("_modules") or {}).items()]  # torch keeps them there
    for name, value in sorted(
        every, key=lambda one: one[0].startswith("_")
    ):  # what a user names goes before a book-keeper's
        if not _OWN.match(name) and name != "_modules":
            yield name, value


def _layers(value: Any, path: str, depth: int = 0) -> Iterator[tuple[str, Any]]:
    if isinstance(value, keras.layers.Layer):
        yield path, value
    elif isinstance(value, list | tuple | dict) and depth < 4:
        for key, member in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _layers(member, f"{path}.{key}", depth + 1)


def _named(found: list[Any]) -> Iterator[tuple[str, Any]]:
    """By their own names; those that Keras counted through the process are counted anew, in this model alone."""
    counted = {id(layer): _counted(layer) for layer in found}
    taken = {layer.name for layer in found if counted[id(layer)] is None}
    for layer in found:
        base, number = counted[id(layer)], 0
        name = base or layer.name
        while base is not None and name in taken:
            number += 1
            name = f"{base}_{number}"
        taken.add(name)
        yield name, layer


def _counted(layer: Any) -> str | None:
    """`dense` for a Dense that Keras called `dense_7`; None for a name that somebody gave."""
    base = re.sub(r"_\d+$", "", layer.name)
    return base if base.replace("_", "") == type(layer).__name__.lower() else None
