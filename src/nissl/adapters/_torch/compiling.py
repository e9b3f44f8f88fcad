"""What `torch.compile` needs: it traces a model's hooks once, and never looks again whether there are others."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import nn


class Compiling:
    """Begins compiled graphs anew whenever hooks come or go; does nothing for a model that is not compiled."""

    def __init__(self, model: nn.Module):
        self._model = model
        self.held = False
        """Somebody else sees to it that nothing compiled runs: an evaluation of ours."""
        self._eager = False

    @property
    def compiled(self) -> bool:
        return any(
            type(module).__name__ == "OptimizedModule" or module._compiled_call_impl is not None
            for module in self._model.modules()
        )

    def outside(self, listener: Callable[..., None]) -> Callable[..., None]:
        """The listener, kept out of graphs: what it does may change from pass to pass."""
        return torch.compiler.disable(listener) if self.compiled else listener  # type: ignore[no-untyped-call]

    def open(self, *, learning: bool) -> None:
        """Hooks were added. A pass that teaches must run as Python, since graphs don't show which tensor is which."""
        if self.held or not self.compiled:
            return
        torch._dynamo.reset()
        if learning and not self._eager:
            self._eager = True
            torch.compiler.set_stance("force_eager")

    def learned(self) -> None:
        if self._eager:
            self._eager = False
            torch.compiler.set_stance("default")
            torch._dynamo.reset()
            _excuse_fullgraph()

    def close(self) -> None:
        """Hooks were removed."""
        if not self.held and self.compiled:
            self.learned()
            torch._dynamo.reset()

    @contextmanager
    def off(self) -> Iterator[None]:
        """Run as Python whatever is compiled."""
        if self.held or not self.compiled:
            yield
            return
        self.held = True
        try:
            with torch.compiler.set_stance("force_eager"):
                yield
        finally:
            self.held = False


def _excuse_fullgraph() -> None:
    """Inside a `fullgraph=True` call that we have made run as Python, torch would complain that it compiled nothing."""
    stop_counting = getattr(torch._dynamo.eval_frame, "set_fullgraph_compiled_frame_count", None)
    if stop_counting is not None:
        stop_counting(-1)
