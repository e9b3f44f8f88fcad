"""Flax nnx."""

from typing import Any, ClassVar

from flax import nnx

from nissl.adapters._jax.nnx import Nnx
from nissl.adapters._jax.traced import Traced
from nissl.core.capabilities import Differentiable, Editable
from nissl.core.network import Network


class Flax(Traced, Network, Editable, Differentiable):
    """Any `flax.nnx.Module`; steps under `nnx.jit` are heard from inside."""

    framework: ClassVar[str] = "flax"

    def __init__(self, model: nnx.Module, *, functional: bool = False, leaves: bool = False):
        super().__init__(model, Nnx(), functional=functional, leaves=leaves)

    @classmethod
    def accepts(cls, model: Any) -> bool:
        return isinstance(model, nnx.Module)
