"""A module's parameters with the unit first, and back again; the same way for weights and for their gradients."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from nissl.adapters._torch import kinds
from nissl.adapters._torch.bordered import Bordered
from nissl.adapters._torch.processes import full, is_sharded
from nissl.adapters._torch.values import to_numpy
from nissl.errors import BadValue, UnknownName, Unsupported, listing, near

Turn = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Form:
    """One named array of a layer: which of the module's tensors it joins, and how each is turned unit first and back."""

    attributes: tuple[str, ...]
    unit_first: Turn = lambda t: t
    back: Turn = lambda t: t
    whole: bool = False
    """It takes the whole tensor to turn it; otherwise some of its rows will do."""


def forms(module: nn.Module) -> dict[str, Form]:
    """What `weights` gives for this module."""
    if isinstance(module, nn.MultiheadAttention):  # its units are what its output projection puts out
        return _present(module, {"weight": Form(("out_proj.weight",)), "bias": Form(("out_proj.bias",))})
    if isinstance(module, kinds.RECURRENT):
        return _recurrent(module)
    turned = Form(("weight",))
    if isinstance(module, kinds.EMBEDDING) or kinds.is_conv1d(module):
        turned = Form(("weight",), lambda t: t.transpose(0, 1), lambda t: t.transpose(0, 1))
    elif isinstance(module, kinds.TRANSPOSED):
        turned = Form(("weight",), *_transposed(module.groups), whole=module.groups > 1)
    elif not isinstance(module, kinds.KNOWN):
        return {name: Form((name,)) for name, _ in module.named_parameters(recurse=False)}
    border = {"border": Form(("border",))} if isinstance(module, Bordered) else {}
    return _present(module, {"weight": turned, "bias": Form(("bias",)), **border})


def _present(module: nn.Module, found: dict[str, Form]) -> dict[str, Form]:
    return {key: form for key, form in found.items() if _get(module, form.attributes[0]) is not None}


def _get(module: nn.Module, path: str) -> Tensor | None:
    value: Any = module
    for part in path.split("."):
        value = getattr(value, part, None)
    return value


def _transposed(groups: int) -> tuple[Turn, Turn]:
    """From (in, out/groups, ...) to (out, in/groups, ...), and the same way back."""

    def turn(t: Tensor) -> Tensor:
        parts = t.reshape(groups, t.shape[0] // groups, *t.shape[1:]).transpose(1, 2)
        return parts.reshape(groups * parts.shape[1], *parts.shape[2:])

    return turn, turn  # it is its own inverse


def _recurrent(module: nn.Module) -> dict[str, Form]:
    """Each unit's gates side by side; both directions one after the other, as the output has them."""
    size = int(module.hidden_size)  # type: ignore[arg-type]
    names = [name for name, _ in module.named_parameters(recurse=False) if not name.endswith("_reverse")]
    if getattr(module, "proj_size", 0):  # the units are the projection's
        return {name: Form(_directions(module, name), whole=True) for name in names if name.startswith("weight_hr")}

    def unit_first(t: Tensor) -> Tensor:
        return t.reshape(-1, size, *t.shape[1:]).transpose(0, 1).reshape(size, -1)

    def back_to(shape: tuple[int, ...]) -> Turn:
        return lambda t: t.reshape(size, -1, *shape[1:]).transpose(0, 1).reshape(shape)

    return {
        name: Form(_directions(module, name), unit_first, back_to(tuple(getattr(module, name).shape)), whole=True)
        for name in names
    }


def _directions(module: nn.Module, name: str) -> tuple[str, ...]:
    return (name, f"{name}_reverse") if getattr(module, "bidirectional", False) else (name,)


def shapes(module: nn.Module) -> dict[str, tuple[int, ...]]:
    with torch.no_grad(), _settled(module):
        return {key: tuple(_joined(module, form, _shaped).shape) for key, form in forms(module).items()}


def weights(module: nn.Module) -> dict[str, Any]:
    with torch.no_grad(), _settled(module):
        return {key: to_numpy(_joined(module, form, full)).copy() for key, form in forms(module).items()}


def incoming(module: nn.Module, layer: str) -> Tensor:
    """The module's own weights as (unit, weight), so that gradients reach them; without biases."""
    found = [_joined(module, form, full).flatten(1) for key, form in forms(module).items() if key.startswith("weight")]
    if not found:
        raise Unsupported(f"{layer} has no weights that reach its units.")
    return torch.cat(found, 1)


def _shaped(tensor: Tensor) -> Tensor:
    """Something of its shape, without its values where these are on several processes."""
    return torch.empty(tensor.shape, device="meta") if is_sharded(tensor) else tensor


def _joined(module: nn.Module, form: Form, taken: Turn) -> Tensor:
    parts = [form.unit_first(taken(_get(module, attribute))) for attribute in form.attributes]  # type: ignore[arg-type]
    return parts[0] if len(parts) == 1 else torch.cat(parts)


@contextmanager
def _settled(module: nn.Module) -> Iterator[None]:
    """Reading a parametrized weight must not move the parametrization's buffers, as spectral norm's do in training."""
    inner = module.parametrizations if parametrize.is_parametrized(module) else None
    modes = [(m, m.training) for m in inner.modules()] if inner is not None else []  # type: ignore[union-attr]
    for m, _ in modes:
        m.training = False
    try:
        yield
    finally:
        for m, mode in modes:
            m.training = mode


def edit(module: nn.Module, layer: str, changed: Mapping[str, Any]) -> None:
    """Write these parameters into the module's own tensors; nothing is written unless all of it fits."""
    known, have = forms(module), shapes(module)
    for key, array in changed.items():
        if key not in known:
            raise UnknownName(f"{layer} has no parameter {key!r}.{near(key, known)} It has: {listing(known)}.")
        if tuple(array.shape) != have[key]:
            raise BadValue(f"{layer}'s {key} has the shape {have[key]}, unit first; {tuple(array.shape)} was given.")
        for attribute in known[key].attributes:
            _check_writable(module, layer, attribute)
    with torch.no_grad():
        for key, array in changed.items():
            form = known[key]
            pieces = torch.as_tensor(array).chunk(len(form.attributes))
            for attribute, piece in zip(form.attributes, pieces, strict=True):
                _write(module, attribute, form.back(piece))


def owner_of(module: nn.Module, attribute: str) -> tuple[nn.Module, str]:
    path, _, name = attribute.rpartition(".")
    return module.get_submodule(path), name


def _check_writable(module: nn.Module, layer: str, attribute: str) -> None:
    owner, name = owner_of(module, attribute)
    if name not in owner._parameters and not parametrize.is_parametrized(owner, name):
        raise Unsupported(
            f"{layer}'s {name} is computed before each pass (an old-style weight_norm, or pruning), so that what is written "
            f"to it would be lost. Make it a plain parameter first: torch.nn.utils.remove_weight_norm, prune.remove."
        )
    if is_sharded(owner._parameters.get(name)):
        raise Unsupported(
            f"{layer}'s {name} is divided over several processes (fully_shard). Edit the model before it is sharded, or one that "
            "was loaded from a full checkpoint."
        )


def _write(module: nn.Module, attribute: str, value: Tensor) -> None:
    owner, name = owner_of(module, attribute)
    if parametrize.is_parametrized(owner, name):
        try:
            setattr(owner, name, value.to(getattr(owner, name)))
        except (NotImplementedError, AttributeError) as error:
            raise Unsupported(f"{name} is parametrized without a way back (right_inverse): {error}") from error
    else:
        owner._parameters[name].copy_(value)  # type: ignore[union-attr]


def tensors(module: nn.Module) -> Iterator[tuple[Form, list[Tensor]]]:
    """The leaf tensors behind each array, whose `.grad` a training step fills; parametrized ones by their original."""
    for form in forms(module).values():
        found = [_trained(module, attribute) for attribute in form.attributes]
        if all(t is not None for t in found):
            yield form, found  # type: ignore[misc]


def _trained(module: nn.Module, attribute: str) -> Tensor | None:
    owner, name = owner_of(module, attribute)
    if not parametrize.is_parametrized(owner, name):
        return owner._parameters.get(name)
    shape = getattr(owner, name).shape
    originals = owner.parametrizations[name].parameters(recurse=False)  # type: ignore[union-attr,index]
    return next((p for p in originals if p.shape == shape), None)
