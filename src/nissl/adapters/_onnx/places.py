"""Which nodes of a graph are layers, and where their values are."""

import ast
import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import onnx

from nissl.adapters._onnx import forms
from nissl.adapters._onnx.bending import behind_norm, mixed_by, nonlinearity
from nissl.adapters._onnx.forms import Form
from nissl.adapters._onnx.graph import Graph, option
from nissl.core.joining import Joining, words
from nissl.core.layer import Layer
from nissl.errors import Unsupported, listing

_PARAMETER = re.compile(r"^(?P<path>.+)[./](weight|bias|kernel|gamma|beta|embeddings?|w|b)(:0)?$", re.IGNORECASE)
SCOPES = "pkg.torch.onnx.name_scopes"
Shape = tuple[int | str, ...]
"""Each axis' length, or what the model calls it."""


@dataclass(frozen=True)
class Place:
    """A layer, and the names of the values that are it."""

    layer: Layer
    own: str
    """What the computing node puts out, with its bias."""
    heard: str
    """The same behind a norm and the nonlinearity."""
    node: int
    spread: tuple[int, ...]
    """The shape in which one number a unit is spread over the value."""
    dtype: int
    """ONNX's number of its values' type."""
    forms: dict[str, Form] = field(default_factory=dict)
    beside: tuple[str, ...] = ()
    """Other values that hold the same units: a recurrent node's last step."""

    def shown(self, value: Any) -> Any:
        """A recurrent node's (step, direction, example, unit) as (step, example, unit); all else as it is."""
        if self.layer.kind != "recurrent":
            return value
        return value.swapaxes(1, 2).reshape(value.shape[0], value.shape[2], -1)


@dataclass
class _Found:
    """A place while it is being told, so that it is made but once more."""

    place: Place
    heard: str
    said: dict[str, Any]
    """Of its layer."""


def places(graph: Graph, shape: Callable[[str], Shape], examples: str | None = None) -> list[Place]:
    """In the order in which they run; `shape` tells what was inferred of a value, `examples` the name of their number in it."""
    found, taken = [], {}  # type: list[_Found], dict[str, tuple[int, str | None]]
    for number in range(len(graph.nodes)):
        reader = _READ.get(graph.nodes[number].op_type)
        place = reader(graph, number) if reader else None
        if place is None:
            continue
        weight = place.forms["weight"].tensor
        one = _heard(graph, place, shape, examples)
        one.said["name"] = _unique(place.layer.name, weight, taken)
        found.append(one)
    if not found:
        operators = sorted({node.op_type for node in graph.nodes})
        raise Unsupported(
            f"No layer was found in this ONNX graph: none of its operators has weights that can be read. It has: "
            f"{listing(operators)}. Of a quantised model, take the one before quantisation."
        )
    return _joined(graph, found)


def _unique(name: str, weight: str, taken: dict[str, tuple[int, str | None]]) -> str:
    """`name#2` for the second use of the same weights, `name.2` for another layer of that name."""
    count, owner = taken.get(name, (0, None))
    taken[name] = (count + 1, owner or weight)
    if not count:
        return name
    return f"{name}{'#' if owner == weight else '.'}{count + 1}"


def _heard(graph: Graph, place: Place, known: Callable[[str], Shape], examples: str | None) -> _Found:
    """Where the layer's activation is: behind a norm over the same units and a nonlinearity."""
    if place.layer.kind == "recurrent":
        return _Found(place, place.heard, {})
    value, norm = behind_norm(graph, place.own)
    bent = nonlinearity(graph, value)
    name, value = bent or (None, value)
    remark = "; ".join(filter(None, [f"heard after {norm}" if norm else None, mixed_by(graph, value)])) or None
    flat = graph.nodes[place.node].op_type == "Gemm"  # examples by units, whatever is inferred
    shape = () if flat else known(value)
    batch = shape.index(examples) if examples in shape else 0  # torch's attention has the positions before the examples
    axes = [n for i, n in enumerate(shape) if i not in (batch, place.layer.unit_axis % len(shape))]
    inner = tuple(n for n in axes if isinstance(n, int))
    size = inner if len(inner) == len(axes) else ()
    return _Found(place, value, {"nonlinearity": name, "remark": remark, "unit_shape": size, "batch_axis": batch})


def _joined(graph: Graph, found: list[_Found]) -> list[Place]:
    """With the edges: which layers' values reach which, with no other between."""
    by_value = {v: one.said["name"] for one in found for v in (one.place.own, one.heard, *one.place.beside)}
    by_node = {one.place.node: one for one in found}
    reach: dict[str, dict[str, None]] = {}
    met: dict[str, tuple[str, ...]] = {}
    joining, takes = Joining(), dict[int, list[str]]()
    for number, node in enumerate(graph.nodes):
        sources = {name: None for value in node.input for name in reach.get(value, {})}
        come = [name for value in node.input for name in met.get(value, ())]
        if number in by_node:
            by_node[number].said["inputs"], takes[number] = tuple(sources), come
        for value in node.output:
            own = (by_value[value],) if value in by_value else None
            reach[value] = dict.fromkeys(own) if own else sources
            met[value] = own or joining.meet(words(node.op_type), come)
    layers = [joining.told(replace(one.place.layer, **one.said), takes[one.place.node]) for one in found]
    return [replace(one.place, heard=one.heard, layer=layer) for one, layer in zip(found, layers, strict=True)]


def _gemm(graph: Graph, number: int) -> Place | None:
    node = graph.nodes[number]
    weight = graph.constant(node.input[1])
    if weight is None or not graph.is_float(weight[0]):
        return None
    name, turned = weight
    by_row = bool(option(node, "transB", 0)) != turned
    bias = graph.constant(node.input[2]) if len(node.input) > 2 and node.input[2] else None
    return _dense(graph, number, name, by_row, bias[0] if bias else None, node.output[0])


def _matmul(graph: Graph, number: int) -> Place | None:
    node = graph.nodes[number]
    weight = graph.constant(node.input[1])
    if weight is None or len(graph.shape(weight[0])) != 2 or not graph.is_float(weight[0]):
        return None
    units = graph.shape(weight[0])[0 if weight[1] else 1]
    bias, own = _added(graph, node.output[0], (units,))
    return _dense(graph, number, weight[0], weight[1], bias, own)


def _dense(graph: Graph, number: int, weight: str, by_row: bool, bias: str | None, own: str) -> Place:
    units = graph.shape(weight)[0 if by_row else 1]
    found = {"weight": Form(weight) if by_row else forms.turned(weight), **_bias(graph, bias, units)}
    layer = Layer(_path(graph, number, found), "dense", units, parameters=_shapes(graph, found))
    return Place(layer, own, own, number, (units,), _dtype(graph, found), found)


def _conv(graph: Graph, number: int) -> Place | None:
    node = graph.nodes[number]
    weight, groups = node.input[1], option(node, "group", 1)
    if weight not in graph.tensors or not graph.is_float(weight):
        return None
    shape = graph.shape(weight)
    back = node.op_type == "ConvTranspose"
    units = shape[1] * groups if back else shape[0]
    spread = (units, *[1] * (len(shape) - 2))
    bias, own = (node.input[2] if len(node.input) > 2 and node.input[2] else None), node.output[0]
    if bias is None:
        bias, own = _added(graph, own, spread)
    found = {"weight": forms.transposed(weight, groups) if back else Form(weight), **_bias(graph, bias, units)}
    layer = Layer(_path(graph, number, found), "conv", units, 1, unit="channel", parameters=_shapes(graph, found))
    return Place(layer, own, own, number, spread, _dtype(graph, found), found)


def _gather(graph: Graph, number: int) -> Place | None:
    node = graph.nodes[number]
    table = node.input[0]
    plain = table in graph.tensors and len(graph.shape(table)) == 2 and graph.is_float(table)
    if not plain or option(node, "axis", 0) != 0 or node.input[1] in graph.tensors:
        return None
    found = {"weight": forms.turned(table)}
    units, own = graph.shape(table)[1], node.output[0]
    layer = Layer(_path(graph, number, found), "embedding", units, unit="feature", parameters=_shapes(graph, found))
    return Place(layer, own, own, number, (units,), _dtype(graph, found), found)


def _recurrent(graph: Graph, number: int) -> Place | None:
    node = graph.nodes[number]
    weights = dict(zip(("weight", "recurrent_weight", "bias"), node.input[1:4], strict=False))
    found = {key: name for key, name in weights.items() if name in graph.tensors}
    if not {"weight", "recurrent_weight"} <= set(found) or option(node, "layout", 0):
        return None
    directions, _, hidden = graph.shape(found["recurrent_weight"])
    gated = {key: forms.gated(name, graph.shape(name), hidden) for key, name in found.items()}
    units = directions * hidden
    layer = Layer(_path(graph, number, gated), "recurrent", units, batch_axis=1, parameters=_shapes(graph, gated))
    beside = tuple(filter(None, node.output[1:2]))
    return Place(
        layer, node.output[0], node.output[0], number, (directions, 1, hidden), _dtype(graph, gated), gated, beside
    )


_READ = {
    "Gemm": _gemm, "MatMul": _matmul, "Conv": _conv, "ConvTranspose": _conv, "Gather": _gather, "LSTM": _recurrent,
    "GRU": _recurrent, "RNN": _recurrent,
}  # fmt: skip


def _added(graph: Graph, value: str, spread: tuple[int, ...]) -> tuple[str | None, str]:
    """The bias that a node of its own adds, one number a unit, and the value behind it."""
    taker = graph.only_taker(value)
    if taker is not None and graph.nodes[taker].op_type == "Add":
        node = graph.nodes[taker]
        other = next((v for v in node.input if v != value and v in graph.tensors), None)
        if other is not None and _trimmed(graph.shape(other)) == _trimmed(spread):
            return other, node.output[0]
    return None, value


def _trimmed(shape: tuple[int, ...]) -> tuple[int, ...]:
    while len(shape) > 1 and shape[0] == 1:
        shape = shape[1:]
    return shape


def _bias(graph: Graph, name: str | None, units: int) -> dict[str, Form]:
    if name is None or math.prod(graph.shape(name)) != units or not graph.is_float(name):
        return {}
    return {"bias": forms.flat(name, graph.shape(name))}


def _shapes(graph: Graph, found: dict[str, Form]) -> dict[str, tuple[int, ...]]:
    """Shapes with the unit first, told by an array that takes no room."""
    return {key: form.unit_first(_nothing(graph.shape(form.tensor))).shape for key, form in found.items()}


def _nothing(shape: tuple[int, ...]) -> Any:
    return np.ndarray(shape, np.bool_, b"\0", strides=(0,) * len(shape))


def _dtype(graph: Graph, found: dict[str, Form]) -> int:
    return graph.tensors[found["weight"].tensor].data_type


def _path(graph: Graph, number: int, found: dict[str, Form]) -> str:
    """By the names of its constants (`0.weight`), else of the module or node that an exporter wrote down."""
    node = graph.nodes[number]
    path = next(_paths(node, found), None) or f"{node.op_type}_{number}"
    return path.replace("/", ".")  # a slash parts the steps of a trace's addresses


def _paths(node: onnx.NodeProto, found: dict[str, Form]) -> Iterator[str]:
    for form in found.values():
        known = _PARAMETER.match(form.tensor)
        if known and not form.tensor.startswith("onnx::"):
            yield known["path"]
    scopes = next((entry.value for entry in node.metadata_props if entry.key == SCOPES), None)
    if scopes is not None:
        path = [*map(str, ast.literal_eval(scopes))][-2:-1]
        if path and path[0]:
            yield path[0]
    name = node.name.removeprefix("/")
    yield re.sub(rf"/{node.op_type}(_\d+)?$", "", name) if node.name.startswith("/") else name
