"""A model's layers, from its graph and the shapes that can be inferred."""

from collections.abc import Callable

import onnx

from nissl.adapters._onnx.graph import Graph, check_loaded, prepared
from nissl.adapters._onnx.places import Place, Shape, places

INFERRED = 2**31 - 1
"""Bytes of a model up to which onnx infers shapes."""


def layers_of(model: onnx.ModelProto) -> list[Place]:
    check_loaded(model)
    made = prepared(model)
    return places(Graph(made), _shapes(made), _examples(made))


def _examples(model: onnx.ModelProto) -> str | None:
    """What the model calls the number of examples: the first axis of its first input."""
    for value in model.graph.input:
        axes = value.type.tensor_type.shape.dim
        if axes and axes[0].dim_param:
            return str(axes[0].dim_param)
    return None


def _shapes(model: onnx.ModelProto) -> Callable[[str], Shape]:
    """Of a value by name its axes, as far as they are known; none where the model is too large or odd to tell."""
    if model.ByteSize() >= INFERRED:
        return lambda _: ()
    try:
        graph = onnx.shape_inference.infer_shapes(model).graph
    except onnx.shape_inference.InferenceError:
        return lambda _: ()
    known = {value.name: value for value in [*graph.value_info, *graph.output]}

    def shape(name: str) -> Shape:  # few are asked for, and reading them takes long
        axes = known[name].type.tensor_type.shape.dim if name in known else ()
        return tuple(d.dim_value if d.HasField("dim_value") else d.dim_param for d in axes)

    return shape
