"""What a module is: which ones compute, which normalise the same units, which are nonlinearities; and where its units are."""

import re
from dataclasses import dataclass

from torch import nn

COMPUTES, NORMALISES, BENDS, PASSES, OTHER = "computes", "normalises", "bends", "passes", "other"
"""Roles on the way of a value: a layer of its own; a norm over the same units; a nonlinearity; nothing to the units."""
DENSE = (nn.Linear, nn.Bilinear)
CONV = (nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)
TRANSPOSED = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)
EMBEDDING = (nn.Embedding, nn.EmbeddingBag)
CELLS = (nn.RNNCell, nn.LSTMCell, nn.GRUCell)
RECURRENT = (nn.RNN, nn.LSTM, nn.GRU, *CELLS)
KNOWN = (*DENSE, *CONV, *EMBEDDING, *RECURRENT, nn.MultiheadAttention)
UNIT_NORMS = (nn.modules.batchnorm._BatchNorm, nn.modules.instancenorm._InstanceNorm, nn.GroupNorm)
BENDING = (
    nn.ReLU, nn.ReLU6, nn.LeakyReLU, nn.PReLU, nn.RReLU, nn.ELU, nn.CELU, nn.SELU, nn.GELU, nn.SiLU, nn.Mish, nn.Sigmoid,
    nn.Tanh, nn.Hardtanh, nn.Hardsigmoid, nn.Hardswish, nn.LogSigmoid, nn.Softplus, nn.Softsign, nn.Threshold,
    nn.Hardshrink, nn.Softshrink, nn.Tanhshrink,
)  # fmt: skip
"""Nonlinearities that treat each unit by itself. Softmax and its kind mix the units and so end no layer."""
HEADS = ("heads", "num_heads", "num_attention_heads", "n_head", "n_heads")
"""Names under which attention blocks say how many heads they have."""
_BENDS = re.compile(r"(?i)(relu|elu|gelu|silu|swish|mish|tanh|sigmoid|softplus|activation)")
_UNIT_NORM = re.compile(r"(?i)(batch|group|instance).*norm")


@dataclass(frozen=True)
class Kind:
    """What a computing module's kind says of its units."""

    name: str
    units: int | None
    unit_axis: int = -1
    batch_axis: int = 0
    unit: str = "neuron"


def is_leaf(module: nn.Module) -> bool:
    return next(module.children(), None) is None


def is_conv1d(module: nn.Module) -> bool:
    """GPT-2's Conv1D of Hugging Face: a dense module whose weight is stored input first."""
    return type(module).__name__ == "Conv1D" and hasattr(module, "nf") and hasattr(module, "weight")


def role(module: nn.Module) -> str:
    """What a module does to the units of the value that flows through it."""
    name = type(module).__name__
    if isinstance(module, KNOWN) or is_conv1d(module):
        return COMPUTES
    own = next(module.parameters(recurse=False), None) is not None
    if isinstance(module, BENDING) or (is_leaf(module) and not own and _BENDS.search(name)):
        return BENDS
    if isinstance(module, UNIT_NORMS) or _UNIT_NORM.search(name):
        return NORMALISES
    if isinstance(module, nn.Identity | nn.modules.dropout._DropoutNd):
        return PASSES
    return COMPUTES if is_leaf(module) and own and "norm" not in name.lower() else OTHER


def kind(module: nn.Module) -> Kind:
    """By what the module is, never by how many axes its values have."""
    if isinstance(module, DENSE):
        return Kind("dense", module.out_features)
    if is_conv1d(module):
        return Kind("dense", int(module.nf))  # type: ignore[arg-type]
    if isinstance(module, CONV):
        return Kind("conv", module.out_channels, 1, unit="channel")
    if isinstance(module, EMBEDDING):
        return Kind("embedding", module.embedding_dim, unit="feature")
    if isinstance(module, nn.MultiheadAttention):
        return Kind("attention", module.embed_dim, batch_axis=0 if module.batch_first else 1)
    if isinstance(module, CELLS):
        return Kind("recurrent", module.hidden_size)
    if isinstance(module, nn.RNNBase):
        units = (module.proj_size or module.hidden_size) * (2 if module.bidirectional else 1)
        return Kind("recurrent", units, batch_axis=0 if module.batch_first else 1)
    return Kind("other", *_other(module))


def _other(module: nn.Module) -> tuple[int | None, int, int, str]:
    """Leaf modules that aren't layers unless every leaf is one."""
    for attribute in ("num_features", "num_channels"):
        if role(module) == NORMALISES and isinstance(getattr(module, attribute, None), int):
            return getattr(module, attribute), 1, 0, "channel"
    if isinstance(module, nn.LayerNorm):
        return module.normalized_shape[-1], -1, 0, "neuron"
    if "Pool" in type(module).__name__ or isinstance(module, nn.Dropout2d | nn.Dropout3d | nn.PixelShuffle):
        return None, 1, 0, "channel"
    return None, -1, 0, "neuron"


def heads(module: nn.Module) -> int | None:
    """How many heads an attention block says that it has."""
    if isinstance(module, nn.MultiheadAttention) or is_leaf(module):
        return None
    places = [module]
    if "attention" in type(module).__name__.lower() and hasattr(module, "config"):
        places.append(module.config)  # type: ignore[arg-type]
    for place in places:
        for attribute in HEADS:
            found = getattr(place, attribute, None)
            if isinstance(found, int) and found > 0:
                return found
    return None


def width_in(module: nn.Module) -> int | None:
    """How many numbers a dense module takes, None if it isn't dense."""
    if isinstance(module, nn.Linear):
        return module.in_features
    return int(module.weight.shape[0]) if is_conv1d(module) else None  # type: ignore[index]
