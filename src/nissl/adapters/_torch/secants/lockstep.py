"""Two passes step by step: every operation of the second is paired with the first's, and its way back made the secant's."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, TypeVar

import torch
from torch import _C, Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from nissl.adapters._torch.secants.calls import Call, Calls
from nissl.adapters._torch.secants.pairs import Pair
from nissl.adapters._torch.secants.products import Incomplete
from nissl.adapters._torch.secants.rules import Rule, rule
from nissl.errors import Unsupported

R = TypeVar("R")


class Lockstep(Calls):  # type: ignore[no-untyped-call]
    """The second pass. `incomplete`: what had to keep its tangent."""

    def __init__(self, there: list[Call], *, often: bool):
        """`often`: the way back will be gone many times."""
        super().__init__()
        self._often = often
        self._there = there
        self._there.reverse()  # to be taken from the end, so that what is paired is no longer held
        self.incomplete: set[str] = set()

    def returned(self, call: Call) -> None:
        there = self._there.pop() if self._there else None
        if there is None or there.name != call.name or _shapes(there) != _shapes(call):
            raise Unsupported(
                "The two inputs take different ways through the network (operations or shapes differ: "
                f"{_said(there)} and {_said(call)}), so that there is no secant between them. Use gradients instead."
            )
        node, call.node = call.node, None
        if node is None or not self._bent(call, there, node):
            self.calls.pop()

    def _bent(self, call: Call, there: Call, node: Any) -> bool:
        """Is this operation's way back another one now?"""
        pair = Pair(call, there, call.slots[: len(node.next_functions)], [] if self._often else None)
        found = rule(pair)
        if found is None:
            return False
        written = call.func._schema.is_mutable
        if len(pair.slots) < len(node.next_functions) or (written and type(node).__name__ in _VIEWS):
            self.incomplete.add(call.name)
            return False
        node.register_hook(partial(self._turn, found, pair))
        return True

    def _turn(self, found: Rule, pair: Pair, inward: Any, outward: Any) -> Any:
        if all(old is None for old in inward):
            return None
        try:
            made = found(pair, list(inward), list(outward))
        except Incomplete:
            self.incomplete.add(pair.here.name)
            return None
        return turned(inward, made)

    def finish(self) -> None:
        """The pass has ended."""
        self.calls.clear()
        if self._there:
            raise Unsupported(
                "The two inputs take different ways through the network (one makes more operations than the other), so "
                "that there is no secant between them. Use gradients instead."
            )


_VIEWS = ("AsStridedBackward0", "ViewBackward0", "SelectBackward0", "SliceBackward0", "CopySlices")
"""The way back of an operation that wrote into a part of a tensor is out of reach."""


def turned(inward: Any, made: Any) -> tuple[Tensor | None, ...]:
    return tuple(
        None if old is None or new is None else new.to(old.dtype) for old, new in zip(inward, made, strict=True)
    )


def _shapes(call: Call) -> list[Any]:
    return [a.shape if isinstance(a, Tensor) else None for a in call.args]


def _said(call: Call | None) -> str:
    if call is None:
        return "none"
    return f"{call.name} of {', '.join(str(tuple(s)) for s in _shapes(call) if s is not None)}"


def own_functions(outputs: Iterable[Tensor]) -> set[str]:
    """The user's own autograd functions that these were made by."""
    stack: list[Any] = [output.grad_fn for output in outputs]
    seen: set[Any] = {None}
    found: set[str] = set()
    while stack:
        node = stack.pop()
        if node in seen:
            continue
        seen.add(node)
        if isinstance(node, torch.autograd.function.BackwardCFunction):
            found.add(type(node).__name__.removesuffix("Backward"))
        stack.extend(below for below, _ in node.next_functions)
    return found


def in_step(first: Callable[[], R], second: Callable[[], R], *, often: bool = False) -> tuple[R, R, Lockstep]:
    """The second pass with a way back by secants between it and the first one, what that pass gave, and its mode."""
    with (calls := Calls()):
        there = first()
    with (mode := Lockstep(calls.calls, often=often)):
        here = second()
    mode.finish()
    return here, there, mode


@contextmanager
def taken_apart(root: nn.Module) -> Iterator[None]:
    """Attention and recurrent layers do what they do by operations that have rules, not by kernels that do all at once.

    Also on the way back, where checkpointing computes again.
    """
    fast, onednn, cudnn = torch.backends.mha.get_fastpath_enabled(), _C._get_mkldnn_enabled(), _C._get_cudnn_enabled()
    recurrent = any(isinstance(module, nn.RNNBase) for module in root.modules())
    with sdpa_kernel(SDPBackend.MATH):
        torch.backends.mha.set_fastpath_enabled(False)
        _C._set_mkldnn_enabled(onednn and not recurrent)
        _C._set_cudnn_enabled(cudnn and not recurrent)
        try:
            yield
        finally:
            torch.backends.mha.set_fastpath_enabled(fast)
            _C._set_mkldnn_enabled(onednn)
            _C._set_cudnn_enabled(cudnn)
