"""A model's layers, from its graph and the shapes that can be inferred."""

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


def _shapes(model: onnx.ModelProto) -> dict[str, Shape]:
    """Of every value whose axes are known, by number or name; nothing where the model is too large or odd to tell."""
    if model.ByteSize() >= INFERRED:
        return {}
    try:
        graph = onnx.shape_inference.infer_shapes(model).graph
    except onnx.shape_inference.InferenceError:
        return {}
    return {
        value.name: tuple(
            d.dim_value if d.HasField("dim_value") else d.dim_param for d in value.type.tensor_type.shape.dim
        )
        for value in [*graph.value_info, *graph.output]
        if value.type.tensor_type.HasField("shape")
    }
