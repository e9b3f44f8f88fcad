"""Where one pass of the user's begins and ends, and the hooks that hear or change values on its way."""

import contextlib
import warnings
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.compiler import is_compiling

from nissl.adapters._torch import operators
from nissl.adapters._torch.atlas import Place
from nissl.adapters._torch.values import first
from nissl.errors import NisslError, NisslWarning

in_backward = torch._C._current_graph_task_id
"""-1 outside a backward pass; inside one, modules are only called to compute again what checkpointing threw away."""
Tell = Callable[[str, Tensor], None]


class Hook:
    """A hook that copies and pickles of a model leave behind: there, a function of the standard library that does nothing."""

    __slots__ = ()

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
        self._entered = False
        self._users = 0
        self._handles: list[Any] = []

    def open(self) -> None:
        if self._users == 0:
            begin, end = _Begin(self), _End(self)
            for module in self._containers:
                self._handles.append(module.register_forward_pre_hook(begin))
                self._handles.append(module.register_forward_hook(end, always_call=True))
        self._users += 1

    def close(self) -> None:
        self._users -= 1
        if self._users == 0:
            remove(self._handles)
            self._leave()
            self.depth = 0

    def start(self, module: nn.Module) -> None:
        """A pass begins at this module: the model itself or, where the user calls a part of it, that part."""
        self.alone(module)
        if self.mode is not None:
            self.waiting.clear()
            self._leave()
            self.mode.__enter__()
            self._entered = True

    def alone(self, module: nn.Module) -> None:
        """A single computing module is called from outside: a pass of its own."""
        self.depth = 0
        self.graded = torch.is_grad_enabled()
        self.live = (not self.silent, module.training and self.graded and not self.silent)
        for counted in self.counted:
            counted.call = counted.again = 0
        if self.learner is not None and not is_compiling():
            self.learner.start()

    def finish(self, output: Any = None) -> None:
        self._leave()
        if self.learner is not None:
            self.learner.finish(output)

    def _leave(self) -> None:
        if self._entered:
            self._entered = False
            self.waiting.clear()
            self.mode.__exit__(None, None, None)


class Counted(Hook):
    """A hook on one module that knows which call of the pass this is."""

    __slots__ = ("again", "call", "enters", "passes", "places")

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

    def surprised(self, call: int) -> None:
        """A call more than ever before: the next pass shows what it is."""
        if call >= len(self.places) and self.passes.learner is not None:
            self.passes.learner.again = True


class Ear(Counted):
    """Tells the values that pass a module."""

    __slots__ = ("compiled", "early", "tell", "token", "training")

    def __init__(
        self, passes: Passes, places: Sequence[Place | None], enters: bool, tell: Tell, training: bool, early: bool
    ):
        """`early`: before any nonlinearity."""
        super().__init__(passes, places, enters)
        self.tell, self.training, self.early = tell, training, early
        self.compiled = [operators.add(partial(self.told, place)) if place is not None else 0 for place in places]
        self.token = torch.zeros(1)

    def close(self) -> None:
        for handle in self.compiled:
            operators.remove(handle)

    def __call__(self, module: nn.Module, args: Any, output: Any = None) -> None:
        passes = self.passes
        if not is_compiling():
            if in_backward() != -1:
                return
            if passes.depth == 0:
                passes.alone(module)
        if not passes.live[self.training]:
            return
        call = self.call
        self.call = call + 1
        if call >= len(self.places):
            self.surprised(call)
            return
        place = self.places[call]
        if place is not None and not is_compiling():
            self.hear(place, args if self.enters else output)
        elif place is not None:  # inside a compiled graph only an operator still happens when the graph runs
            value = first(args if self.enters else output)
            if value is not None:
                operators.hear(value.detach(), self.compiled[call], self.token)

    def hear(self, place: Place, output: Any) -> None:
        value = output if output.__class__ is Tensor else first(output)
        if value is None:
            return
        if place.function and not self.early:
            self.passes.waiting.setdefault(id(value), (value, []))[1].append(lambda bent, _: self.told(place, bent))
        else:
            self.told(place, value)

    def told(self, place: Place, value: Tensor) -> None:
        self.tell(place.layer.name, place.shown(value.detach()))


class GradientEar(Ear):
    """Tells the gradients of the values that pass a module. Where checkpointing hides the graph, those of the second time."""

    __slots__ = ("blind",)

    def __init__(self, *settings: Any):
        super().__init__(*settings)
        self.blind = False

    def __call__(self, module: nn.Module, args: Any, output: Any = None) -> None:
        if is_compiling() or in_backward() == -1:
            return super().__call__(module, args, output)
        if self.blind and self.call:
            place = self.places[min(self.turn(module), len(self.places) - 1)]
            value = first(args if self.enters else output)
            if place is not None and value is not None and value.requires_grad:
                value.register_hook(Gradient(place, self.tell))  # type: ignore[no-untyped-call]
        return None

    def told(self, place: Place, value: Tensor) -> None:
        self.blind = not value.requires_grad
        if value.requires_grad:
            value.register_hook(Gradient(place, self.tell))  # type: ignore[no-untyped-call]


class Gradient:
    """A hook on a value: tells its gradient."""

    __slots__ = ("place", "tell")

    def __init__(self, place: Place, tell: Tell):
        self.place, self.tell = place, tell

    def __call__(self, gradient: Tensor) -> None:
        self.tell(self.place.layer.name, self.place.shown(gradient.detach()))


class Guarded:
    """Tells on; in the user's training passes, what goes wrong in the listener becomes a warning, once a layer."""

    def __init__(self, on_value: Tell):
        self._on_value, self._failed = on_value, set()  # type: Tell, set[str]

    def __call__(self, name: str, value: Tensor) -> None:
        if name in self._failed:
            return
        try:
            self._on_value(name, value)
        except NisslError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, the user's training goes on
            self._failed.add(name)
            warnings.warn(
                f"nissl: {name} is no longer heard: the listener failed with {type(error).__name__}: {error}",
                NisslWarning,
                stacklevel=2,
            )


def remove(handles: list[Any]) -> None:
    while handles:
        handles.pop().remove()
