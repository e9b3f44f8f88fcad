"""What a Keras layer is: which ones compute, which normalise the same units, which are nonlinearities; and where its units are."""

import re
from dataclasses import dataclass
from typing import Any

from keras import layers

COMPUTES, NORMALISES, BENDS, OTHER = "computes", "normalises", "bends", "other"
"""Roles on the way of a value: a layer of its own; a norm over the same units; a nonlinearity; nothing of these."""
DENSE = (layers.Dense, layers.EinsumDense)
TRANSPOSED = (layers.Conv1DTranspose, layers.Conv2DTranspose, layers.Conv3DTranspose)
DEPTHWISE = (layers.DepthwiseConv1D, layers.DepthwiseConv2D)
SEPARABLE = (layers.SeparableConv1D, layers.SeparableConv2D)
CONV = (layers.Conv1D, layers.Conv2D, layers.Conv3D, *TRANSPOSED, *DEPTHWISE, *SEPARABLE)
RECURRENT_CONV = (layers.ConvLSTM1D, layers.ConvLSTM2D, layers.ConvLSTM3D)
RECURRENT = (layers.RNN, layers.Bidirectional)
ATTENTION = (layers.MultiHeadAttention, layers.GroupQueryAttention)
KNOWN = (*DENSE, *CONV, layers.Embedding, *RECURRENT, *ATTENTION, layers.TimeDistributed)
"""Layers of their own, whatever layers they are made of."""
UNIT_NORMS = (layers.BatchNormalization, layers.GroupNormalization)
BENDING = (layers.ReLU, layers.LeakyReLU, layers.PReLU, layers.ELU)
MIXING = ("softmax", "log_softmax", "sparsemax", "glu")
"""Activation functions that mix the units, so that a layer is heard before them."""
NAMES = {
    "relu": "ReLU", "relu6": "ReLU6", "leaky_relu": "LeakyReLU", "elu": "ELU", "selu": "SELU", "gelu": "GELU",
    "silu": "SiLU", "swish": "SiLU", "mish": "Mish", "tanh": "Tanh", "sigmoid": "Sigmoid", "softplus": "Softplus",
    "log_sigmoid": "LogSigmoid", "softsign": "Softsign", "hard_sigmoid": "Hardsigmoid", "hard_silu": "Hardswish",
}  # fmt: skip
"""Nonlinearities by the names that every adapter gives them."""
_BENDS = re.compile(r"(?i)(relu|elu|gelu|silu|swish|mish|tanh|sigmoid|softplus|activation)")


@dataclass(frozen=True)
class Kind:
    """What a computing layer's kind says of its units."""

    name: str
    units: int | None
    unit_axis: int = -1
    unit: str = "neuron"


def role(layer: Any, leaf: bool) -> str:
    """What a layer does to the units of the value that flows through it; `leaf`: no layers inside."""
    if isinstance(layer, KNOWN):
        return COMPUTES
    if isinstance(layer, layers.Activation):
        return BENDS if function(layer.activation) not in (*MIXING, None) else OTHER
    name = type(layer).__name__
    if isinstance(layer, BENDING) or (leaf and not layer.variables and _BENDS.search(name)):
        return BENDS
    if isinstance(layer, UNIT_NORMS):
        return NORMALISES
    own = leaf and (layer.trainable_variables or type(layer).add_weight is not layers.Layer.add_weight)
    return COMPUTES if own and "norm" not in name.lower() else OTHER


def function(activation: Any) -> str | None:
    """The name of an `activation=`, None where there is none; a layer given as one has its class's name."""
    if activation is None:
        return None
    if isinstance(activation, layers.Layer):
        return type(activation).__name__
    name = getattr(activation, "__name__", type(activation).__name__)
    return None if name == "linear" else name


def nonlinearity(bend: Any) -> str:
    """What a bending layer, operation or function (by its name) is called: its class's name, or its function's."""
    if isinstance(bend, str) or not isinstance(bend, layers.Layer):
        name: str | None = bend if isinstance(bend, str) else operation(bend)
    else:
        name = function(bend.activation) if isinstance(bend, layers.Activation) else type(bend).__name__
    return NAMES.get(name or "", name or "Identity")


def operation(node: Any) -> str:
    """The function that a node of a graph stands for: `leaky_relu` for a LeakyRelu."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", type(node).__name__).lower()


def own_function(layer: Any) -> str | None:
    """The nonlinearity that a computing layer applies itself, unit by unit or not."""
    bent = isinstance(layer, (*DENSE, *CONV)) or not isinstance(layer, KNOWN)
    return function(getattr(layer, "activation", None)) if bent else None


def mixes(name: str | None) -> bool:
    return (name or "").lower() in (*MIXING, "logsoftmax")


def kind(layer: Any) -> Kind:
    """By what the layer is, never by how many axes its values have."""
    if isinstance(layer, DENSE):
        return Kind("dense", layer.units if isinstance(layer, layers.Dense) else _einsum_units(layer))
    if isinstance(layer, (*CONV, *RECURRENT_CONV)):
        axis = -1 if layer.data_format == "channels_last" else 1
        return Kind("conv", _channels(layer), axis, "channel")
    if isinstance(layer, layers.Embedding):
        return Kind("embedding", layer.output_dim, unit="feature")
    if isinstance(layer, RECURRENT):
        return Kind("recurrent", _recurrent(layer))
    if isinstance(layer, ATTENTION):
        return Kind("attention", int(layer.output_dense.kernel.shape[-1]) if layer.built else None)
    return Kind("other", None)


def einsum(layer: Any) -> int:
    """Which axis of the kernel counts the units, the last letter of what comes out; -1: none does."""
    taken, out = layer.equation.replace(" ", "").replace("...", "").split("->")
    return int(taken.split(",")[1].find(out[-1]))


def _einsum_units(layer: Any) -> int | None:
    at = einsum(layer) if layer.built else -1
    return int(layer.kernel.shape[at]) if at >= 0 else None


def _channels(layer: Any) -> int | None:
    if isinstance(layer, DEPTHWISE):
        return int(layer.kernel.shape[-2] * layer.kernel.shape[-1]) if layer.built else None
    return int(layer.filters)


def _recurrent(layer: Any) -> int | None:
    if isinstance(layer, layers.Bidirectional):
        units = _recurrent(layer.forward_layer)
        return units * 2 if units and layer.merge_mode == "concat" else units if layer.merge_mode else None
    units = getattr(layer.cell, "units", None)
    return int(units) if units else None
