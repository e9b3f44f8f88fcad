"""An ONNX graph as questions are asked of it: who makes a value, who takes it, which values are constants."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import onnx
from onnx import inliner, numpy_helper

from nissl.errors import BadValue

BATCH_FREE = ("Shape", "Size")
"""Operators that look at a value's shape alone."""
BODIES = (onnx.AttributeProto.GRAPH, onnx.AttributeProto.GRAPHS)


def prepared(model: onnx.ModelProto) -> onnx.ModelProto:
    """A copy with functions inlined and every recurrent node's whole sequence named, so that it can be heard."""
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    if copy.functions:
        copy = inliner.inline_local_functions(copy)
    for number, node in enumerate(copy.graph.node):
        if node.op_type in ("LSTM", "GRU", "RNN") and not (node.output and node.output[0]):
            node.output[:1] = [f"nissl.sequence.{number}"]
    return copy


def tensors(model: onnx.ModelProto) -> dict[str, onnx.TensorProto]:
    """The constants of a graph by name, as the model's own objects: what is written into them is in the model."""
    found = {tensor.name: tensor for tensor in model.graph.initializer}
    for node in model.graph.node:
        if node.op_type == "Constant" and node.attribute and node.attribute[0].name == "value":
            found[node.output[0]] = node.attribute[0].t
    return found


def array(tensor: onnx.TensorProto) -> Any:
    """A constant as numpy; types that numpy doesn't know as float32."""
    made = numpy_helper.to_array(tensor)
    return made if made.dtype.kind in "biufcSUO" else made.astype(np.float32)


class Graph:
    """Nodes by number, in the order in which they run."""

    def __init__(self, model: onnx.ModelProto):
        self.nodes = list(model.graph.node)
        self.tensors = tensors(model)
        self.maker: dict[str, int] = {}
        self.takers: dict[str, list[int]] = {}
        self.open = {value.name for value in model.graph.output}
        """Values that leave the graph: its outputs, and what the body of a loop or branch looks at."""
        for number, node in enumerate(self.nodes):
            for value in node.output:
                if value:
                    self.maker[value] = number
            if node.op_type not in BATCH_FREE:
                for value in dict.fromkeys(node.input):
                    if value:
                        self.takers.setdefault(value, []).append(number)
            for attribute in node.attribute:
                bodies = [attribute.g, *attribute.graphs] if attribute.type in BODIES else ()
                for body in bodies:
                    self.open |= {value for inner in body.node for value in inner.input}

    def only_taker(self, value: str) -> int | None:
        """The one node that takes this value, if nobody else sees it."""
        takers = self.takers.get(value, [])
        return takers[0] if len(takers) == 1 and value not in self.open else None

    def data(self, number: int) -> list[str]:
        """What a node takes that is no constant."""
        return [value for value in self.nodes[number].input if value and value not in self.tensors]

    def constant(self, value: str) -> tuple[str, bool] | None:
        """The name of the constant behind a value, and whether it is transposed on the way (a matrix)."""
        turned = False
        for _ in range(4):
            if value in self.tensors:
                return value, turned
            node = self.nodes[self.maker[value]] if value in self.maker else None
            if node is None or node.op_type not in ("Identity", "Transpose"):
                return None
            if node.op_type == "Transpose":
                perm = option(node, "perm", [1, 0])
                if list(perm) != [1, 0]:
                    return None
                turned = not turned
            value = node.input[0]
        return None

    def shape(self, name: str) -> tuple[int, ...]:
        return tuple(self.tensors[name].dims)

    def is_float(self, name: str) -> bool:
        kinds = (onnx.TensorProto.FLOAT, onnx.TensorProto.DOUBLE, onnx.TensorProto.FLOAT16, onnx.TensorProto.BFLOAT16)
        return self.tensors[name].data_type in kinds

    def constants(self, number: int) -> Iterator[Any]:
        for value in self.nodes[number].input:
            if value in self.tensors:
                yield array(self.tensors[value])


def option(node: onnx.NodeProto, name: str, default: Any) -> Any:
    """A node's attribute."""
    found = next((attribute for attribute in node.attribute if attribute.name == name), None)
    return default if found is None else onnx.helper.get_attribute_value(found)


def check_loaded(model: onnx.ModelProto) -> None:
    """Weights that lie in files beside the model must have been read."""
    away = next((t.name for t in model.graph.initializer if t.data_location == onnx.TensorProto.EXTERNAL), None)
    if away is not None:
        raise BadValue(
            f"{away} lies in a file beside the model, which was not read. onnx.load(path) reads such files; for this model, "
            "onnx.load_external_data_for_model(model, folder) does."
        )
