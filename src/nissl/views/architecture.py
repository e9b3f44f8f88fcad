"""What a model is made of, and what flows where."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from math import log

import numpy as np
from numpy.typing import NDArray

from nissl.core.graph import Graph, Node
from nissl.core.layered.nest import HEADER
from nissl.core.marks import Bars, Lines, Mark, Text
from nissl.core.palette import INK, MUTED, PAPER, STAIN10, hexadecimal, rgb
from nissl.core.view import Picture, View
from nissl.views._staining.lettering import fitted, plural, sentences, width

LEAST = 900.0
"""Room for a title."""
LINE, FRAME = "#8d9096", "#b9b6ac"
ROUNDED = ("function", "junction")
GROUNDS = ("#f2f0ea", "#e9e6de", "#dfdbd1", "#d5d0c4")
"""Blocks within blocks; deeper ones stay as the last."""
LEARNS, KEPT = STAIN10[0], STAIN10[1]
FIRST, SECOND, HEAD = 15.0, 13.0, 14.0
BEND = 9
"""Points of a line that goes aside."""
WIDE, HIGH = 3.6, 7.0
"""Of an arrow's head."""


@dataclass(frozen=True, eq=False)
class Architecture(View):
    """Modules and functions in the order in which values pass them, downwards; blocks as boxes around what is in them."""

    graph: Graph
    depth: int | None = None
    """How many levels of blocks are open; None: all."""

    def describe(self) -> Picture:
        shown = self.graph if self.depth is None else self.graph.collapsed(self.depth)
        places = shown.places
        across = max(places.width, LEAST)
        drawing = _Drawing(shown, (across - places.width) / 2)
        marks = (*drawing.blocks(), *drawing.edges(), *drawing.names(), *drawing.nodes())
        title = f"What autograd keeps of {shown.name}" if shown.kind == "autograd" else f"What {shown.name} is made of"
        return Picture(title, self._caption(shown), across, places.height, marks)

    def _caption(self, shown: Graph) -> str:
        closed = len(self.graph.blocks) - len(shown.blocks)
        count, there = len(shown.nodes) - len(shown.blocks), len(self.graph.nodes) - len(self.graph.blocks)
        said = [
            f"{plural(count, 'node')} and {plural(len(shown.edges), 'edge')}"
            + (
                f"; {plural(closed, 'block')} closed, of {there:,} nodes in all"
                if closed
                else ", all that was recorded"
                if shown.kind == "layers"
                else ", all that the pass has shown"
            ),
            f"{plural(shown.params, 'parameter')}, each counted once",
            "values pass downwards; the second line is the shape of what comes out, and how many parameters are in it",
        ]
        roles = {node.role for node in shown.nodes}
        if shown.kind == "autograd":
            said.append("rounded: functions whose derivatives autograd will take; orange: parameters")
        elif any(node.params for node in shown.nodes):
            functions = "; rounded: functions, which no module holds" if "function" in roles else ""
            said.append(f"blue: what learns, the deeper the more of all parameters{functions}")
        if any(node.role == "junction" for node in shown.nodes):
            said.append(_signs({node.type for node in shown.nodes if node.role == "junction"}))
        return sentences(said)


def _signs(kinds: set[str]) -> str:
    """What the signs of junctions mean, of those that are there."""
    words = {
        "add": "+: a sum",
        "subtract": "−: a difference",
        "multiply": "×: a product",
        "concatenate": "‖: put side by side",
    }
    known = [said for kind, said in words.items() if kind in kinds]
    return "; ".join([*known, *(["a point: several meet, how was not recorded"] if "meet" in kinds else [])]) or (
        "rounded: where several meet"
    )


class _Drawing:
    def __init__(self, graph: Graph, left: float):
        self.graph, self.left, self.places = graph, left, graph.places
        self.most = max((node.params for node in graph.nodes if node.id not in graph.blocks), default=0)

    def _box(self, node: Node) -> tuple[float, float, float, float]:
        x, y, w, h = self.places.boxes[node.id]
        return x + self.left, y, w, h

    def blocks(self) -> Iterator[Mark]:
        """Outer ones first."""
        mine = [node for node in self.graph.nodes if node.id in self.graph.blocks]
        if mine:
            yield from _framed([self._box(n) for n in mine], [self._ground(n) for n in mine], 8.0)

    def _ground(self, node: Node) -> str:
        return GROUNDS[min(len(self.graph.around(node.id)), len(GROUNDS) - 1)]

    def names(self) -> Iterator[Mark]:
        """On a ground of their own, so that lines pass behind them."""
        for node in self.graph.nodes:
            if node.id in self.graph.blocks:
                x, y, w, _ = self._box(node)
                words = "  ·  ".join(word for word in node.words if word)
                text = fitted(Text(x + 10, y + HEADER / 2 + 1, words, HEAD, colour=MUTED), w - 20)
                room = width(text.words, HEAD) * 0.93 + 6
                yield Bars(np.array([[x + 7, y + 5, min(room, w - 14), HEADER - 10]]), (self._ground(node),))
                yield text

    def edges(self) -> Iterator[Mark]:
        routes = [np.array(self.places.routes[edge]) + np.array([self.left, 0]) for edge in self.graph.edges]
        pieces = {(*a, *b): None for route in routes for a, b in pairwise(route.round(2).tolist())}
        if routes:  # what several edges have in common is drawn once
            yield Lines(_broken([_bent(np.array(piece)) for piece in pieces]), LINE, 1.5)
            yield Lines(_broken([_head(route) for route in routes]), LINE, 1.5)

    def nodes(self) -> Iterator[Mark]:
        mine = [node for node in self.graph.nodes if node.id not in self.graph.blocks]
        for radius, some in (
            (4.0, [node for node in mine if node.role not in ROUNDED]),
            (18.0, [node for node in mine if node.role in ROUNDED]),
        ):
            if some:
                yield from _framed([self._box(n) for n in some], [self._fill(n) for n in some], radius)
        for node in mine:
            x, y, w, h = self._box(node)
            dark = node.role in ("input", "output")
            first, second = node.words
            middle = y + (0.34 if second else 0.5) * h
            if first:
                yield fitted(Text(x + w / 2, middle, first, FIRST, "center", colour=PAPER if dark else INK), w - 12)
            if second:
                colour = "#dcdad4" if dark else MUTED
                yield fitted(Text(x + w / 2, y + 0.72 * h, second, SECOND, "center", colour=colour), w - 12)

    def _fill(self, node: Node) -> str:
        if node.role in ("input", "output"):
            return "#3a4048"
        if node.role == "parameter":
            return _tint(KEPT, 0.22)
        if node.role == "junction" and not node.words[0]:
            return LINE
        if not node.params:
            return "#ffffff"
        return _tint(LEARNS, 0.08 + 0.3 * log(1 + node.params) / log(1 + self.most))


def _tint(dye: str, share: float) -> str:
    return hexadecimal((1 - share) * rgb(PAPER) + share * rgb(dye))


def _framed(boxes: list[tuple[float, float, float, float]], fills: list[str], radius: float) -> Iterator[Mark]:
    """Each with a frame, in one list, so that what is within lies on top of what is around it."""
    twice = np.repeat(np.array(boxes, float), 2, axis=0)
    twice[1::2] += (1.2, 1.2, -2.4, -2.4)
    yield Bars(twice, tuple(colour for fill in fills for colour in (FRAME, fill)), radius)


def _bent(piece: NDArray[np.float64]) -> NDArray[np.float64]:
    """Where a line goes aside it leaves and arrives upright; turns between columns stay square."""
    x, y, right, below = piece
    if x == right or y == below:
        return piece.reshape(2, 2)
    t = np.linspace(0, 1, BEND)
    return np.stack([x + (right - x) * (3 * t**2 - 2 * t**3), y + (below - y) * t], -1)


def _head(route: NDArray[np.float64]) -> NDArray[np.float64]:
    return route[-1] + np.array([(-WIDE, -HIGH), (0.0, -1.0), (WIDE, -HIGH)])


def _broken(lines: list[NDArray[np.float64]]) -> NDArray[np.float64]:
    """All in one, with a gap after each."""
    gap = np.full((1, 2), np.nan)
    return np.concatenate([part for line in lines for part in (line, gap)])
