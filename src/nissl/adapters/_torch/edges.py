"""Which layers feed which, read from the graph that autograd keeps of a pass."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from torch import Tensor

from nissl.adapters._torch.atlas import Place, joined
from nissl.core.joining import Joining

_BENDS = re.compile(
    r"(Relu|Gelu|Tanh|Sigmoid|Silu|Elu|LeakyRelu|Hardtanh|Hardswish|Hardsigmoid|Softplus|Mish|Softmax|LogSoftmax|LogSigmoid)"
    r"Backward\d*$"
)
"""Nodes of functions that a reader must know of when a layer is heard before them."""
_SUMS = re.compile(
    r"(Add|Sub|NativeBatchNorm|CudnnBatchNorm|NativeDropout|View|UnsafeView|Reshape|Transpose|Permute)Backward\d*$"
)
"""Nodes that keep units apart, so that what bends a sum bends each unit that was added to it."""


@dataclass
class Graph:
    """The nodes of one pass: whose each is, and where each layer's search begins."""

    order: list[Place] = field(default_factory=list)
    _own: dict[Any, Place] = field(default_factory=dict)
    _starts: dict[Place, list[Any]] = field(default_factory=dict)
    _given: dict[Place, list[Any]] = field(default_factory=dict)
    _reached: dict[Any, tuple[str, ...]] = field(default_factory=dict)

    def layer(self, place: Place, given: Iterable[Tensor], outputs: Iterable[Tensor]) -> None:
        """A layer was called, was given these and put those out; without a graph only the order of execution remains."""
        self.order.append(place)
        self._given[place] = [t.grad_fn for t in given if t.grad_fn is not None]
        self._starts[place] = [t.grad_fn for t in outputs if t.grad_fn is not None]
        for node in self._starts[place]:
            self._own.setdefault(node, place)

    def own(self, place: Place, value: Tensor) -> None:
        """A later point of the same layer, such as its nonlinearity."""
        if value.grad_fn is not None:
            self._own.setdefault(value.grad_fn, place)

    def tell(self, outputs: Iterable[Tensor]) -> None:
        """Write the edges, and what follows unheard, into the layers."""
        blind = any(not starts for starts in self._starts.values())
        before: Place | None = None
        joining = Joining()
        for place in self.order:
            found: dict[str, None] = {}
            for bend, direct, source in self._back(self._starts[place], place):
                found[source.name] = None
                _remark(source, bend, direct)
            if not found and blind and before is not None:
                found[before.name] = None
            layer = replace(place.layer, inputs=tuple(found))
            takes = [name for node in self._entries(place) for name in self._reach(node, joining)]
            place.layer = joining.told(layer, takes)
            before = place
        for bend, direct, source in self._back([t.grad_fn for t in outputs if t.grad_fn is not None], None):
            _remark(source, bend, direct)

    def _entries(self, place: Place) -> list[Any]:
        """Where values enter a layer: what its module was given, or else what its outputs were made of."""
        made = [node for start in self._starts[place] for node, _ in start.next_functions if node is not None]
        return self._given[place] or made

    def _reach(self, node: Any, joining: Joining) -> tuple[str, ...]:
        """Whose values come to this node: a layer's, or those of several, in a junction."""
        stack = [node]
        while stack:
            at = stack[-1]
            below = [] if at in self._own else [deeper for deeper, _ in at.next_functions if deeper is not None]
            waiting = [deeper for deeper in below if deeper not in self._reached]
            if waiting and at not in self._reached:
                stack += waiting
                continue
            sources = (name for deeper in below for name in self._reached[deeper])
            self._reached[at] = (self._own[at].name,) if at in self._own else joining.meet(_kind(at), sources)
            stack.pop()
        return self._reached[node]

    def _back(self, starts: list[Any], place: Place | None) -> Iterator[tuple[str | None, bool, Place]]:
        """(what bends its value, whether that takes it as it is, layer) for every layer that is reached with no other between."""
        stack: list[tuple[str | None, bool, Any]] = [
            (None, True, node) for start in starts for node, _ in start.next_functions
        ] if place else [(None, True, start) for start in starts]  # fmt: skip
        seen = set(starts) if place else set()
        while stack:
            bend, direct, node = stack.pop()
            if node is None or (node in seen and node not in self._own):
                continue
            owner = self._own.get(node)
            if owner is not None and owner is not place:
                yield bend, direct, owner
            elif node not in seen:
                seen.add(node)
                below = _below(node, bend)
                stack.extend((*below, deeper) for deeper, _ in node.next_functions)


def _kind(node: Any) -> str:
    """What a node's function does: `ScaledDotProductFlashAttentionForCpuBackward0` is attention."""
    name = re.sub(r"Backward\d*$", "", type(node).__name__)
    return "attention" if "Attention" in name else re.sub(r"(?<!^)(?=[A-Z])", " ", name).lower()


def _below(node: Any, bend: str | None) -> tuple[str | None, bool]:
    """What bends the values that this node takes, and whether at once."""
    name = type(node).__name__
    bends = _BENDS.match(name)
    if bends:
        return re.sub(r"(?<!^)(?=[A-Z])", "_", bends[1]).lower(), True
    mixes = bend is None or "softmax" in bend or not _SUMS.match(name)
    return (None, True) if mixes else (bend, False)


def _remark(place: Place, bend: str | None, direct: bool) -> None:
    """What bends a layer's value behind our back."""
    if bend is None or place.layer.nonlinearity:
        return
    how = ("softmax" in bend and "which mixes the units") or "a plain function that hooks can't hear"
    said = f"recorded before {bend}, {how}" if direct else f"recorded before it is added to others, ahead of {bend}"
    place.layer = replace(place.layer, remark=joined(place.layer.remark, said))
