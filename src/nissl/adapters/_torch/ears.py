"""The hooks that hear: values on their way forward, and their gradients on the way back."""

import warnings
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.compiler import is_compiling

from nissl.adapters._torch import operators
from nissl.adapters._torch.atlas import Place
from nissl.adapters._torch.passes import Counted, Passes, in_backward
from nissl.adapters._torch.values import first
from nissl.errors import NisslError, NisslWarning

Tell = Callable[[str, Tensor], None]


class Ear(Counted):
    """Tells the values that pass a module."""

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
            self.surprised(module, call)
            return
        place = self.places[call]
        if place is not None and not is_compiling():
            self.hear(place, args if self.enters else output)
        elif place is not None and not (place.waits and not self.early):
            # inside a compiled graph only an operator still happens when the graph runs
            value = first(args if self.enters else output)
            if value is not None:
                operators.hear(value.detach(), self.compiled[call], self.token)

    def hear(self, place: Place, output: Any) -> None:
        value = output if output.__class__ is Tensor else first(output)
        if value is None:
            return
        if place.waits and not self.early:
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
