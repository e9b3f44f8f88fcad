"""Where the values of several layers come together: as a pass has shown it, or as far as the layers' inputs tell.

A layer's inputs are all layers whose values reach it with no other between: in a network of residual blocks the k-th block
is reached by all before it, since sums pass their values on. A pass may have shown where they are added; of a trace that
does not hold this, the sets of inputs lie within one another, from which it can be told that several meet, but not how.
Either way what lies within a larger sum, or within a larger concatenation, is drawn as its part: a chain, and no bundle.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from graphlib import TopologicalSorter

from nissl.core.layer import Layer

MEET = "meet"
"""The kind of a junction of which nothing is known but that several meet there."""
GROWING = ("add", "concatenate", MEET)
"""Kinds of which several in a row are one of more."""


@dataclass(frozen=True, eq=False)
class Joint:
    """A junction by what it does with what; there are no two of the same."""

    kind: str
    parts: "tuple[Source, ...]"


Source = str | Joint
Parts = dict[Joint, list[Source]]


@dataclass(frozen=True)
class Meeting:
    """A junction as it is drawn."""

    joint: Joint
    sources: tuple[Source, ...]
    """Names of layers, and junctions before this one."""
    before: str
    """The first layer that it reaches."""


@dataclass(frozen=True)
class Wiring:
    """What feeds each layer directly: layers, and junctions; all in order of use."""

    meetings: tuple[Meeting, ...]
    into: Mapping[str, tuple[Source, ...]]


def wiring(layers: Sequence[Layer]) -> Wiring:
    """Of layers in order of use; what comes back from later ones is left out, since it is no way downwards."""
    place = {layer.name: number for number, layer in enumerate(layers)}
    into = _told(layers) if any(layer.takes for layer in layers) else _inferred(layers, place)
    made = _factored(_joints(source for found in into.values() for source in found))
    order = list(TopologicalSorter({joint: _joints(parts) for joint, parts in made.items()}).static_order())
    first: dict[Joint, int] = {}
    for layer in reversed(layers):
        first |= dict.fromkeys(_joints(into[layer.name]), place[layer.name])
    for joint in reversed(order):
        for part in _joints(made[joint]):
            first[part] = min(first.get(part, first[joint]), first[joint])
    order.sort(key=first.__getitem__)
    return Wiring(tuple(Meeting(joint, tuple(made[joint]), layers[first[joint]].name) for joint in order), into)


def _joints(sources: Iterable[Source]) -> list[Joint]:
    return list(dict.fromkeys(one for one in sources if isinstance(one, Joint)))


@dataclass
class _Known:
    """The junctions so far."""

    _held: dict[tuple[str, frozenset[Source]], Joint] = field(default_factory=dict)

    def joint(self, kind: str, sources: Iterable[Source]) -> tuple[Source, ...]:
        """Several of these are one of more; where only one arrives there is none."""
        parts = dict.fromkeys(
            part
            for one in sources
            for part in (one.parts if isinstance(one, Joint) and one.kind == kind in GROWING else (one,))
        )
        if len(parts) < 2:
            return tuple(parts)
        return (self._held.setdefault((kind, frozenset(parts)), Joint(kind, tuple(parts))),)


def _told(layers: Sequence[Layer]) -> dict[str, tuple[Source, ...]]:
    """As a pass has shown it; what was not recorded is passed over."""
    joints, known = _Known(), dict[str, tuple[Source, ...]]()
    found: dict[str, tuple[Source, ...]] = {}
    for layer in layers:
        for junction in layer.junctions:
            sources = [one for name in junction.sources for one in known.get(name, ())]
            known[junction.name] = joints.joint(junction.kind, sources)
        ways = [
            tuple(dict.fromkeys(one for name in names for one in known.get(name, ())))
            for names in (layer.takes, layer.inputs)
        ]
        found[layer.name] = ways[_ends(ways[0]) != set(ways[1])]  # a junction may have been lost: it is no way then
        known[layer.name] = (layer.name,)
    return found


def _ends(sources: Iterable[Source]) -> set[str]:
    """The layers behind these."""
    ahead, seen, ends = list(sources), set[Source](), set[str]()
    while ahead:
        one = ahead.pop()
        if isinstance(one, str):
            ends.add(one)
        elif one not in seen:
            seen.add(one)
            ahead += one.parts
    return ends


def _inferred(layers: Sequence[Layer], place: Mapping[str, int]) -> dict[str, tuple[Source, ...]]:
    """Several meet where the same ones reach more than one layer, or these together with others."""
    joints = _Known()
    inputs = {
        layer.name: sorted({one for one in layer.inputs if place.get(one, number) < number}, key=lambda one: place[one])
        for number, layer in enumerate(layers)
    }
    every = {name: joints.joint(MEET, found) for name, found in inputs.items()}
    made = _factored(_joints(one for found in every.values() for one in found))
    counts = Counter(one for found in every.values() for one in found)
    shared = {part for parts in made.values() for part in _joints(parts)}
    met = {joint for joint in made if counts[joint] > 1 or joint in shared or _joints(made[joint])}
    return {name: found if met.issuperset(_joints(found)) else tuple(inputs[name]) for name, found in every.items()}


def _factored(asked: Iterable[Joint]) -> Parts:
    """Of these and of what they are made of: the largest others of the same kind that lie within each, and what remains."""
    every = dict.fromkeys(asked)
    ahead = list(every)
    while ahead:
        fresh = [one for one in _joints(ahead.pop().parts) if one not in every]
        every |= dict.fromkeys(fresh)
        ahead += fresh
    made: Parts = {}
    for kind in dict.fromkeys(joint.kind for joint in every):
        alike = [joint for joint in every if joint.kind == kind]
        made |= _within(alike) if kind in GROWING else {joint: list(joint.parts) for joint in alike}
    return made


def _within(alike: Iterable[Joint]) -> Parts:
    """From small to large; what was taken out of one is not looked for again."""
    known = sorted(alike, key=lambda joint: len(joint.parts))
    sets, sizes = [frozenset(joint.parts) for joint in known], [len(joint.parts) for joint in known]
    made: Parts = {}
    for joint in known:
        rest, parts = dict.fromkeys(joint.parts), list[Source]()
        at = bisect_right(sizes, len(rest) - 1) - 1
        while at >= 0 and len(rest) > 1:
            if sets[at] <= rest.keys():
                parts.append(known[at])
                rest = dict.fromkeys(one for one in rest if one not in sets[at])
                at = min(at, bisect_right(sizes, len(rest)))
            at -= 1
        made[joint] = [*parts, *rest]
    return made
