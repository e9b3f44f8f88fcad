"""A model's layers, from its graph and the shapes that can be inferred."""

from functools import cached_property

import onnx

from nissl.adapters._onnx.graph import Graph, check_loaded, prepared
from nissl.adapters._onnx.places import Place, Shape, places

INFERRED = 2**31 - 1
"""Bytes of a model up to which onnx infers shapes."""


def layers_of(model: onnx.ModelProto) -> list[Place]:
    check_loaded(model)
    made = prepared(model)
    return places(Graph(made), Shapes(made), _examples(made))


def _examples(model: onnx.ModelProto) -> str | None:
    """What the model calls the number of examples: the first axis of its first input."""
    for value in model.graph.input:
        axes = value.type.tensor_type.shape.dim
        if axes and axes[0].dim_param:
            return str(axes[0].dim_param)
    return None


class Shapes:
    """Tells a value's axes, as far as they are known; inferred when first asked for, and read one by one: both take long."""

    def __init__(self, model: onnx.ModelProto):
        self._model = model

    def __call__(self, name: str) -> Shape:
        axes = self._known[name].type.tensor_type.shape.dim if name in self._known else ()
        return tuple(d.dim_value if d.HasField("dim_value") else d.dim_param for d in axes)

    @cached_property
    def _known(self) -> dict[str, onnx.ValueInfoProto]:
        """Nothing where the model is too large or odd to tell."""
        if self._model.ByteSize() >= INFERRED:
            return {}
        try:
            graph = onnx.shape_inference.infer_shapes(self._model).graph
        except onnx.shape_inference.InferenceError:
            return {}
        return {value.name: value for value in [*graph.value_info, *graph.output]}
