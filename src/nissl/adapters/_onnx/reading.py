"""A model's layers, from its graph and the shapes that can be inferred."""

import onnx

from nissl.adapters._onnx.graph import Graph, check_loaded, prepared
from nissl.adapters._onnx.places import Place, places

INFERRED = 2**31 - 1
"""Bytes of a model up to which onnx infers shapes."""


def layers_of(model: onnx.ModelProto) -> list[Place]:
    check_loaded(model)
    made = prepared(model)
    return places(Graph(made), _shapes(made))


def _shapes(model: onnx.ModelProto) -> dict[str, tuple[int | None, ...]]:
    """Of every value whose axes are known; nothing where the model is too large or odd to tell."""
    if model.ByteSize() >= INFERRED:
        return {}
    try:
        graph = onnx.shape_inference.infer_shapes(model).graph
    except onnx.shape_inference.InferenceError:
        return {}
    return {
        value.name: tuple(d.dim_value if d.HasField("dim_value") else None for d in value.type.tensor_type.shape.dim)
        for value in [*graph.value_info, *graph.output]
        if value.type.tensor_type.HasField("shape")
    }
