"""Where one pass of the user's begins and ends, and hooks that know which call of the pass they see."""

import contextlib
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.compiler import is_compiling

from nissl.adapters._torch.atlas import Place

in_backward = torch._C._current_graph_task_id
"""-1 outside a backward pass; inside one, modules are only called to compute again what checkpointing threw away."""
_transform = torch._C._functorch.peek_interpreter_stack
"""None outside vmap, grad and their kind, inside which values are those of single examples, or of tangents."""


class Hook:
    """A hook that copies and pickles of a model leave behind: there, a function of the standard library that does nothing."""

    def __reduce__(self) -> tuple[Any, ...]:
        return getattr, (contextlib.nullcontext(), "__exit__")

    def __deepcopy__(self, memo: Any) -> Any:
        return contextlib.nullcontext().__exit__


class _Begin(Hook):
    __slots__ = ("passes",)

    def __init__(self, passes: "Passes"):
        self.passes = passes

    def __call__(self, module: nn.Module, args: Any) -> None:
        if is_compiling() or in_backward() == -1:
            passes = self.passes
            if passes.depth == 0 or module is passes.root:
                passes.start(module)
            passes.depth += 1


class _End(Hook):
    __slots__ = ("passes",)

    def __init__(self, passes: "Passes"):
        self.passes = passes

    def __call__(self, module: nn.Module, args: Any, output: Any) -> None:
        if is_compiling():
            self.passes.depth -= 1
        elif in_backward() == -1:
            passes = self.passes
            passes.depth -= 1
            if passes.depth == 0:
                passes.finish(output)


class _Follower(Hook):
    """On a nonlinearity that serves several layers: whoever waits for the tensor that it was given hears what it made."""

    __slots__ = ("waiting",)

    def __init__(self, waiting: dict[int, Any]):
        self.waiting = waiting

    def __call__(self, module: nn.Module, args: Any, output: Any) -> Any:
        if not args or is_compiling():
            return None
        wanted = self.waiting.pop(id(args[0]), None)
        for hear in wanted[1] if wanted is not None else ():
            changed = hear(output, type(module).__name__)
            output = output if changed is None else changed
        return output


class Passes:
    """Counts calls anew for every pass, and knows whether it is a training pass. Hooked only while something listens."""

    def __init__(self, root: nn.Module, containers: Sequence[nn.Module]):
        self.root, self._containers = root, containers
        self.depth = 0
        self.graded = self.silent = False
        self.live = (False, False)
        """Does this pass count for those who hear all passes, and for those who hear training passes?"""
        self.counted: list[Counted] = []
        self.waiting: dict[int, tuple[Tensor, list[Callable[[Tensor, str], Any]]]] = {}
        """Outputs that a plain function may bend next, and who wants to know."""
        self.mode: Any = None
        """Sees plain functions, where they are to be heard too."""
        self.learner: Any = None
        self.followers: set[nn.Module] = set()
        self._entered = False
        self._users: set[object] = set()
        self._handles: list[Any] = []

    def open(self, user: object) -> None:
        first = not self._users
        self._users.add(user)  # before any hook: closing undoes whatever was interrupted
        if first:
            begin, end = _Begin(self), _End(self)
            for module in self._containers:
                self._handles.append(module.register_forward_pre_hook(begin))
                self._handles.append(module.register_forward_hook(end, always_call=True))

    def follow(self, module: nn.Module) -> None:
        """Look at each call of a nonlinearity that serves several layers, for as long as anything is open."""
        if module not in self.followers:
            self.followers.add(module)
            self._handles.append(module.register_forward_hook(_Follower(self.waiting), prepend=True))

    def close(self, user: object) -> None:
        self._users.discard(user)
        if not self._users:
            remove(self._handles)
            self.followers.clear()
            self._leave()
            self.waiting.clear()
            self.depth = 0

    def start(self, module: nn.Module) -> None:
        """A pass begins at this module: the model itself or, where the user calls a part of it, that part."""
        self.alone(module)
        if self.mode is not None:
            self._leave()
            self.mode.__enter__()
            self._entered = True

    def alone(self, module: nn.Module) -> None:
        """A single computing module is called from outside: a pass of its own."""
        self.depth = 0
        self.waiting.clear()
        self.graded = torch.is_grad_enabled()
        heard = not self.silent and (is_compiling() or _transform() is None)
        self.live = (heard, heard and module.training and self.graded)
        for counted in self.counted:
            counted.call = counted.again = 0
        if self.learner is not None and not is_compiling():
            self.learner.start()

    def finish(self, output: Any = None) -> None:
        self._leave()
        self.waiting.clear()
        if self.learner is not None:
            self.learner.finish(output)

    def _leave(self) -> None:
        if self._entered:
            self._entered = False
            self.mode.__exit__(None, None, None)


class Counted(Hook):
    """A hook on one module that knows which call of the pass this is. Without slots, into which torch 2.7 can't see to compile."""

    def __init__(self, passes: Passes, places: Sequence[Place | None], enters: bool):
        self.passes, self.places, self.enters = passes, places, enters
        self.call = self.again = 0

    def __call__(self, module: nn.Module, args: Any, output: Any = None) -> Any:
        raise NotImplementedError

    def attach(self, module: nn.Module, *, ahead: bool = False) -> Any:
        self.passes.counted.append(self)
        if self.enters:
            return module.register_forward_pre_hook(self, prepend=ahead)
        return module.register_forward_hook(self, prepend=ahead)

    def turn(self, module: nn.Module) -> int:
        """The index of this call; passes in a backward pass come in reverse."""
        if not is_compiling():
            if in_backward() != -1:
                self.again = (self.again or self.call) - 1
                return self.again
            if self.passes.depth == 0:
                self.passes.alone(module)
        self.call += 1
        return self.call - 1

    def surprised(self, module: nn.Module, call: int) -> None:
        """A call more than ever before: the next pass that makes it shows what it is."""
        if call >= len(self.places) and self.passes.learner is not None:
            self.passes.learner.awaited[module, self.enters] = call + 1


def remove(handles: list[Any]) -> None:
    """Each is forgotten after it is removed, so that what was interrupted can be done again."""
    while handles:
        handles[-1].remove()
        handles.pop()
