"""Which layers feed which, read from the graph that autograd keeps of a pass."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from torch import Tensor

from nissl.adapters._torch.atlas import Place, joined

_BENDS = re.compile(
    r"(Relu|Gelu|Tanh|Sigmoid|Silu|Elu|LeakyRelu|Hardtanh|Hardswish|Hardsigmoid|Softplus|Mish|Softmax|LogSoftmax|LogSigmoid)"
    r"Backward\d*$"
)
"""Nodes of functions that a reader must know of when a layer is heard before them."""


@dataclass
class Graph:
    """The nodes of one pass: whose each is, and where each layer's search begins."""

    order: list[Place] = field(default_factory=list)
    _own: dict[Any, Place] = field(default_factory=dict)
    _starts: dict[Place, list[Any]] = field(default_factory=dict)

    def layer(self, place: Place, outputs: Iterable[Tensor]) -> None:
        """A layer was called and put these out; without a graph only the order of execution remains."""
        self.order.append(place)
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
        for place in self.order:
            found: dict[str, None] = {}
            for parent, source in self._back(self._starts[place], place):
                found[source.name] = None
                _remark(source, parent)
            if not found and blind and before is not None:
                found[before.name] = None
            place.layer = replace(place.layer, inputs=tuple(found))
            before = place
        for parent, source in self._back([t.grad_fn for t in outputs if t.grad_fn is not None], None):
            _remark(source, parent)

    def _back(self, starts: list[Any], place: Place | None) -> Iterator[tuple[Any, Place]]:
        """(the node that takes it, layer) for every layer that is reached with no other between."""
        stack = [(start, node) for start in starts for node, _ in start.next_functions] if place else [
            (None, start) for start in starts
        ]  # fmt: skip
        seen = set(starts) if place else set()
        while stack:
            parent, node = stack.pop()
            if node is None or (node in seen and node not in self._own):
                continue
            owner = self._own.get(node)
            if owner is not None and owner is not place:
                yield parent, owner
            elif node not in seen:
                seen.add(node)
                stack.extend((node, below) for below, _ in node.next_functions)


def _remark(place: Place, parent: Any) -> None:
    """What bends a layer's value behind our back."""
    bends = _BENDS.match(type(parent).__name__) if parent is not None else None
    if bends is None or place.layer.nonlinearity:
        return
    name = re.sub(r"(?<!^)(?=[A-Z])", "_", bends[1]).lower()
    how = ("softmax" in name and "which mixes the units") or "a plain function that hooks can't hear"
    place.layer = replace(place.layer, remark=joined(place.layer.remark, f"recorded before {name}, {how}"))
