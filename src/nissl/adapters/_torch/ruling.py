"""Other rules than calculus's on the way back, put on the nodes of one pass's graph: however a ReLU is written, it is a node."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

from torch import Tensor
from torch.autograd.graph import Node

from nissl.core.capabilities import Ruling
from nissl.errors import BadValue, Unsupported, listing

OTHERS = {
    "hardtanh": "HardtanhBackward", "leaky_relu": "LeakyReluBackward", "gelu": "GeluBackward", "silu": "SiluBackward",
    "elu": "EluBackward", "prelu": "PreluKernelBackward", "threshold": "ThresholdBackward", "clamp": "ClampBackward",
    "clamp_min": "ClampMinBackward", "maximum": "MaximumBackward", "where": "WhereBackward", "softplus": "SoftplusBackward",
    "tanh": "TanhBackward", "sigmoid": "SigmoidBackward", "mish": "MishBackward", "hardswish": "HardswishBackward",
}  # fmt: skip
"""Nonlinearities other than ReLU by their nodes. Some are also written for other ends (maxout), so they are named to be meant."""
KINDS = {node: name for name, node in (*OTHERS.items(), ("relu", "ReluBackward"))}
Grads = tuple[Tensor | None, ...]


class Nodes:
    """Puts a rule on every ReLU, and on others by name, that lies between the score and what is asked for."""

    def __init__(self, rule: str, also: Sequence[str], ruling: Ruling):
        self._put: Callable[[Node], Any] = _guided if rule == "guided" else _deconvnet
        self._meant, self._ruling = {"relu", *also}, ruling

    def __call__(self, score: Tensor, wanted: Iterable[Tensor]) -> None:
        by_rule, as_they_are = self._ruling.by_rule, self._ruling.as_they_are
        found: dict[str, int] = {}
        for node in between(score, wanted):
            kind = kind_of(node)
            if kind in self._meant:
                self._put(node)
                found[kind] = found.get(kind, 0) + 1
            elif kind:
                as_they_are[kind] = as_they_are.get(kind, 0) + 1
        if not found:
            raise Unsupported(_none(as_they_are))
        by_rule.update({kind: by_rule.get(kind, 0) + n for kind, n in found.items()})


def between(score: Tensor, wanted: Iterable[Tensor]) -> list[Node]:
    """The nodes of the graph that lie on a way from the score to one of these tensors, whose own are none of them."""
    ends = {_end(tensor) for tensor in wanted}
    behind: dict[Node, list[Node]] = {}
    seen, stack = {score.grad_fn}, [score.grad_fn]
    while stack:
        node = stack.pop()
        for before, _ in node.next_functions if node is not None else ():
            if before is None:
                continue
            behind.setdefault(before, []).append(node)  # type: ignore[arg-type]
            if before not in seen:
                seen.add(before)
                stack.append(before)
    on_way: dict[Node, None] = {}
    stack = [end for end in ends if end in seen]
    while stack:
        for node in behind.get(stack.pop(), ()):  # type: ignore[arg-type]
            if node not in on_way:
                on_way[node] = None
                stack.append(node)
    return list(on_way)


def _end(tensor: Tensor) -> Node | None:
    if tensor.grad_fn is not None:
        return tensor.grad_fn
    from torch.autograd.graph import get_gradient_edge

    return get_gradient_edge(tensor).node


def kind_of(node: Node) -> str | None:
    """Which nonlinearity this is, or None."""
    return KINDS.get(node.name().rstrip("0123456789"))


def _guided(node: Node) -> None:
    node.register_prehook(lambda given: tuple(None if one is None else one.clamp(min=0) for one in given))


def _deconvnet(node: Node) -> None:
    """What leaves it is what came, as far as it is positive, whether the ReLU was open or not."""
    node.register_hook(lambda left, came: (came[0].clamp(min=0), *left[1:]))


def _none(others: dict[str, int]) -> str:
    have = f" It has {listing(others)}: name those that are meant, as also=({next(iter(others))!r},)." if others else ""
    return (
        f"No ReLU lies between the target and what it is attributed to, so that this would be the plain gradient.{have} "
        "Reentrant checkpointing and compiled graphs hide theirs: use the model as it was before, and checkpoint(..., "
        "use_reentrant=False)."
    )


class Rulable(Protocol):
    """A hearing that asks, before anything is differentiated, for the rule."""

    rule: Any


@contextmanager
def ruled(hearing: Rulable, rule: str, **how: Any) -> Iterator[Ruling]:
    """While this is open, all that is differentiated goes by the rule."""
    ruling = Ruling()
    also = tuple(how.pop("also", ()))
    unknown = [name for name in also if name not in OTHERS]
    if rule not in ("guided", "deconvnet") or unknown or how:
        raise BadValue(
            f"The rules of ReLUs are guided and deconvnet, with also= of {listing(OTHERS)}; those of relevance epsilon, gamma, z_plus "
            f"and epsilon_plus. There is no {listing(unknown or how or [rule])}."
        )
    before, hearing.rule = hearing.rule, Nodes(rule, also, ruling)
    try:
        yield ruling
    finally:
        hearing.rule = before
