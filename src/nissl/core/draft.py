"""A graph while a pass shows it: calls are entered and left, and whatever leads nowhere is left out at the end."""

from collections.abc import Container, Iterable
from dataclasses import dataclass, replace

from nissl.core.graph import Graph, Node

Shape = tuple[int | None, ...] | None


@dataclass
class _Open:
    id: int
    filled: bool = False


class Draft:
    """Told by an adapter what is called, in order; knows which block is open and gives every node its number."""

    def __init__(self) -> None:
        self._nodes: dict[int, Node] = {}
        self._edges: dict[tuple[int, int], None] = {}
        self._open: list[_Open] = []
        self._names: dict[str, int] = {}

    @property
    def _inside(self) -> int | None:
        return self._open[-1].id if self._open else None

    def enter(self, path: str, kind: str) -> None:
        """A block begins."""
        for one in self._open:
            one.filled = True
        number = len(self._nodes)
        self._nodes[number] = Node(number, path, kind, "block", parent=self._inside)
        self._open.append(_Open(number))

    def leave(self, shape: Shape = None, params: int = 0, sources: Iterable[int] = ()) -> int | None:
        """The innermost block ends; one in which nothing was called is a node by itself, whose number is returned."""
        one = self._open.pop()
        self._nodes[one.id] = replace(self._nodes[one.id], shape=shape, params=params)
        if one.filled:
            return None
        self._nodes[one.id] = replace(self._nodes[one.id], role="module")
        self._join(one.id, sources)
        return one.id

    def add(
        self, path: str, kind: str, role: str, shape: Shape = None, params: int = 0, sources: Iterable[int] = ()
    ) -> int:
        """Something was called that is no block, with what `sources` gave."""
        for one in self._open:
            one.filled = True
        number = len(self._nodes)
        self._nodes[number] = Node(number, path, kind, role, shape, params, self._inside)
        self._join(number, sources)
        return number

    def function(self, name: str, shape: Shape = None, params: int = 0, sources: Iterable[int] = ()) -> int:
        """A function was called, which has no path of its own: its block's and its name are it."""
        path = f"{self._nodes[self._inside].path}.{name}" if self._inside is not None else name
        return self.add(self.named(path), name, "function", shape, params, sources)

    def junction(self, kind: str, taken: Container[str], sources: Iterable[int]) -> int:
        """Several come together, which is no call of anything: its name is its kind's, and no other's."""
        inside = "" if self._inside is None else f"{self._nodes[self._inside].path}."
        path = self.named(f"{inside}{kind}")
        while path in taken:
            path = self.named(f"{inside}{kind}")
        return self.add(path, kind, "junction", sources=sources)

    def named(self, path: str) -> str:
        """The path of this call: `path#2` for the second."""
        count = self._names[path] = self._names.get(path, 0) + 1
        return path if count == 1 else f"{path}#{count}"

    def _join(self, number: int, sources: Iterable[int]) -> None:
        self._edges |= dict.fromkeys((source, number) for source in sources if source != number)

    def graph(self, name: str, kind: str, params: int) -> Graph:
        """Without functions that lead to nothing, and without blocks that had only such in them."""
        kept = {number for number, node in self._nodes.items() if node.role in ("input", "module", "output")}
        for source, target in sorted(self._edges, reverse=True):  # the last sources first: what they lead to is decided
            if target in kept:
                kept.add(source)
        for number in sorted(self._nodes, reverse=True):
            parent = self._nodes[number].parent
            if number in kept and parent is not None:
                kept.add(parent)
        nodes = tuple(node for number, node in self._nodes.items() if number in kept)
        edges = tuple(edge for edge in self._edges if edge[0] in kept and edge[1] in kept)
        return Graph(name, kind, nodes, edges, params)
