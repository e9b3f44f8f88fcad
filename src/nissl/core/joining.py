"""Junctions while a pass shows them: an adapter says what is done with what, and learns what that is called."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from zlib import crc32

from nissl.core.layer import Junction, Layer

KINDS = {
    "sub": "subtract", "mul": "multiply", "div": "divide", "cat": "concatenate", "concat": "concatenate", "dot": "matrix product",
    "dot general": "matrix product", "matmul": "matrix product", "mat mul": "matrix product", "bmm": "matrix product",
    "mm": "matrix product", "add any": "add", "sum": "add",
}  # fmt: skip
"""Several frameworks' words for the same; other kinds go by their own."""


Origin = tuple[tuple[str, ...], tuple[str, ...]]
"""The layers that something comes from, and the same with junctions in the place of what meets in them."""


def words(name: str) -> str:
    """`MatMul` is mat mul, as kinds are written."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).lower()


@dataclass
class Joining:
    """Of one pass."""

    _junctions: dict[str, Junction] = field(default_factory=dict)
    _layers: dict[str, frozenset[str]] = field(default_factory=dict)
    """By junction: the layers that meet there, be it through other junctions."""
    _told: set[str] = field(default_factory=set)

    def meet(self, kind: str, sources: Iterable[str]) -> tuple[str, ...]:
        """What goes on: nothing, the only one of these that arrives, or a junction of them all."""
        found = tuple(dict.fromkeys(sources))
        if len(found) < 2:
            return found
        kind = KINDS.get(kind, kind)
        name = f"{kind} {crc32(repr(sorted(found)).encode()):08x}"  # the same in every pass, and no layer's
        if name not in self._junctions:
            self._junctions[name] = Junction(name, kind, found)
            self._layers[name] = self._behind(found)
        return (name,)

    def _behind(self, names: Iterable[str]) -> frozenset[str]:
        return frozenset(one for name in names for one in self._layers.get(name, (name,)))

    def told(self, layer: Layer, takes: Iterable[str]) -> Layer:
        """The layer with its junctions, where these lead to its inputs and no others; to be asked in order of use."""
        takes = tuple(dict.fromkeys(takes))
        if takes == layer.inputs or self._behind(takes) != set(layer.inputs) or self._layers.keys().isdisjoint(takes):
            return replace(layer, takes=(), junctions=())
        fresh, ahead = set[str](), list(takes)
        while ahead:
            name = ahead.pop()
            if name in self._junctions and name not in self._told and name not in fresh:
                fresh.add(name)
                ahead += self._junctions[name].sources
        self._told |= fresh
        return replace(
            layer, takes=takes, junctions=tuple(one for name, one in self._junctions.items() if name in fresh)
        )


def among(layers: Iterable[Layer], names: Iterable[str]) -> Iterator[Layer]:
    """Those of these names and their later calls, each with the junctions that led to what is left out before it."""
    chosen, junctions = set(names), tuple[Junction, ...]()
    for layer in layers:
        junctions += layer.junctions
        if layer.name.split("#")[0] in chosen:
            yield replace(layer, junctions=junctions)
            junctions = ()
