"""The map of a model: its layers by path, and whose copy a module of a traced program is."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from nissl.adapters._jax.kinds import Dialect, Kind
from nissl.core.joining import Joining, Origin
from nissl.core.layer import Layer


@dataclass(eq=False)
class Place:
    """A computing module's call."""

    layer: Layer
    path: str
    kind: Kind
    norm: str | None = None
    """The norm over the same units that its value goes through."""
    bend: str | None = None
    """The nonlinearity that its value goes through, after the norm if there is one."""

    def follow(self, norm: str | None = None, bend: str | None = None, mixed: str | None = None) -> None:
        """What a pass has shown of it."""
        self.norm, self.bend = norm, bend
        remarks = [f"heard after {norm}"] if norm else []
        remarks += [f"heard before its {mixed}"] if mixed else []
        self.layer = replace(self.layer, nonlinearity=bend, remark="; ".join(remarks) or None)


class Atlas:
    """Made once; a pass adds the later calls of modules that it calls several times, and the order of use."""

    def __init__(self, model: Any, dialect: Dialect, *, leaves: bool):
        self.dialect = dialect
        self.signatures: dict[str, tuple[Any, ...]] = {}
        self.types: set[type] = set()
        self._places: dict[str, Place] = {}
        for path, module in dialect.walk(model):
            self.signatures[path] = dialect.signature(module)
            self.types.add(type(module))
            kind = dialect.kind(module) or (self._leaf(module) if leaves else None)
            if kind is not None:
                self._places[name_of(path, module)] = self._place(path, module, kind)
        self.computing = {place.path: place for place in self._places.values()}
        self._order: dict[str, None] = {}

    def _leaf(self, module: Any) -> Kind | None:
        inside = next(self.dialect.children(module), None)
        return None if inside is not None or not callable(module) else Kind("other", None)

    def _place(self, path: str, module: Any, kind: Kind) -> Place:
        shapes = {
            key: tuple(form.unit_first(_hollow(self.dialect.get(module, form.path))).shape)
            for key, form in kind.forms.items()
        }
        layer = Layer(
            name_of(path, module), kind.name, kind.units, kind.unit_axis, unit=kind.unit, parameters=shapes
        )  # fmt: skip
        return Place(layer, path, kind)

    @property
    def places(self) -> list[Place]:
        """In order of use as far as a pass has shown it."""
        used = [self._places[name] for name in self._order if name in self._places]
        return used + [place for name, place in self._places.items() if name not in self._order]

    def called(self, path: str, call: int) -> Place:
        """The place of a module's call of a pass, counted from 0."""
        first = self.computing[path]
        name = first.layer.name if not call else f"{first.layer.name}#{call + 1}"
        if name not in self._places:
            self._places[name] = replace(first, layer=replace(first.layer, name=name))
        self._order.setdefault(name)
        return self._places[name]

    def learn(self, before: Mapping[str, Origin], behind: Mapping[str, str], joining: Joining) -> None:
        """What the program of a pass shows: the layers before each, and nonlinearities that nobody can hear behind."""
        for name, (inputs, takes) in before.items():
            place = self._places[name]
            remark = place.layer.remark
            if name in behind and not place.bend:
                remark = f"heard before a nonlinearity that is no known function's ({behind[name]})"
            place.layer = joining.told(replace(place.layer, inputs=inputs, remark=remark), takes)

    def find(self, module: Any, inside: str) -> str | None:
        """Which of the modules inside a path this is a copy of, where just one can be meant."""
        signature = self.dialect.signature(module)
        within = f"{inside}." if inside else ""
        found = [p for p, known in self.signatures.items() if known == signature and p.startswith(within)]
        return found[0] if len(found) == 1 else None


def _hollow(array: Any) -> Any:
    """An array of the same shape that takes no memory, to be turned unit first."""
    return np.broadcast_to(np.zeros((), np.int8), array.shape)


def name_of(path: str, module: Any) -> str:
    """A layer's name: its path, or what it is where it is the whole model."""
    return path or type(module).__name__.lower()
