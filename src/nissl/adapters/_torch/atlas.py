"""The layers of a model: their names, what they are, and where each is heard, as far as that is known."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor, nn
from torch.nn.parameter import UninitializedParameter

from nissl.adapters._torch import kinds, parameters
from nissl.adapters._torch.kinds import BENDS, COMPUTES, NORMALISES, PASSES
from nissl.core.layer import Layer
from nissl.errors import Unsupported

_WRAPPED = {"_orig_mod", "_fsdp_wrapped_module", "_checkpoint_wrapped_module"}
_PARALLEL = (nn.DataParallel, nn.parallel.DistributedDataParallel)
_PROJECTIONS = ("out_proj", "c_proj", "o_proj", "proj")


@dataclass(eq=False)
class Place:
    """A layer and the point of a pass where it is heard."""

    layer: Layer
    module: nn.Module
    """The computing module; for heads, the projection at whose input they are heard."""
    call: int = 0
    at: nn.Module = field(default=None)  # type: ignore[assignment]
    """The module at whose output it is heard: itself, a norm or the nonlinearity."""
    at_call: int = 0
    norm: nn.Module | None = None
    """The norm between the module and where it is heard."""
    enters: bool = False
    """Heard at the input of `at` instead: attention heads."""
    waits: bool = False
    """Heard at what bends the output of `at`: a plain function, or `follower`."""
    follower: nn.Module | None = None
    """A nonlinearity's module that serves several layers: which call is whose, only the tensors tell."""
    source: tuple[nn.Module, int] | None = None
    """The module, and its call, whose output the nonlinearity was given."""
    known: bool = False
    """Where it is heard is sure."""

    def __post_init__(self) -> None:
        if self.at is None:
            self.at = self.module

    @property
    def name(self) -> str:
        return self.layer.name

    def shown(self, value: Tensor) -> Tensor:
        """A value as the layer says that it is: heads on an axis of their own, packed rows as examples, nested ones padded."""
        if value.is_nested:  # what nn.TransformerEncoder makes of a padding mask in evaluation mode
            value = value.to_padded_tensor(0.0)
        if self.enters:
            return value.reshape(*value.shape[:-1], self.layer.units or 1, -1)
        return value.unsqueeze(0) if self.layer.batch_axis == 1 and value.dim() == 2 and self.packs else value

    @property
    def packs(self) -> bool:
        return isinstance(self.module, nn.RNNBase)

    def restored(self, value: Tensor) -> Tensor:
        """The inverse of `shown`."""
        if self.enters:
            return value.flatten(-2)
        return value.squeeze(0) if self.layer.batch_axis == 1 and value.dim() == 3 and self.packs else value


class Atlas:
    """Every layer of a model in order; late calls of a module are added when a pass shows them."""

    def __init__(self, model: nn.Module, *, leaves: bool = False):
        self.root = unwrapped(model)
        self.leaves = leaves
        self.by_index = False
        """Compiled graphs don't show tensors: there, calls are told apart by their number alone."""
        self.places: list[Place] = []
        self.calls: dict[tuple[nn.Module, bool], int] = {}
        """How often a pass has called each module, as far as seen."""
        self.version = 0
        """Grows whenever more is known."""
        found = list(walk(self.root))
        _refuse(found)
        self.roles = {module: kinds.role(module) for _, module, _ in found}
        """What each module does to units, for all that a value can flow through on its way to where it is heard."""
        self.paths: dict[nn.Module, list[str]] = {}
        for name, module, _ in found:
            self.paths.setdefault(module, []).append(name)
        for name, module, parent in found:
            if self.paths[module][0] == name:
                self._add(name or "model", module, parent)
        self.containers = [m for m in self.paths if not kinds.is_leaf(m) and self.roles[m] != COMPUTES]
        self._foresee()

    def _add(self, name: str, module: nn.Module, parent: nn.Module | None) -> None:
        inner = _projection(module, parent)
        if inner is not None:
            count = kinds.heads(module)
            head = Layer(name, "attention", count, -2, unit="head", remark="heads are heard before they are projected")
            self.places.append(Place(head, inner, enters=True, known=True))
            self.calls[inner, True] = 1
        computes = self.roles[module] == COMPUTES
        if computes or (self.leaves and kinds.is_leaf(module)):
            self.places.append(Place(self._layer(name, module), module, known=self.leaves or module is self.root))
            self.calls[module, False] = 1

    def _layer(self, name: str, module: nn.Module) -> Layer:
        kind = kinds.kind(module)
        if self.roles[module] in (BENDS, PASSES) and kind.unit_axis == -1 and self.places:
            before = self.places[-1].layer  # element by element: the units are those of what feeds it
            kind = replace(kind, unit_axis=before.unit_axis, units=before.units, unit=before.unit)
        also = self.paths[module][1:]
        remark = f"the same module is also {', '.join(also)}" if also else None
        known = parameters.shapes(module)
        return Layer(
            name, kind.name, kind.units, kind.unit_axis, kind.batch_axis, kind.unit, parameters=known, remark=remark
        )

    def _foresee(self) -> None:
        """Inside a Sequential neighbours follow each other, so that where a layer is heard is known before any pass."""
        if self.leaves:
            return
        by_module = {place.module: place for place in self.places if not place.enters}
        for sequence in self.paths:
            if isinstance(sequence, nn.Sequential) and type(sequence).forward is nn.Sequential.forward:
                modules = list(sequence)
                for i, module in enumerate(modules):
                    if module in by_module and self._once(module):
                        self._follow(by_module[module], modules[i + 1 :], sequence is self.root)

    def _once(self, module: nn.Module) -> bool:
        return len(self.paths[module]) == 1

    def _follow(self, place: Place, after: list[nn.Module], after_all: bool) -> None:
        """`after_all`: nothing comes after these, since what they make is what the model returns."""
        norm, before = None, place.module
        for module in after:
            role = self.roles.get(module)
            if role not in (BENDS, NORMALISES, PASSES):
                place.known = True
                break
            if not self._once(module):
                return
            if role == BENDS:
                place.source = (before, 0)
                self.settle(place, module, 0, norm, type(module).__name__)
                return
            before = module
            norm = module if role == NORMALISES else norm
        else:
            place.known = after_all
        if place.known:
            self.settle(place, norm or place.module, 0, norm)

    def settle(
        self, place: Place, at: nn.Module, call: int, norm: nn.Module | None = None, bends: str | None = None
    ) -> None:
        """From now on it is known where this layer is heard."""
        self.version += 1
        place.at, place.at_call, place.norm, place.known = at, call, norm, True
        self.calls[at, place.enters] = max(call + 1, self.calls.get((at, place.enters), 0))
        through = f"heard after {self.paths[norm][0]} ({type(norm).__name__})" if norm is not None else None
        place.layer = replace(place.layer, nonlinearity=bends, remark=joined(place.layer.remark, through))

    def place(self, module: nn.Module, enters: bool, call: int) -> Place:
        """The layer of this call; a call never seen before becomes a layer of its own."""
        same = [p for p in self.places if p.module is module and p.enters == enters]
        for place in same:
            if place.call == call:
                return place
        first = same[0]
        fresh = replace(first.layer, name=f"{first.name}#{call + 1}", nonlinearity=None, inputs=())
        late = Place(fresh, module, call, at_call=call, enters=enters, known=self.leaves or enters)
        self.places.insert(self.places.index(same[-1]) + 1, late)
        self.calls[module, enters] = call + 1
        self.version += 1
        return late

    def count(self, calls: Mapping[tuple[nn.Module, bool], int]) -> None:
        """A pass made these calls. Of nonlinearities called more than once, it is the tensors that tell whose call is whose."""
        for key, count in calls.items():
            self.version += count > self.calls.get(key, 0)
            self.calls[key] = max(count, self.calls.get(key, 0))
        for place in self.places:
            bends = self.roles.get(place.at) == BENDS and place.at is not place.module and not self.by_index
            if bends and place.source is not None and calls.get((place.at, False), 0) > 1:
                self.version += 1
                place.follower, place.waits = place.at, True
                place.at, place.at_call = place.source

    def arrange(self, order: list[Place]) -> None:
        """Put the layers that a pass has called in the order in which it did; the others stay where they are."""
        called = list(dict.fromkeys(order))
        at = sorted(self.places.index(place) for place in called)
        for i, place in zip(at, called, strict=True):
            self.places[i] = place


def joined(*remarks: str | None) -> str | None:
    return "; ".join(dict.fromkeys(part for remark in remarks if remark for part in remark.split("; "))) or None


def unwrapped(model: nn.Module) -> nn.Module:
    """The user's own module inside whatever torch has wrapped around it."""
    while True:
        inner = next((model._modules[name] for name in _WRAPPED if name in model._modules), None)
        if inner is None and isinstance(model, _PARALLEL):
            if isinstance(model, nn.DataParallel) and len(model.device_ids) > 1:
                raise Unsupported(
                    "DataParallel over several devices runs copies of the model in threads, which can't be told apart. "
                    "Use DistributedDataParallel, with one recorder a process."
                )
            inner = model.module
        if inner is None:
            return model
        model = inner


def walk(
    module: nn.Module, path: str = "", parent: nn.Module | None = None
) -> Iterator[tuple[str, nn.Module, nn.Module | None]]:
    """(path, module, parent) of every use of every module, wrappers left out, nothing inside computing modules."""
    inner = unwrapped(module)
    yield path, inner, parent
    if kinds.role(inner) == COMPUTES:
        return
    for name, child in inner._modules.items():
        if child is not None:
            yield from walk(child, f"{path}.{name}" if path else name, inner)


def _projection(module: nn.Module, parent: nn.Module | None) -> nn.Module | None:
    """The module that mixes an attention block's heads, where it is called as a module."""
    count = kinds.heads(module)
    if count is None:
        return None
    found = [getattr(module, name, None) for name in _PROJECTIONS]
    found.append(
        getattr(getattr(parent, "output", None), "dense", None)
    )  # Hugging Face: attention.self, attention.output
    for candidate in found:
        if isinstance(candidate, nn.Module):
            width = kinds.width_in(candidate)
            if width is not None and width % count == 0:
                return candidate
    return None


def _refuse(found: list[tuple[str, nn.Module, nn.Module | None]]) -> None:
    for name, module, _ in found:
        if isinstance(module, torch.jit.ScriptModule):
            raise Unsupported(
                f"{name or 'The model'} is TorchScript, which calls no hooks, so that nothing inside it could be heard. "
                "Give the model as it was before torch.jit.script or trace."
            )
        if any(isinstance(p, UninitializedParameter) for p in module.parameters(recurse=False)):
            raise Unsupported(
                f"{name or 'The model'} is lazy ({type(module).__name__}): it has no size before its first pass. Run one batch "
                "through the model, then open it."
            )
    if not any(kinds.role(module) == COMPUTES for _, module, _ in found):
        raise Unsupported(
            f"{type(found[0][1]).__name__} has no module that computes (Linear, Conv2d ...), so that no layer can be heard. "
            "Models that are plain functions can hand over arrays: see docs/how-to/arrays.md."
        )
