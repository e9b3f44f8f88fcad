"""One call of the model, while it is on its way."""

from dataclasses import dataclass, field
from typing import Any

from jax.extend.core import get_opaque_trace_state

from nissl.adapters._jax.atlas import Place
from nissl.adapters._jax.post import Letter


@dataclass(eq=False)
class Pass:
    """One call of the model."""

    ids: dict[int, str]
    training: bool
    held: list[Any]
    """The modules whose ids these are."""
    trace: Any = None
    calls: dict[str, int] = field(default_factory=dict)
    inside: list[str] = field(default_factory=lambda: [""])
    letters: list[tuple[Letter, Any]] = field(default_factory=list)
    waiting: dict[int, tuple[Any, Place]] = field(default_factory=dict)
    """Values that go through a norm or a nonlinearity yet, by their ids."""
    learning: Any = None
    """The Flow that is written down, where the pass is only to see what follows what."""


def trace() -> Any:
    """What tells the program, or the transform, that is being traced from others."""
    return get_opaque_trace_state(convention="nissl")
