"""Equinox."""

from typing import Any, ClassVar

import equinox

from nissl.adapters._jax.eqx import Eqx
from nissl.adapters._jax.traced import Traced
from nissl.core.capabilities import Differentiable, Editable
from nissl.core.network import Network


class Equinox(Traced, Network, Editable, Differentiable):
    """Any callable `equinox.Module`; every step makes a new one, which is handed over by `recorder.renew(model)`."""

    framework: ClassVar[str] = "equinox"
    together: ClassVar[bool] = False

    def __init__(self, model: equinox.Module, *, functional: bool = False, leaves: bool = False):
        super().__init__(model, Eqx(), functional=functional, leaves=leaves)

    @classmethod
    def accepts(cls, model: Any) -> bool:
        return isinstance(model, equinox.Module) and callable(model)
