"""The graph of the layers that a trace's header names: in blocks by their dotted names, joined as the first pass has shown."""

from collections import Counter
from collections.abc import Iterable, Sequence
from math import prod

from nissl.core.draft import Draft
from nissl.core.graph import Graph
from nissl.core.junctions import Meeting, wiring
from nissl.core.layer import Layer


def recorded(name: str, layers: Sequence[Layer]) -> Graph:
    """Layers in order of use, and before the first that it reaches each junction of several."""
    drawing = _Drawing(layers)
    wired = wiring(layers)
    for layer in layers:
        for meeting in wired.meetings:
            if meeting.before == layer.name:
                drawing.join(meeting, layer)
        drawing.add(layer, wired.into[layer.name])
    return drawing.done(name)


class _Drawing:
    def __init__(self, layers: Sequence[Layer]):
        self._layers = layers
        self._draft = Draft()
        self._blocks = _blocks(layers)
        self._taken = {layer.name for layer in layers}
        self._open: list[str] = []
        self._within = Counter[str]()
        """How many numbers are learned in each block."""
        self._numbers: dict[object, int] = {}
        self._around: dict[object, list[str]] = {}

    def add(self, layer: Layer, sources: Iterable[object]) -> None:
        self._turn([path for path in _prefixes(layer.name) if path in self._blocks])
        shape = None if layer.units is None else (layer.units, *layer.unit_shape)
        kind = f"{layer.kind} + {layer.nonlinearity}" if layer.nonlinearity else layer.kind
        params = sum(map(prod, layer.parameters.values()))
        self._within.update(dict.fromkeys(self._open, params))
        self._enter(layer.name, self._draft.add(layer.name, kind, "module", shape, params, self._known(sources)))

    def join(self, meeting: Meeting, first: Layer) -> None:
        """In the innermost block that holds all that meets, as far as it is not left yet; in none that what comes next reopens."""
        to = [path for path in _prefixes(first.name) if path in self._blocks]
        inside = self._open
        for one in meeting.sources:
            inside = _shared(inside, self._around.get(one, inside))
        self._turn(max(inside, _shared(self._open, to), key=len))
        self._enter(meeting.joint, self._draft.junction(meeting.joint.kind, self._taken, self._known(meeting.sources)))

    def _known(self, sources: Iterable[object]) -> list[int]:
        return [self._numbers[one] for one in sources if one in self._numbers]

    def _enter(self, key: object, number: int) -> None:
        self._numbers[key], self._around[key] = number, list(self._open)

    def _turn(self, around: list[str]) -> None:
        """Leave the blocks that what comes next is not in, and enter those that it is in."""
        same = len(_shared(self._open, around))
        for path in reversed(self._open[same:]):
            self._draft.leave(params=self._within[path])
        for path in around[same:]:
            self._draft.enter(self._draft.named(path), "block")
            self._within[path] = 0  # where it is opened again, the rest of it
        self._open = around

    def done(self, name: str) -> Graph:
        self._turn([])
        return self._draft.graph(
            name, "layers", sum(prod(shape) for x in self._layers for shape in x.parameters.values())
        )


def _shared(one: Sequence[str], other: Sequence[str]) -> list[str]:
    """How both begin."""
    count = next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    return list(one[:count])


def _prefixes(name: str) -> list[str]:
    words = name.split(".")
    return [".".join(words[:count]) for count in range(1, len(words))]


def _blocks(layers: Sequence[Layer]) -> set[str]:
    """Prefixes that some layers share, not all; of several that the same layers share the longest."""
    count = Counter(prefix for layer in layers for prefix in _prefixes(layer.name))
    deeper = {path.rpartition(".")[0] for path in count if count[path] == count[path.rpartition(".")[0]]}
    return {path for path, times in count.items() if 1 < times < len(layers) and path not in deeper}
