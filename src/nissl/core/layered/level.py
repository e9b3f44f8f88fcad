"""One level of a graph: things in ranks from the top, lines between them, in several columns where it would be too long."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from nissl.core.layered.across import THREAD, across
from nissl.core.layered.columns import Columns, Lanes
from nissl.core.layered.order import Order, Step
from nissl.core.layered.ranks import ranks

Point = tuple[float, float]
BETWEEN, MORE, SLOPE = 24.0, 44.0, 0.07
"""Room between ranks, and how much more of it, by how far lines go aside there."""


@dataclass(frozen=True)
class Thing:
    """A box, or where a line enters the level (`first`) or leaves it (`last`)."""

    width: float = 0.0
    height: float = 0.0
    arrives: Mapping[int, float] = field(default_factory=dict)
    """By source: how far beside the middle its line enters the box."""
    leaves: Mapping[int, float] = field(default_factory=dict)
    first: bool = False
    last: bool = False


@dataclass(frozen=True)
class Link:
    """What a source gives passes from one thing to another."""

    source: int
    tail: int
    head: int


@dataclass(frozen=True)
class Level:
    """Where all of it is, from (0, 0) to (width, height)."""

    width: float
    height: float
    corners: Sequence[Point]
    """The upper left corner of each thing."""
    routes: Mapping[Link, list[Point]]


class Drawing:
    """What stands in which rank and order, and how far to the right, whether or not it is wrapped afterwards.

    Links lead from things with smaller numbers to those with larger.
    """

    def __init__(self, things: Sequence[Thing], links: Sequence[Link]):
        self.things = things
        self.rank = _ranked(things, links)
        self.widths = [thing.width for thing in things]
        self.paths: dict[Link, list[int]] = {}
        self.steps: list[Step] = []
        self._between: dict[tuple[int, int, int], Step] = {}
        self._lay(links)
        rows: list[list[int]] = [[] for _ in range(max(self.rank) + 1)]
        for one, rank in enumerate(self.rank):
            rows[rank].append(one)
        self.rows = Order(rows, self.steps, self.widths).best()
        self.middle = across(self.rows, self.steps, self.widths)

    def _lay(self, links: Sequence[Link]) -> None:
        """Lines of one source from one thing share what passes through ranks between."""
        laid: dict[tuple[int, int], dict[int, int]] = {}
        for link in sorted(links, key=lambda one: (one.tail, self.rank[one.head], one.head, one.source)):
            chain = laid.setdefault((link.source, link.tail), {self.rank[link.tail]: link.tail})
            for rank in range(max(chain) + 1, self.rank[link.head]):
                chain[rank] = len(self.widths)
                self.widths.append(0.0)
                self.rank.append(rank)
                self._step(link.source, chain[rank - 1], chain[rank])
            self._step(link.source, chain[self.rank[link.head] - 1], link.head)
            self.paths[link] = [chain[rank] for rank in range(self.rank[link.tail], self.rank[link.head])] + [link.head]

    def _step(self, source: int, above: int, below: int) -> None:
        leaves, arrives = self._port(source, above, "leaves"), self._port(source, below, "arrives")
        step = self._between[source, above, below] = Step(above, below, source, leaves, arrives)
        self.steps.append(step)

    def _port(self, source: int, one: int, side: str) -> float:
        if one >= len(self.things):
            return 0.0
        ports: Mapping[int, float] = getattr(self.things[one], side)
        return ports.get(source, 0.0)

    def _height(self, one: int) -> float:
        return self.things[one].height if one < len(self.things) else 0.0

    def done(self, limit: float) -> Level:
        """In columns that are about as high as `limit` at most."""
        bands = [max(map(self._height, row)) for row in self.rows]
        gaps, passing = [BETWEEN] * (len(bands) - 1), [0] * (len(bands) - 1)
        for step in self.steps:
            aside = abs(self.middle[step.above] + step.leaves - self.middle[step.below] - step.arrives)
            rank = self.rank[step.above]
            gaps[rank] = max(gaps[rank], BETWEEN + min(MORE, SLOPE * aside))
            passing[rank] += 1
        spans = [self._span(row) for row in self.rows]
        columns = Columns.of(bands, gaps, passing, spans, limit)
        self._tops, self._bands, self._shift = columns.tops, bands, [columns.shifts[c] for c in columns.column]
        lanes = Lanes(columns, list(self._wraps(columns)))
        routes = {link: _plain(self._route(link, path, lanes)) for link, path in self.paths.items()}
        corners = [self._corner(one) for one in range(len(self.things))]
        return Level(columns.width, columns.height, corners, routes)

    def _span(self, row: Sequence[int]) -> tuple[float, float]:
        """From the left of the first to the right of the last, lines with the room beside them."""
        first, last = row[0], row[-1]
        return (
            self.middle[first] - max(self.widths[first], THREAD) / 2,
            self.middle[last] + max(self.widths[last], THREAD) / 2,
        )

    def _corner(self, one: int) -> Point:
        rank = self.rank[one]
        top = self._tops[rank] + (self._bands[rank] - self._height(one)) / 2
        return self._x(one) - self.widths[one] / 2, top

    def _x(self, one: int) -> float:
        return self.middle[one] + self._shift[self.rank[one]]

    def _wraps(self, columns: Columns) -> Iterator[tuple[int, Step, float]]:
        """What leads from one column to the next."""
        for step in self.steps:
            if columns.column[self.rank[step.above]] != columns.column[self.rank[step.below]]:
                yield self.rank[step.above], step, self._x(step.above) + step.leaves

    def _route(self, link: Link, path: Sequence[int], lanes: Lanes) -> list[Point]:
        points: list[Point] = []
        for place, one in enumerate(path):
            rank, x = self.rank[one], self._x(one)
            top, bottom = self._tops[rank], self._tops[rank] + self._bands[rank]
            own = self._corner(one)[1] if one < len(self.things) and self.widths[one] else None
            if place:
                step = self._between[link.source, path[place - 1], one]
                x_in = x + step.arrives
                points += lanes.between(step, points[-1][0], x_in)
                points += [(x_in, top), (x_in, bottom if own is None else own)]
            if not place or (own is not None and one != link.head):
                x_out = x + self._port(link.source, one, "leaves")
                points += [(x_out, top if own is None else own + self._height(one)), (x_out, bottom)]
        return points


def _ranked(things: Sequence[Thing], links: Sequence[Link]) -> list[int]:
    found = ranks(len(things), [(link.tail, link.head) for link in links])
    inner = [rank for rank, thing in zip(found, things, strict=True) if not (thing.first or thing.last)]
    top, bottom = min(inner, default=1) - 1, max(inner, default=0) + 1
    marked = zip(found, things, strict=True)
    found = [top if thing.first else bottom if thing.last else rank for rank, thing in marked]
    used = {rank: place for place, rank in enumerate(sorted(set(found)))}
    return [used[rank] for rank in found]


def _plain(points: Sequence[Point]) -> list[Point]:
    """Without points that change nothing."""
    kept: list[Point] = []
    for x, y in points:
        if kept and (x, y) == kept[-1]:
            continue
        if len(kept) > 1 and kept[-1][0] == kept[-2][0] == x and (y - kept[-1][1]) * (kept[-1][1] - kept[-2][1]) > 0:
            kept.pop()
        kept.append((x, y))
    return kept
