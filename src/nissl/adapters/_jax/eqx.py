"""Equinox: models are values, made anew by every step; they take one example, channels first, under `jax.vmap`."""

import inspect
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields
from typing import Any

import equinox
import jax
from equinox import nn
from jax import numpy as jnp

from nissl.adapters._jax.kinds import Dialect, Form, Inside, Kind, Within, at_once, gates, nested
from nissl.adapters._jax.values import called_with


class Eqx(Dialect):
    """How Equinox does it."""

    batched = False
    values = True

    def __init__(self) -> None:
        def run(model: Any, inside: Inside, x: Any) -> Any:
            return inside(lambda: _mapped(self.still(model), x), (model, x))

        self._run = equinox.filter_jit(run)
        applies = getattr(sys.modules[nn.MLP.__module__], "_vmap_a_of_b", None)  # how an MLP calls its `activation`
        self.appliers = (applies,) if applies else ()

    def children(self, module: Any) -> Iterator[tuple[str, Any]]:
        for field in fields(module):
            for path, child in nested(getattr(module, field.name, None), equinox.Module):
                yield f"{field.name}.{path}" if path else field.name, child

    def kind(self, module: Any) -> Kind | None:
        if isinstance(module, nn.Linear):
            units = 1 if module.out_features == "scalar" else module.out_features
            return Kind("dense", units, forms=_forms(module), axes=0 if module.out_features == "scalar" else 1)
        if isinstance(module, nn.Conv | nn.ConvTranspose):
            axes = module.num_spatial_dims + 1
            return Kind("conv", module.out_channels, -axes, unit="channel", forms=_forms(module), axes=axes)
        if isinstance(module, nn.Embedding):
            turned = Form(("weight",), lambda a: a.T, lambda a: a.T)
            return Kind("embedding", module.embedding_size, unit="feature", forms={"weight": turned})
        if isinstance(module, nn.MultiheadAttention):
            projected = {
                key: Form(("output_proj", *form.path), form.unit_first, form.back)
                for key, form in _forms(module.output_proj).items()
            }
            return Kind("attention", module.output_size, forms=projected, axes=2)
        if isinstance(module, nn.GRUCell | nn.LSTMCell):
            units = module.hidden_size
            given = {name: getattr(module, name, None) for name in ("weight_ih", "weight_hh", "bias", "bias_n")}
            forms = {n: Form((n,), *gates(units, a.shape, 0)) for n, a in given.items() if a is not None}
            return Kind("recurrent", units, forms=forms)
        return None

    def normalises(self, module: Any) -> bool:
        return isinstance(module, nn.BatchNorm | nn.GroupNorm)

    def copy(self, model: Any) -> Any:
        return model

    def arrays(self, module: Any) -> dict[str, Any]:
        every = jax.tree.leaves(module)
        return {str(at): leaf for at, leaf in enumerate(every) if equinox.is_array(leaf)}

    def evaluates(self, module: Any) -> bool:
        modes = [vars(m).get("inference") for _, m in _every(module)]
        known = [mode for mode in modes if isinstance(mode, bool)]
        return bool(known) and all(known)

    def still(self, model: Any) -> Any:
        return nn.inference_mode(model)

    def apply(self, model: Any, x: Any, within: Within = at_once) -> Any:
        return _mapped(model, x, within)

    def compiled(self, model: Any, x: Any, inside: Inside) -> Any:
        return self._run(model, inside, x)

    def split(self, model: Any) -> tuple[Any, Callable[[Any], Any]]:
        parameters, rest = equinox.partition(model, equinox.is_inexact_array)
        return parameters, lambda given: equinox.combine(given, rest)

    def get(self, module: Any, path: tuple[str, ...]) -> Any:
        return _at(module, path)

    def put(self, model: Any, parts: tuple[str, ...], values: Mapping[tuple[str, ...], Any]) -> Any:
        for path, value in values.items():
            new = jnp.asarray(value, _at(model, (*parts, *path)).dtype)
            model = equinox.tree_at(lambda m, path=path: _at(m, (*parts, *path)), model, new)
        return model


def _mapped(model: Any, x: Any, within: Within = at_once) -> Any:
    """Each example on its own; a `key` that the model insists on is None, as Equinox has it in inference."""
    key = inspect.signature(model).parameters.get("key")
    extra = {"key": None} if key is not None and key.default is key.empty else {}
    return jax.vmap(lambda one: within(lambda: called_with(model, one, **extra)))(x)


def _every(module: Any) -> Iterator[tuple[str, Any]]:
    for path, child in nested([getattr(module, f.name, None) for f in fields(module)], equinox.Module):
        yield path, child
        yield from _every(child)


def _at(value: Any, path: tuple[str, ...]) -> Any:
    for part in path:
        if isinstance(value, Mapping):
            value = value[part]
        else:
            value = value[int(part)] if isinstance(value, list | tuple) else getattr(value, part)
    return value


def _forms(module: Any) -> dict[str, Form]:
    """Unit first already; a convolution's bias has axes for its positions."""
    forms = {"weight": Form(("weight",))}
    if module.bias is not None:
        shape = module.bias.shape
        forms["bias"] = Form(("bias",), lambda a: a.reshape(-1), lambda a: a.reshape(shape))
    return forms
