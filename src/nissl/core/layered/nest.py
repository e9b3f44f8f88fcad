"""Blocks within blocks: each is laid out by itself and then stands in the block around it as one box."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import log, sqrt

from nissl.core.layered.level import BETWEEN, Drawing, Level, Link, Point, Thing

HEADER, EDGE = 30.0, 14.0
"""Room for a block's name above what is in it, and beside and below it."""
LEAST, TRIES = 1600.0, (0.75, 1.0, 1.3, 1.7)
"""Up to this height nothing is wrapped; beyond, it is tried at these shares of the root of the area of all boxes."""
ASPECT, MATTERS = 1.8, 0.5
"""How much wider than high it should be, as a screen is, and how much that matters beside the room that it takes."""

Size = tuple[float, float]
Box = tuple[float, float, float, float]


@dataclass
class Arranged:
    """Where everything is: boxes by number, (x, y, width, height), and each edge's points from the top."""

    boxes: dict[int, Box] = field(default_factory=dict)
    routes: dict[tuple[int, int], list[Point]] = field(default_factory=dict)
    width: float = 0.0
    height: float = 0.0


@dataclass
class _Block:
    """A block's own level, and at which place of it each thing and each border crossing is."""

    level: Level
    place: dict[int, int]
    enters: dict[int, int]
    leaves: dict[int, int]
    corner: Point = (0.0, 0.0)
    """Of the level, once it is known."""
    size: Size = (0.0, 0.0)


def arranged(
    sizes: Mapping[int, Size], parents: Mapping[int, int | None], edges: Sequence[tuple[int, int]]
) -> Arranged:
    """Numbers rise with the order of execution, a block's before its contents'; a block's size is the room that its name takes."""
    root = sqrt(sum(w * (h + BETWEEN) for w, h in sizes.values()))
    nest = _Nest(sizes, parents, edges)
    tried = [nest.done(limit) for limit in sorted({max(LEAST, root * share) for share in TRIES})]
    return min(tried, key=_cost)


def _cost(found: Arranged) -> float:
    return log(found.width * found.height) + MATTERS * abs(log(found.width / found.height / ASPECT))


class _Nest:
    def __init__(self, sizes: Mapping[int, Size], parents: Mapping[int, int | None], edges: Sequence[tuple[int, int]]):
        self.sizes, self.parents, self.edges = sizes, parents, edges
        self.inside: dict[int | None, list[int]] = {None: []}
        for one in sorted(sizes):
            self.inside.setdefault(parents[one], []).append(one)
        self.links: dict[int | None, dict[tuple[int, object, object], None]] = {}
        self.blocks: dict[int | None, _Block] = {}
        self.ways = {edge: self._way(*edge) for edge in edges}
        self._drawn: dict[int | None, tuple[list[Thing], Drawing]] = {}

    def done(self, limit: float) -> Arranged:
        for one in [*sorted((n for n in self.inside if n is not None), reverse=True), None]:
            self.blocks[one] = self._block(one, limit)
        found = Arranged(width=self.blocks[None].level.width, height=self.blocks[None].level.height)
        for one in sorted(self.sizes):
            self._stand(one, found)
        for edge, way in self.ways.items():
            found.routes[edge] = self._points(edge[0], way)
        return found

    def _around(self, one: int) -> list[int | None]:
        """The blocks around, from the nearest."""
        found: list[int | None] = []
        at: int | None = one
        while at is not None:
            at = self.parents[at]
            found.append(at)
        return found

    def _way(self, source: int, target: int) -> list[tuple[int | None, object, object]]:
        """Through which levels an edge passes, from what to what; None is a level's border."""
        up, down = self._around(source), self._around(target)
        shared = next(block for block in up if block in down)
        way: list[tuple[int | None, object, object]] = []
        at: int = source
        for block in up[: up.index(shared)]:
            way.append((block, at, None))
            assert block is not None
            at = block
        below: list[tuple[int | None, object, object]] = []
        to = target
        for block in down[: down.index(shared)]:
            below.append((block, None, to))
            assert block is not None
            to = block
        way += [(shared, at, to), *reversed(below)]
        for block, tail, head in way:
            self.links.setdefault(block, {})[source, tail, head] = None
        return way

    def _block(self, one: int | None, limit: float) -> _Block:
        """Its level: what enters, what is in it, what leaves."""
        links = list(self.links.get(one, {}))
        members = self.inside[one]
        enters = dict.fromkeys(source for source, tail, _ in links if tail is None)
        leaves = dict.fromkeys(source for source, _, head in links if head is None)
        things = (
            [Thing(first=True) for _ in enters] + [self._thing(m) for m in members] + [Thing(last=True) for _ in leaves]
        )
        first = {source: place for place, source in enumerate(enters)}
        place = {m: len(first) + n for n, m in enumerate(members)}
        last = {source: len(first) + len(members) + n for n, source in enumerate(leaves)}
        joined = [
            Link(source, first[source] if tail is None else place[tail], last[source] if head is None else place[head])  # type: ignore[index]
            for source, tail, head in links
        ]
        if one not in self._drawn or self._drawn[one][0] != things:  # what is in it was not wrapped in another way
            self._drawn[one] = things, Drawing(things, joined)
        made = self._drawn[one][1].done(limit)
        block = _Block(made, place, first, last)
        if one is not None:
            block.size = max(made.width + 2 * EDGE, self.sizes[one][0]), HEADER + made.height + EDGE
        return block

    def _thing(self, one: int) -> Thing:
        if one not in self.inside:
            return Thing(*self.sizes[one])
        block = self.blocks[one]
        width, height = block.size
        left = (width - block.level.width) / 2
        arrives = {s: left + block.level.corners[at][0] - width / 2 for s, at in block.enters.items()}
        leaves = {s: left + block.level.corners[at][0] - width / 2 for s, at in block.leaves.items()}
        return Thing(width, height, arrives, leaves)

    def _stand(self, one: int, found: Arranged) -> None:
        around = self.blocks[self.parents[one]]
        x, y = around.level.corners[around.place[one]]
        x, y = x + around.corner[0], y + around.corner[1]
        width, height = self.blocks[one].size if one in self.inside else self.sizes[one]
        found.boxes[one] = (x, y, width, height)
        if one in self.inside:
            block = self.blocks[one]
            block.corner = x + (width - block.level.width) / 2, y + HEADER

    def _points(self, source: int, way: Iterable[tuple[int | None, object, object]]) -> list[Point]:
        points: list[Point] = []
        for one, tail, head in way:
            block = self.blocks[one]
            start = block.enters[source] if tail is None else block.place[tail]  # type: ignore[index]
            end = block.leaves[source] if head is None else block.place[head]  # type: ignore[index]
            dx, dy = block.corner
            part = [(x + dx, y + dy) for x, y in block.level.routes[Link(source, start, end)]]
            if tail is None:
                part.insert(0, (part[0][0], dy - HEADER))
            if head is None:
                part.append((part[-1][0], dy - HEADER + block.size[1]))
            points += part if not points or part[0] != points[-1] else part[1:]
        return points
