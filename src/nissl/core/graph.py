"""What a model is made of and what flows where: `nissl.graph(model, x)`."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Self

from nissl.core.capabilities import Charted
from nissl.core.layered.nest import Arranged, arranged
from nissl.core.network import network
from nissl.errors import BadValue, DamagedData, MissingData, Unsupported, listing

KINDS = ("modules", "autograd")
ROLES = ("input", "parameter", "module", "function", "junction", "block", "output")
SIGNS = {"add": "+", "subtract": "−", "multiply": "×", "concatenate": "‖", "meet": ""}
"""What is written on a junction of each kind; on others, the kind."""
LETTER, HEIGHT, SIDE = 9.6, 52.0, 24.0
"""Room for a letter of a node's words, for its two lines, and beside them."""
ROUND, POINT = 26.0, 14.0
"""Across a junction with a sign, and across one without."""
WIDEST = 34
"""Letters of a line, at most; longer ones are shortened where they are painted."""


@dataclass(frozen=True)
class Node:
    """A call of a module, a function on its way, an input, an output, or a block of such. A plain value."""

    id: int
    """Rises with the order of execution; a block's is less than those of what is in it."""
    path: str
    """The module's path, `path#2` for its second call in one pass; a function's is its block's and its name."""
    type: str
    """The class of the module, or the name of the function."""
    role: str
    """input, parameter, module, function, junction (where several meet on their way), block or output."""
    shape: tuple[int | None, ...] | None = None
    """Of what comes out (of the first tensor where there are several); None: not known."""
    params: int = 0
    """How many numbers are learned in it, each counted once."""
    parent: int | None = None
    """The block around it."""

    @property
    def words(self) -> tuple[str, str]:
        """What is to be written on it: what it is, and what comes out."""
        if self.role == "junction":
            return SIGNS.get(self.type, self.type), ""
        name = self.path if self.role in ("input", "output") else self.path.rpartition(".")[2]
        alone = self.role in ("input", "output", "parameter") or name.partition("#")[0] == self.type
        first = name if alone else f"{self.type}  {name}"
        shape = "" if self.shape is None else "×".join("?" if n is None else str(n) for n in self.shape) or "scalar"
        params = f"{self.params:,}" if self.params and self.role != "parameter" else ""
        return first, "  ·  ".join(word for word in (shape, params) if word)


@dataclass(frozen=True)
class Graph:
    """Nodes in order of execution and edges, each from an earlier node to a later one; blocks are nodes that others lie in."""

    name: str
    kind: str
    """modules; autograd: the functions that gradients will run through; or layers: those that a trace was recorded of."""
    nodes: tuple[Node, ...]
    edges: tuple[tuple[int, int], ...]
    params: int = 0
    """Of the whole model, each counted once, also what no pass has used."""
    _by_id: dict[int, Node] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        self._by_id.update({node.id: node for node in self.nodes})
        if not self.nodes:
            raise BadValue("A graph has at least one node; here the pass has shown none.")
        ids = [node.id for node in self.nodes]
        torn = list(self._torn())
        wrong = [edge for edge in self.edges if edge[0] >= edge[1] or not set(edge) <= set(ids) - self.blocks]
        if ids != sorted(set(ids)) or torn or wrong:
            raise BadValue(
                "Nodes come in order of their ids, what is in a block right after it, and edges lead from one that is no "
                f"block to a later one. Not so: {listing([*torn, *wrong] or ids)}."
            )

    def _torn(self) -> Iterator[str]:
        """Nodes whose block is not open any more, or not there: each lies in the one before it, or in a block around that."""
        open_: list[int] = []
        for node in self.nodes:
            while open_ and open_[-1] != node.parent:
                open_.pop()
            if not open_ and node.parent is not None:
                yield node.path
            open_.append(node.id)

    def __getitem__(self, path: str) -> Node:
        found = [node for node in self.nodes if node.path == path]
        if not found:
            raise BadValue(f"The graph has no node {path!r}. It has: {listing(node.path for node in self.nodes)}.")
        return found[0]

    @cached_property
    def blocks(self) -> set[int]:
        """The ids of nodes in which others lie."""
        return {node.parent for node in self.nodes if node.parent is not None}

    @cached_property
    def depth(self) -> int:
        """How many levels there are: 1 without blocks."""
        return max(len(self.around(node.id)) for node in self.nodes) + 1

    def around(self, one: int) -> list[int]:
        """The blocks around a node, from the outermost."""
        found: list[int] = []
        parent = self._by_id[one].parent
        while parent is not None:
            found.insert(0, parent)
            parent = self._by_id[parent].parent
        return found

    def collapsed(self, depth: int) -> "Graph":
        """The same with at most so many levels: blocks of the last one closed, each a node."""
        if depth < 1:
            raise BadValue(f"depth={depth}: how many levels of blocks are shown, from 1.")
        return self._into({node.id: [*self.around(node.id), node.id][:depth][-1] for node in self.nodes})

    def folded(self, blocks: Iterable[int]) -> "Graph":
        """The same with these blocks closed, each a node."""
        closed = set(blocks)
        if unknown := closed - self.blocks:
            raise BadValue(
                f"There are no blocks {listing(sorted(unknown))} to close. There are: {listing(sorted(self.blocks))}."
            )
        ways = {node.id: [*self.around(node.id), node.id] for node in self.nodes}
        return self._into({one: next((block for block in way if block in closed), one) for one, way in ways.items()})

    def _into(self, into: Mapping[int, int]) -> "Graph":
        """Each node in what shows it; junctions at which only one of these arrives are none."""
        edges = dict.fromkeys((into[a], into[b]) for a, b in self.edges if into[a] != into[b])
        kept = tuple(node for node in self.nodes if into[node.id] == node.id)
        for node in kept:
            arrive = [a for a, b in edges if b == node.id] if node.role == "junction" else []
            if len(arrive) == 1:
                edges = dict.fromkeys((arrive[0] if a == node.id else a, b) for a, b in edges if b != node.id)
                kept = tuple(one for one in kept if one is not node)
        return replace(self, nodes=kept, edges=tuple(edges))

    @cached_property
    def places(self) -> Arranged:
        """Where nodes and edges lie: in ranks from the top, blocks as boxes around what is in them."""
        sizes = {node.id: self._size(node) for node in self.nodes}
        return arranged(sizes, {node.id: node.parent for node in self.nodes}, self.edges)

    def _size(self, node: Node) -> tuple[float, float]:
        if node.id in self.blocks:
            return LETTER * min(len("  ·  ".join(node.words)), WIDEST + 12) + SIDE, 0.0
        if node.role == "junction" and len(node.words[0]) < 2:
            return (ROUND, ROUND) if node.words[0] else (POINT, POINT)
        letters = min(max(map(len, node.words)), WIDEST)
        return LETTER * max(letters, 5) + SIDE, HEIGHT if node.words[1] else 0.6 * HEIGHT

    def to_dict(self) -> dict[str, Any]:
        """Everything, with positions, as values that JSON has."""
        places = self.places
        nodes = []
        for node in self.nodes:
            x, y, w, h = (round(v, 1) for v in places.boxes[node.id])
            shape = None if node.shape is None else list(node.shape)
            nodes.append(vars(node) | {"shape": shape, "x": x, "y": y, "w": w, "h": h})
        edges = [
            {"source": a, "target": b, "points": [[round(x, 1), round(y, 1)] for x, y in places.routes[a, b]]}
            for a, b in self.edges
        ]
        told = {"name": self.name, "kind": self.kind, "params": self.params}
        return told | {
            "width": round(places.width, 1),
            "height": round(places.height, 1),
            "nodes": nodes,
            "edges": edges,
        }

    def save(self, path: str | Path) -> None:
        """As JSON, with positions, for whoever draws it."""
        file = Path(path)
        if file.suffix.lower() != ".json":
            raise BadValue(f"{file}: a graph is saved as .json. A picture of it: nissl.apps.figure.paint.")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(self.to_dict(), ensure_ascii=False) + "\n")

    @classmethod
    def of(cls, said: Mapping[str, Any]) -> Self:
        """As `to_dict` says it, after it went through JSON; positions are found anew, and the same."""
        nodes = tuple(_node(node) for node in said["nodes"])
        edges = tuple((edge["source"], edge["target"]) for edge in said["edges"])
        return cls(said["name"], said["kind"], nodes, edges, said["params"])

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """What `save` has written."""
        try:
            return cls.of(json.loads(Path(path).read_text()))
        except FileNotFoundError as error:
            raise MissingData(f"There is no file {path}.") from error
        except (KeyError, TypeError, AttributeError, UnicodeDecodeError, json.JSONDecodeError, BadValue) as error:
            raise DamagedData(f"{path} holds no graph: {error}") from error

    def __repr__(self) -> str:
        count, blocks = len(self.nodes) - len(self.blocks), len(self.blocks)
        return f"<{self.kind} of {self.name}: {count} nodes in {blocks} blocks, {len(self.edges)} edges, {self.params:,} parameters>"


def _node(said: Mapping[str, Any]) -> Node:
    values: dict[str, Any] = {k: v for k, v in said.items() if k in Node.__dataclass_fields__}
    shape = values["shape"]
    return Node(**values | {"shape": None if shape is None else tuple(shape)})


def graph(model: Any, x: Any = None, kind: str = "modules") -> Graph:
    """The graph that a pass of `x` through the model shows: modules and functions, or autograd's functions behind them.

    `x`: an example or a batch of what the model takes, as arrays or the framework's own values; what comes out of each
    node is told by it. A model that knows its inputs' shapes (ONNX, built Keras models) can do without.
    """
    if kind not in KINDS:
        raise BadValue(f"kind is one of {listing(KINDS)}, not {kind!r}.")
    net = network(model)
    if not isinstance(net, Charted):
        raise Unsupported(
            f"{type(net).__name__} models can't be drawn as graphs: torch, Keras and ONNX models can. A model of another "
            "framework can be exported to ONNX."
        )
    return net.chart(x, kind)


def checked_kind(framework: str, kind: str, known: Sequence[str]) -> None:
    """Is it a graph that this framework has?"""
    if kind not in known:
        raise Unsupported(f"{framework} has no {kind} graph. Ask for kind {listing(map(repr, known))}.")
