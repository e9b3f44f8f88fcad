"""An ONNX graph as nodes and edges: operators in the blocks that their exporter wrote down, constants as parameters."""

import ast
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import onnx

from nissl.adapters._onnx.graph import BODIES, Graph, tensors
from nissl.adapters._onnx.places import SCOPES, places
from nissl.adapters._onnx.reading import Shapes
from nissl.core.draft import Draft
from nissl.core.graph import Graph as Drawn
from nissl.errors import NotHeard

CLASSES = "pkg.torch.onnx.class_hierarchy"
"""Where torch writes of which classes the modules are in which an operator was called."""
MOVING = {"BatchNormalization": (3, 4)}
"""Which inputs of an operator are measured and not learned."""
FLOATS = (
    onnx.TensorProto.FLOAT, onnx.TensorProto.DOUBLE, onnx.TensorProto.FLOAT16, onnx.TensorProto.BFLOAT16,
)  # fmt: skip
Scopes = tuple[tuple[str, str], ...]


def charted(model: onnx.ModelProto, given: Mapping[str, Any]) -> Drawn:
    """Nothing is run: shapes are inferred; axes that are free and of which nothing is `given` are unknown."""
    for value in model.graph.input:
        for axis, size in zip(
            value.type.tensor_type.shape.dim, getattr(given.get(value.name), "shape", ()), strict=False
        ):
            axis.dim_value = size
    return _Charting(model).done()


class _Charting:
    def __init__(self, model: onnx.ModelProto):
        graph = Graph(model)
        self._name, self._inputs, self._outputs = model.graph.name, model.graph.input, model.graph.output
        self._shapes, self._constants = Shapes(model), tensors(model)
        self._stored = {tensor.name: tensor for tensor in model.graph.initializer}
        self._layers = {p.node: p.layer.name for p in places(graph, self._shapes, None)}
        self._nodes = [
            (number, node) for number, node in enumerate(graph.nodes) if not set(node.output) & set(self._constants)
        ]
        told = {number: _scopes(node) for number, node in self._nodes}
        self._scopes = _alone_left_out(told)
        self._alone = {n: told[n][-1][0] for n in told if told[n][-1:] != self._scopes[n][-1:]}
        self._draft, self._made, self._open = Draft(), dict[str, int](), list[tuple[tuple[str, str], Any, int]]()

    def done(self) -> Drawn:
        if not self._nodes:
            raise NotHeard("This ONNX model has no operators: there is nothing to draw.")
        for value in self._inputs:
            if value.name not in self._constants:
                self._made[value.name] = self._draft.add(value.name, "input", "input", self._given(value))
        for place, (number, node) in enumerate(self._nodes):
            self._move(self._scopes[number], place)
            self._add(number, node)
        self._move((), len(self._nodes))
        for value in self._outputs:
            sources = [self._made[value.name]] if value.name in self._made else []
            self._draft.add(value.name, "output", "output", self._shape(value.name), 0, sources)
        return self._draft.graph(self._called(), "modules", self._params([node for _, node in self._nodes]))

    def _called(self) -> str:
        """The class of the whole model, where the exporter wrote it, else the graph's own name."""
        told = [entry.value for entry in self._nodes[0][1].metadata_props if entry.key == CLASSES]
        return str(ast.literal_eval(told[0])[0]).rpartition(".")[2] if told else self._name or "the model"

    def _move(self, scopes: Scopes, place: int) -> None:
        """Leave the blocks in which this operator does not lie, and enter those in which it does."""
        shared = 0
        while shared < min(len(scopes), len(self._open)) and scopes[shared] == self._open[shared][0]:
            shared += 1
        while len(self._open) > shared:
            _, shape, params = self._open.pop()
            self._draft.leave(shape, params)
        for depth in range(shared, len(scopes)):
            inside = self._run(scopes[: depth + 1], place)
            path, kind = scopes[depth]
            self._draft.enter(self._draft.named(path), kind)
            self._open.append((scopes[depth], self._shape(inside[-1].output[0]), self._params(inside)))

    def _run(self, scopes: Scopes, place: int) -> list[onnx.NodeProto]:
        """The operators from here on that lie in this block without another between."""
        found = []
        for number, node in self._nodes[place:]:
            if self._scopes[number][: len(scopes)] != scopes:
                break
            found.append(node)
        return found

    def _params(self, nodes: Sequence[onnx.NodeProto]) -> int:
        names = {
            name
            for node in nodes
            for place, name in enumerate(_taken(node))
            if name in self._stored and place not in MOVING.get(node.op_type, ())
        }
        return sum(math.prod(self._stored[n].dims) for n in names if self._stored[n].data_type in FLOATS)

    def _shape(self, name: str) -> tuple[int | None, ...] | None:
        """What is known of it; where no axis is, nothing is."""
        return tuple(n if isinstance(n, int) else None for n in self._shapes(name)) or None

    def _given(self, value: onnx.ValueInfoProto) -> tuple[int | None, ...]:
        return tuple(d.dim_value if d.HasField("dim_value") else None for d in value.type.tensor_type.shape.dim)

    def _add(self, number: int, node: onnx.NodeProto) -> None:
        sources = [self._made[name] for name in _taken(node) if name in self._made]
        shape, params = self._shape(node.output[0]), self._params([node])
        path = self._layers.get(number) or (number in self._alone and self._draft.named(self._alone[number]))
        if path:
            made = self._draft.add(path, node.op_type, "module", shape, params, sources)
        else:
            made = self._draft.function(node.op_type, shape, params, sources)
        self._made |= {name: made for name in node.output if name}


def _taken(node: onnx.NodeProto) -> list[str]:
    """What an operator takes, and what the bodies of loops and branches look at."""
    bodies = [body for a in node.attribute if a.type in BODIES for body in (a.g, *a.graphs)]
    return [*node.input, *(name for body in bodies for inner in body.node for name in _taken(inner))]


def _scopes(node: onnx.NodeProto) -> Scopes:
    """(path, class) of the modules around an operator, as its exporter wrote them, or as its name has them between slashes."""
    told = {entry.key: entry.value for entry in node.metadata_props}
    if SCOPES in told and CLASSES in told:
        paths, kinds = (ast.literal_eval(told[key]) for key in (SCOPES, CLASSES))
        pairs = zip(paths[1:-1], kinds[1:-1], strict=False)
        return tuple((path, kind.rpartition(".")[2]) for path, kind in pairs if path)
    return tuple((path, "module") for path in _paths(node.name.strip("/").split("/")[:-1]))


def _paths(parts: Sequence[str]) -> Iterator[str]:
    path = ""
    for part in parts:
        path = part if not path or part.startswith(f"{path}.") else f"{path}.{part}"
        yield path


def _alone_left_out(scopes: dict[int, Scopes]) -> dict[int, Scopes]:
    """A block of one operator is that operator."""
    runs: dict[int, list[int]] = {}
    lengths: list[int] = []
    before: Scopes = ()
    last = -1
    for number, found in scopes.items():
        mine: list[int] = []
        for depth in range(1, len(found) + 1):
            if found[:depth] == before[:depth]:
                mine.append(runs[last][depth - 1])
            else:
                mine.append(len(lengths))
                lengths.append(0)
            lengths[mine[-1]] += 1
        runs[number], before, last = mine, found, number
    return {
        number: tuple(one for one, run in zip(found, runs[number], strict=True) if lengths[run] > 1)
        for number, found in scopes.items()
    }
