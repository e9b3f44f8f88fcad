"""How values leave a pass: with what its compiled step returns, where that step can be taught to, else by a callback."""

import functools
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import jax

from nissl.adapters._jax.calling import Called, Calls
from nissl.adapters._jax.kinds import Compiler
from nissl.adapters._jax.post import Letter, Post, ready
from nissl.adapters._jax.telling import LISTENED, tell

RETURNS = "returns"
"""In LISTENED while a call of a step can take what that step returns beside its own."""


class Returned(NamedTuple):
    """What a step returns while it is heard, so that nothing calls out of it."""

    out: Any
    told: list[Callable[[], None]]


@dataclass
class Step:
    """A call of a compiled step; it is traced if that is the first like it."""

    trace: Any = None
    """What the step's own values are told by, while it is traced."""
    begun: bool = False
    sent: list[Callable[[], None]] = field(default_factory=list)


class Leaving:
    """A callback takes a step off JAX's fast path, and all of it with it: to return a value costs next to nothing."""

    def __init__(self, post: Post, compilers: Sequence[Compiler]):
        self.post, self._compilers = post, compilers
        self._step: Step | None = None

    @contextmanager
    def heard(self) -> Iterator[None]:
        """While this is open, steps of these compilers return what they tell."""
        with ExitStack() as stack:
            for compiler in self._compilers:
                call = Calls(self._called)
                stack.enter_context(call.heard([compiler.wrapped]))
                trace = Calls(functools.partial(self._traced, compiler))
                stack.enter_context(trace.heard([compiler.traced]))
            yield

    def send(self, letters: Sequence[Letter], values: Sequence[Any]) -> None:
        """Have these values of a program arrive when it runs."""
        step = self._step
        if step is not None and step.trace is not None:
            # without a gradient, a value inside `jax.grad` is the very one of the step; inside a scan or remat it is not
            found = [jax.lax.stop_gradient(value) for value in values]
            if all(getattr(value, "_trace", step.trace) is step.trace for value in found):
                sent = [replace(letter, reduce=letter.reduce and not near()) for letter in letters]
                step.sent.append(jax.tree_util.Partial(_Telling(self.post, tuple(sent)), *ready(sent, found)))
                return
        tell(functools.partial(self.post.arrive, letters), values, functools.partial(ready, letters))

    def call(self, run: Callable[[], Any]) -> Any:
        """A call of a compiled step, whose trace goes through `inside`."""
        if self._step is not None or jax.process_count() > 1:
            with LISTENED(tuple(one for one in LISTENED.value if one != RETURNS)):
                return run()
        self._step = Step()
        try:
            with LISTENED((*LISTENED.value, RETURNS)):
                out = run()
        finally:
            self._step = None
        if not isinstance(out, Returned):
            return out
        self.post.glance()  # at the values of the step before, while this one runs
        for told in out.told:
            told()
        return out.out

    def inside(self, run: Callable[[], Any], given: Any, place: int | None = None) -> Any:
        """What a step does, while it is traced; what it tells goes out with its output, or with the part at this place."""
        step = self._step
        if step is None or step.begun or RETURNS not in LISTENED.value:
            return run()
        step.begun = True
        step.trace = next((leaf._trace for leaf in jax.tree.leaves(given) if isinstance(leaf, jax.core.Tracer)), None)
        try:
            out = run()
        finally:
            step.trace = None
        if not step.sent:
            return out
        if place is None:
            return Returned(out, step.sent)
        return (*out[:place], Returned(out[place], step.sent), *out[place + 1 :])

    def _called(self, run: Called) -> Any:
        """Where the user has said how outputs lie on devices, there is no more to be put out."""
        return self.call(run) if getattr(run.args[0], "out_shardings", "unknown") is None else run()

    def _traced(self, compiler: Compiler, run: Called) -> Any:
        return self.inside(run, (run.args[1:], run.keywords), compiler.place)


@dataclass(frozen=True)
class _Telling:
    """What becomes of returned values, known when the step is traced."""

    post: Post
    letters: tuple[Letter, ...]

    def __call__(self, *arrays: Any) -> None:
        if any(isinstance(array, jax.core.Tracer) for array in arrays):  # of a step that is a part of a program
            tell(functools.partial(self.post.arrive, self.letters), arrays)
        else:
            self.post.leave(self.letters, arrays)


def near() -> bool:
    """Can the host read what is computed where it lies? Then it is faster at reducing it."""
    return jax.default_backend() == "cpu"
