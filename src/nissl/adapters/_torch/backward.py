"""The functions through which gradients will run, as autograd keeps them of a pass, each in the modules that called it."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import nn

from nissl.adapters._torch.charting import inputs, named
from nissl.adapters._torch.values import differentiable, first
from nissl.core.draft import Draft
from nissl.core.graph import Graph
from nissl.errors import NotHeard


@dataclass
class _Call:
    """A call of a module: the numbers that autograd gave its functions lie from `start` to before `end`."""

    module: nn.Module
    start: int
    end: int = 0
    shape: tuple[int, ...] | None = None
    inside: "list[_Call]" = field(default_factory=list)


def backward(root: nn.Module, run: Callable[[Any], Any], x: Any) -> Graph:
    """What autograd kept of one pass: inputs and parameters lead through functions to the outputs."""
    given = differentiable(x)
    names = {id(t): (path, "input") for path, t in inputs(given)}
    top = _Call(root, 0)
    with torch.enable_grad(), _timed(root, top):
        output = run(given)
    ends = [(path, tensor) for path, tensor in named(output, "output") if tensor.grad_fn is not None]
    if not ends:
        raise NotHeard(
            "Autograd kept nothing of this pass: no output depends on a parameter or input that requires gradients."
        )
    names |= {id(p): (path, "parameter") for path, p in root.named_parameters()}
    writing = _Writing(root, names, _reached([tensor.grad_fn for _, tensor in ends]))
    writing.inputs()
    writing.block(top)
    for path, tensor in ends:
        writing.draft.add(path, "output", "output", tuple(tensor.shape), 0, [writing.known[tensor.grad_fn]])
    return writing.draft.graph(type(root).__name__, "autograd", sum(p.numel() for p in root.parameters()))


@contextmanager
def _timed(root: nn.Module, top: _Call) -> Iterator[None]:
    """Notes which functions are born in which call."""
    calls = [top]

    def enter(module: nn.Module, *_: Any) -> None:
        if module is not root:
            calls[-1].inside.append(_Call(module, _now()))
            calls.append(calls[-1].inside[-1])

    def leave(module: nn.Module, _: Any, output: Any) -> None:
        if module is not root:
            tensor = first(output)
            calls[-1].end, calls[-1].shape = _now(), None if tensor is None else tuple(tensor.shape)
            calls.pop()

    with ExitStack() as stack:
        for module in root.modules():
            stack.callback(module.register_forward_pre_hook(enter).remove)
            stack.callback(module.register_forward_hook(leave).remove)
        yield
    top.end = _now()


def _now() -> int:
    """The number that the next function will have."""
    return int(torch._C._autograd._get_sequence_nr())


def _reached(starts: list[Any]) -> list[Any]:
    """All functions behind these, in the order in which they were called; what gathers gradients right before its first taker."""
    functions, stack = set(starts), list(starts)
    while stack:
        for below, _ in stack.pop().next_functions:
            if below is not None and below not in functions:
                functions.add(below)
                stack.append(below)
    ordered: dict[Any, None] = {}
    for one in sorted((f for f in functions if not _gathers(f)), key=lambda f: f._sequence_nr()):
        ordered |= dict.fromkeys(below for below, _ in one.next_functions if below is not None and _gathers(below))
        ordered[one] = None
    return list(ordered)


def _gathers(function: Any) -> bool:
    return hasattr(function, "variable")


class _Writing:
    """Goes through calls and functions together, in order."""

    def __init__(self, root: nn.Module, names: dict[int, tuple[str, str]], functions: list[Any]):
        self.draft = Draft()
        self.known: dict[Any, int] = {}
        self._paths = {module: path for path, module in root.named_modules()}
        self._names, self._rest = names, functions[::-1]

    def inputs(self) -> None:
        """What the model was given comes before all blocks."""
        given = [f for f in self._rest if _gathers(f) and self._names.get(id(f.variable), ("", ""))[1] == "input"]
        self._rest = [f for f in self._rest if f not in given]
        for function in reversed(given):
            self._write(function)

    def block(self, call: _Call) -> None:
        """The functions of a call, those of calls inside as blocks of it."""
        for inner in call.inside:
            self._until(inner.start)
            if self._any(inner.end):
                self.draft.enter(self.draft.named(self._paths[inner.module]), type(inner.module).__name__)
                self.block(inner)
                self.draft.leave(inner.shape, sum(p.numel() for p in inner.module.parameters()))
        self._until(call.end)

    def _any(self, end: int) -> bool:
        """Is a function of before `end` left?"""
        return any(f._sequence_nr() < end for f in reversed(self._rest) if not _gathers(f)) if self._rest else False

    def _until(self, end: int) -> None:
        while self._rest:
            waiting = next(f for f in reversed(self._rest) if not _gathers(f))
            if waiting._sequence_nr() >= end:
                return
            self._write(self._rest.pop())

    def _write(self, function: Any) -> None:
        if _gathers(function):
            variable = function.variable
            path, role = self._names.get(id(variable), (function.name(), "parameter"))
            params = variable.numel() if role == "parameter" else 0
            self.known[function] = self.draft.add(path, role, role, tuple(variable.shape), params)
            return
        below = [self.known[f] for f, _ in function.next_functions if f in self.known]
        shape = tuple(function._input_metadata[0].shape) if function._input_metadata else None
        name = function.name().rpartition("::")[2].replace("Backward", "").rstrip("0123456789") or function.name()
        self.known[function] = self.draft.function(name, shape, 0, below)
