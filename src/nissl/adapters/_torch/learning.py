"""Learns from the user's own first pass where each layer is heard and what feeds it; nothing is run for it.

Modules hand tensors on: a nonlinearity follows a layer when it is given the very tensor that the layer put out. Until
that shows, the value is kept; at the end of the pass whatever nothing followed is told as it was.
"""

from dataclasses import dataclass, field
from typing import Any, Protocol

from torch import Tensor, nn
from torch.compiler import is_compiling

from nissl.adapters._torch.atlas import Atlas, Place
from nissl.adapters._torch.edges import Graph
from nissl.adapters._torch.kinds import BENDS, COMPUTES, NORMALISES, OTHER
from nissl.adapters._torch.passes import Hook, Passes, in_backward, remove
from nissl.adapters._torch.values import each, first


@dataclass(eq=False)
class Chain:
    """A layer's value on its way through what may belong to it."""

    place: Place
    tensor: Tensor
    """What the last module of it put out; held, so that its identity is its own."""
    at: nn.Module
    call: int
    kept: Tensor | None
    """A copy to tell at the end of the pass, since an in-place operation may come."""
    last: tuple[nn.Module, int]
    """Like `at` and `call`, but also past modules that change nothing."""
    norm: nn.Module | None = None
    offers: list[int] = field(default_factory=lambda: [0])
    """How many values have been offered as the layer's, in a box that its gradients' hooks may hold: the last one is it."""
    version: int = 0
    """Of the tensor, which grows with every in-place operation."""

    def __post_init__(self) -> None:
        self.version = _version(self.tensor)

    def overwritten(self, made: Tensor) -> bool:
        """Was the tensor changed, as by `out += x`, before `made` was made of it (perhaps in place)?"""
        return _version(self.tensor) - (made is self.tensor) > self.version


def _version(value: Tensor) -> int:
    return 0 if value.is_inference() else value._version


class Listeners(Protocol):
    """Who the learner tells."""

    def wanted(self, place: Place) -> bool:
        """Does somebody wait for this layer's activation, whom no hook of their own tells it?"""

    def tell(self, place: Place, kind: str, value: Tensor) -> None:
        """`value` is the layer's activation or preactivation."""

    def offer(self, chain: Chain, value: Tensor) -> None:
        """`value` may turn out to be the layer's activation: for those who want its gradient."""

    def learned(self, more: bool) -> None:
        """A pass has been looked at; is more known of where layers are heard?"""


class _Spot(Hook):
    """The learner's hook on one module: on what it is given (`enters`) or puts out."""

    __slots__ = ("enters", "learner")

    def __init__(self, learner: "Learner", enters: bool):
        self.learner, self.enters = learner, enters

    def __call__(self, module: nn.Module, args: Any, output: Any = None) -> None:
        if is_compiling() or in_backward() != -1:
            return
        passes = self.learner.passes
        alone = passes.depth == 0
        if alone:
            passes.alone(module)
        self.learner.saw(module, args, output, self.enters)
        if alone and not self.enters:
            passes.finish(output)


class _Inside(Hook):
    """What a nonlinearity's module does inside is not a plain function that follows a layer."""

    __slots__ = ("waiting",)

    def __init__(self, waiting: dict[int, Any]):
        self.waiting = waiting

    def __call__(self, module: nn.Module, args: Any) -> None:
        if args and not is_compiling():
            self.waiting.pop(id(args[0]), None)


@dataclass
class _Seen:
    """What one pass has shown so far."""

    calls: dict[tuple[nn.Module, bool], int] = field(default_factory=dict)
    chains: dict[int, Chain] = field(default_factory=dict)
    graph: Graph = field(default_factory=Graph)


class Learner:
    """Hooked on every module that matters until a pass with gradients has called it."""

    def __init__(self, atlas: Atlas, passes: Passes, listeners: Listeners):
        self.atlas, self.passes, self._listeners = atlas, passes, listeners
        self.awaited: dict[tuple[nn.Module, bool], int] = {}
        """How often a pass has called a module, where that was new: learn until another one does."""
        self._seen = _Seen()
        self._version = atlas.version
        self._handles: dict[tuple[nn.Module, bool], list[Any]] = {}
        self._done: set[tuple[nn.Module, bool]] = set()

    @property
    def finished(self) -> bool:
        return all((place.module, place.enters) in self._done for place in self.atlas.places)

    def open(self) -> None:
        """Hook what is not yet known."""
        heads = [(place.module, True) for place in self.atlas.places if place.enters]
        leaves = {place.module for place in self.atlas.places} if self.atlas.leaves else set()
        others = [(m, False) for m, role in self.atlas.roles.items() if role != OTHER or m in leaves]
        for spot in [*heads, *others]:
            if spot not in self._done and spot not in self._handles:
                self._handles[spot] = self._hook(*spot)

    def _hook(self, module: nn.Module, enters: bool) -> list[Any]:
        if enters:
            return [module.register_forward_pre_hook(_Spot(self, True))]
        hooks = [module.register_forward_hook(_Spot(self, False))]
        if self.passes.mode is not None and self.atlas.roles[module] == BENDS:
            hooks.append(module.register_forward_pre_hook(_Inside(self.passes.waiting)))
        return hooks

    def close(self) -> None:
        for handles in self._handles.values():
            remove(handles)
        self._handles.clear()
        self._seen = _Seen()

    def start(self) -> None:
        if self._handles:
            self._seen = _Seen()

    def saw(self, module: nn.Module, args: Any, output: Any, enters: bool) -> None:
        """A module was called."""
        call = self._seen.calls.get((module, enters), 0)
        self._seen.calls[module, enters] = call + 1
        value = first(args if enters else output)
        if value is None:
            return
        if enters or self.atlas.leaves or self.atlas.roles[module] == COMPUTES:
            place = self.atlas.place(module, enters, call)
            self._seen.graph.layer(place, [] if enters else each(args), [value] if enters else each(output))
            self._begin(place, value, module, call)
        else:
            self._follow(module, call, first(args), value)

    def _begin(self, place: Place, value: Tensor, module: nn.Module, call: int) -> None:
        self._listeners.tell(place, "preactivation", value)
        chain = Chain(place, value, module, call, None, (module, call))
        self._listeners.offer(chain, value)
        if place.enters or self.atlas.leaves:
            return self._listeners.tell(place, "activation", value)
        chain.kept = value.detach().clone() if self._listeners.wanted(place) else None
        return self._await(chain)

    def _await(self, chain: Chain) -> None:
        self._seen.chains[id(chain.tensor)] = chain
        if self.passes.mode is not None:
            hear = self.passes.waiting.setdefault(id(chain.tensor), (chain.tensor, []))[1]
            hear.append(lambda bent, name: self._bent(chain, bent, name))

    def _follow(self, module: nn.Module, call: int, given: Tensor | None, value: Tensor) -> None:
        chain = self._seen.chains.get(id(given))
        if chain is None or chain.overwritten(value):
            return
        del self._seen.chains[id(given)]
        source, chain.tensor, chain.last = chain.last, value, (module, call)
        chain.version = _version(value)
        role = self.atlas.roles[module]
        if role == BENDS:
            chain.at, chain.call = module, call
            chain.place.source = chain.place.source or source
            self._settle(chain, type(module).__name__, value)
            self._listeners.offer(chain, value)
            self._seen.graph.own(chain.place, value)
            return
        if role == NORMALISES:
            chain.at, chain.call, chain.norm = module, call, module
            chain.kept = value.detach().clone() if chain.kept is not None else None
            self._listeners.offer(chain, value)
        self._seen.graph.own(chain.place, value)
        self._await(chain)

    def _bent(self, chain: Chain, value: Tensor, name: str) -> None:
        """A plain function followed."""
        if self._seen.chains.get(id(chain.tensor)) is chain and not chain.overwritten(value):
            del self._seen.chains[id(chain.tensor)]
            chain.at, chain.call = chain.last
            if not chain.place.known:
                chain.place.waits = True
            self._settle(chain, name, value)
            self._listeners.offer(chain, value)
            self._seen.graph.own(chain.place, value)

    def _settle(self, chain: Chain, bends: str | None, value: Tensor | None) -> None:
        if not chain.place.known:
            self.atlas.settle(chain.place, chain.at, chain.call, chain.norm, bends)
        if chain.kept is not None and value is not None:
            self._listeners.tell(chain.place, "activation", value)
        chain.kept = None

    def finish(self, output: Any) -> None:
        """The pass has ended: what nothing followed is heard as it was."""
        if self.awaited:
            self._done.clear()
            self.open()
        if not self._seen.calls:
            return
        seen, self._seen = self._seen, _Seen()
        for chain in seen.chains.values():
            self._settle(chain, None, chain.kept)
        self.atlas.count(seen.calls)
        self.atlas.arrange(seen.graph.order)
        if self.passes.graded or not self._done:
            seen.graph.tell(each(output))
        if self.passes.graded:
            self.awaited = {key: n for key, n in self.awaited.items() if seen.calls.get(key, 0) < n}
        if self.passes.graded and not self.awaited:
            self._done |= seen.calls.keys()
            for key in seen.calls.keys() & self._handles.keys():
                remove(self._handles.pop(key))
        self._listeners.learned(self.atlas.version != self._version)
        self._version = self.atlas.version
