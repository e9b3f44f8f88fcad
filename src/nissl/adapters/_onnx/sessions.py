"""The model run by onnxruntime, with the values that are heard as outputs and a switch behind each value that is changed."""

import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import onnx

from nissl.adapters._onnx.graph import Graph, prepared
from nissl.adapters._onnx.places import Place
from nissl.errors import MissingDependency, Unsupported

KEPT = 4
"""Sessions hold the weights, so that few are kept."""
LARGEST = 2**31 - 1
"""Bytes that one protobuf message can have."""
UNITS, TO = "nissl.units.", "nissl.to."
"""Before a value's name: which of its units are replaced, and by what."""


class Sessions:
    """Made for what is heard and changed, as it is needed; nothing of the user's model is touched."""

    def __init__(self, model: onnx.ModelProto):
        self._model = model
        self._made: dict[Any, Any] = {}

    def run(self, values: Iterable[str], changed: Mapping[str, Place], given: Mapping[str, Any]) -> list[Any]:
        """The model's own outputs, then these values; `changed`: the layer whose units are switched at a value."""
        wanted = list(values)
        key = (frozenset(wanted), frozenset(changed))
        if key not in self._made:
            for old in list(self._made)[: -KEPT + 1]:
                del self._made[old]
            self._made[key] = _session(_surgery(self._model, wanted, changed))
        own = [value.name for value in self._model.graph.output]
        return list(self._made[key].run([*own, *wanted], dict(given)))


def _surgery(model: onnx.ModelProto, heard: Iterable[str], changed: Mapping[str, Place]) -> onnx.ModelProto:
    copy = prepared(model)
    for value, place in changed.items():
        _switch(copy, value, place)
    own = {value.name for value in copy.graph.output}
    copy.graph.output.extend(onnx.ValueInfoProto(name=value) for value in heard if value not in own)
    return copy


def _switch(copy: onnx.ModelProto, value: str, place: Place) -> None:
    """The node that makes a value makes it under another name; a Where behind it takes the old name."""
    opset = max((entry.version for entry in copy.opset_import if entry.domain in ("", "ai.onnx")), default=0)
    if opset < 9:
        raise Unsupported(f"This model's operators are of version {opset}; values can be changed from version 9 on.")
    graph = Graph(copy)
    number = graph.maker[value]
    node, before = copy.graph.node[number], f"nissl.before.{value}"
    node.output[list(node.output).index(value)] = before
    shape = list(place.spread)
    copy.graph.input.extend(
        [
            onnx.helper.make_tensor_value_info(UNITS + value, onnx.TensorProto.BOOL, shape),
            onnx.helper.make_tensor_value_info(TO + value, place.dtype, shape),
        ]
    )
    copy.graph.node.insert(number + 1, onnx.helper.make_node("Where", [UNITS + value, TO + value, before], [value]))


def _session(model: onnx.ModelProto) -> Any:
    """Unoptimised: fused operators would round otherwise, so that hearing a network would change what it says."""
    try:
        import onnxruntime
    except ImportError as error:
        raise MissingDependency("ONNX graphs are run by onnxruntime: pip install 'nissl[onnx]'.") from error
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 3
    given = {"sess_options": options, "providers": ["CPUExecutionProvider"]}
    if model.ByteSize() < LARGEST:
        return onnxruntime.InferenceSession(model.SerializeToString(), **given)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.onnx"
        onnx.save_model(model, str(path), save_as_external_data=True)
        return onnxruntime.InferenceSession(str(path), **given)
