"""Flax nnx: modules are objects that hold variables; they take batches, the unit axis last."""

import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import jax
from flax import nnx
from jax import numpy as jnp

from nissl.adapters._jax.kinds import Compiler, Dialect, Form, Inside, Kind, Within, at_once, gates, last_first, nested
from nissl.adapters._jax.values import called_with

JITS = {"JitWrapped": ("JitFn", 2), "SimpleJitWrapped": ("SimpleJitFn", 0)}
"""Classes of what `nnx.jit` makes and gives to `jax.jit`, by mode, and where in a tuple of three, or two, the output is."""
CELLS = (nnx.LSTMCell, nnx.OptimizedLSTMCell, nnx.SimpleCell, nnx.GRUCell)
MODES = ("deterministic", "use_running_average")


class Nnx(Dialect):
    """How nnx does it."""

    batched = True
    values = False

    def __init__(self) -> None:
        def run(definition: Any, inside: Inside, state: Any, x: Any) -> Any:
            return inside(lambda: self.apply(self._stilled(nnx.merge(definition, state)), x), (state, x))

        self._run = jax.jit(run, static_argnums=(0, 1))
        self.compilers = tuple(_compilers())

    def children(self, module: Any) -> Iterator[tuple[str, Any]]:
        for name, value in vars(module).items():
            if not name.startswith("_"):
                for path, child in nested(value, nnx.Module):
                    yield f"{name}.{path}" if path else name, child

    def kind(self, module: Any) -> Kind | None:
        if isinstance(module, nnx.Linear):
            return Kind("dense", module.out_features, forms=_forms(module, "kernel"))
        if isinstance(module, nnx.LinearGeneral):
            return _general(module)
        if isinstance(module, nnx.Conv | nnx.ConvTranspose):
            return _conv(module)
        if isinstance(module, nnx.Embed):
            return Kind("embedding", module.features, unit="feature", forms=_forms(module, "embedding"))
        if isinstance(module, nnx.MultiHeadAttention):
            return Kind("attention", module.out_features, axes=2)
        return _sequential(module)

    def normalises(self, module: Any) -> bool:
        return isinstance(module, nnx.BatchNorm | nnx.GroupNorm | nnx.InstanceNorm)

    def copy(self, model: Any) -> Any:
        return nnx.clone(model)

    def arrays(self, module: Any) -> dict[str, Any]:
        every = _variables(module)
        return {".".join(path): variable.get_value() for path, variable in every if isinstance(variable, nnx.Param)}

    def evaluates(self, module: Any) -> bool:
        modes = [vars(m).get(mode) for _, m in nnx.iter_modules(module) for mode in MODES]
        known = [mode for mode in modes if isinstance(mode, bool)]
        return bool(known) and all(known)

    def still(self, model: Any) -> Any:
        return self._stilled(self.copy(model))

    def _stilled(self, copy: Any) -> Any:
        copy.eval()
        return copy

    def apply(self, model: Any, x: Any, within: Within = at_once) -> Any:
        return within(lambda: called_with(model, x))

    def compiled(self, model: Any, x: Any, inside: Inside) -> Any:
        definition, state = nnx.split(model)
        return self._run(definition, inside, state, x)

    def split(self, model: Any) -> tuple[Any, Callable[[Any], Any]]:
        definition, parameters, rest = nnx.split(model, nnx.Param, ...)
        return parameters, lambda given: nnx.merge(definition, given, rest)

    def get(self, module: Any, path: tuple[str, ...]) -> Any:
        return _variable(module, path).get_value()

    def put(self, model: Any, parts: tuple[str, ...], values: Mapping[tuple[str, ...], Any]) -> Any:
        for path, value in values.items():
            variable = _variable(model, (*parts, *path))
            variable.set_value(jnp.asarray(value, variable.get_value().dtype))
        return model


def _compilers() -> Iterator[Compiler]:
    """As far as this version of Flax has them."""
    home = sys.modules[nnx.jit.__module__]
    for wrapped, (traced, place) in JITS.items():
        if hasattr(home, wrapped) and hasattr(home, traced):
            yield Compiler(getattr(home, wrapped), getattr(home, traced), place)


def _variable(module: Any, path: tuple[str, ...]) -> Any:
    for part in path:
        module = module[part if isinstance(module, Mapping) else int(part)] if _holds(module) else getattr(module, part)
    return module


def _holds(value: Any) -> bool:
    return isinstance(value, list | tuple | Mapping)


def _variables(module: Any) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every variable below a module, by path; modules that share one show it in each."""
    for name, value in vars(module).items():
        if not name.startswith("_"):
            for path, found in nested(value, (nnx.Variable, nnx.Module)):
                where = (name, *(path.split(".") if path else ()))
                if isinstance(found, nnx.Variable):
                    yield where, found
                else:
                    yield from ((where + inner, variable) for inner, variable in _variables(found))


def _forms(module: Any, kernel: str) -> dict[str, Form]:
    forms = {"weight": Form((kernel,), *last_first())}
    return forms | ({"bias": Form(("bias",))} if getattr(module, "bias", None) is not None else {})


def _conv(module: Any) -> Kind:
    size = module.kernel_size
    axes = 1 + (len(size) if isinstance(size, tuple | list) else 1)
    forms = _forms(module, "kernel")
    if getattr(module, "transpose_kernel", False):  # (..., out, in)
        forms["weight"] = Form(
            ("kernel",), lambda a: a.transpose(-2 + a.ndim, -1 + a.ndim, *range(a.ndim - 2)),
            lambda a: a.transpose(*range(2, a.ndim), 0, 1),
        )  # fmt: skip
    return Kind("conv", module.out_features, unit="channel", forms=forms, axes=axes)


def _general(module: Any) -> Kind | None:
    """A dense layer between several axes; where it puts out one, that counts its units."""
    out = module.out_features
    if not isinstance(out, int) and len(out) != 1:
        return Kind("other", None, axes=len(out))
    units = out if isinstance(out, int) else out[0]
    shape = module.kernel.shape
    weight = Form(("kernel",), lambda a: a.reshape(-1, units).T, lambda a: a.T.reshape(shape))
    bias = {"bias": Form(("bias",), lambda a: a.reshape(-1))} if getattr(module, "bias", None) is not None else {}
    return Kind("dense", units, forms={"weight": weight} | bias)


def _sequential(module: Any) -> Kind | None:
    """Cells, and what runs them along a sequence: the last that they return is the value."""
    cell, axes = (module.cell, 2) if isinstance(module, nnx.RNN) else (module, 1)
    if isinstance(cell, CELLS):
        units = cell.hidden_features
        return Kind("recurrent", units, forms=_recurrent(module, units), axes=axes, last=True)
    return Kind("recurrent", None, axes=2, last=True) if isinstance(module, nnx.Bidirectional) else None


def _recurrent(module: Any, units: int) -> dict[str, Form]:
    return {
        ".".join(path): Form(path, *gates(units, variable.shape, -1))
        for path, variable in _variables(module)
        if isinstance(variable, nnx.Param) and variable.shape and variable.shape[-1] % units == 0
    }
