"""One training that is recorded: when its epochs begin and end, by what its loader and its optimiser do."""

import contextlib
import gc
import itertools
import weakref
from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from nissl.core.recorder import Recorder
from nissl.scripts._hook.labels import Labels
from nissl.scripts._torch.finding import frames


class Pass:
    """One iteration over a DataLoader."""

    def __init__(self, loader: Any, iterator: Any):
        self.loader, self.iterator = weakref.ref(loader), weakref.ref(iterator)
        self.delivered = 0
        try:
            self.length = str(len(loader))
        except TypeError:
            self.length = "an unknown number of"

    def of(self, loader: Any) -> bool:
        return self.loader() is loader


class Recording:
    """An open recorder, told of every batch, call and step."""

    def __init__(self, recorder: Recorder, root: nn.Module, optimizer: Any, labels: Labels, steps: int | None, say: Callable[[str], None]):  # fmt: skip
        """`root`: the module that the script calls first in a step; `steps`: how many make an epoch, where that is said."""
        self.recorder, self.labels, self._say = recorder, labels, say
        self._root, self._optimizer, self.steps = root, weakref.ref(optimizer), steps
        self.counts: list[int] = []
        """Optimiser steps of each epoch that is over."""
        self._done = recorder.last or 0
        self._taken = self._calls = 0
        self.trained = False
        """Has an optimiser made a step since the recording began?"""
        self._running = self._cycled = self._looked = False
        self._due = self._late = False
        """Do gradients wait for a step of an optimiser? Also after their pass: does the epoch wait for it, too?"""
        self._ready = True
        """Does the next call begin a step?"""
        self._pass: Pass | None = None
        self._labels: Any = None
        self._past: list[Any] = []
        """Labels of the first pass, as long as somebody else keeps them: itertools.cycle does."""
        self._share = 1
        """Calls for each batch."""
        compiled = root._compiled_call_impl is not None  # noqa: SLF001 - a hook would be compiled with it
        self._hook = None if compiled else root.register_forward_pre_hook(_Call(self))

    # what happens, in the order in which a step happens

    def started(self, loader: Any) -> None:
        """A pass over this loader begins."""
        if self._pass is not None and self._pass.of(loader):
            self._over()

    def delivered(self, of: Pass, batch: Any) -> None:
        """A batch comes out of a loader, just before the script uses it."""
        ours = self._pass
        if ours is not None and of is not ours:
            if self._running and ours.iterator() is not None:  # validation in between, perhaps
                self.recorder.pause()
                self._ready = False
                return
            self._over()  # exhausted, or left by `break`
        self._pass = of
        self._labels = self.labels.batch(batch)
        if not self.counts:
            self._past.append(_weak(self._labels))
        self._ready = True
        if self._hook is None:
            self._begin()

    def exhausted(self, of: Pass) -> None:
        """A pass has given all its batches, and the script has used them."""
        if self._pass is not of:
            return
        share, rest = divmod(self._calls, max(of.delivered, 1))
        self._share = share if share and not rest else 0
        again = not self._looked and any(type(holder) is itertools.cycle for holder in gc.get_referrers(of.iterator()))
        self._looked = True  # once, for it looks at everything that Python holds
        if self._due and self._running and self.steps is None and not again:
            self._late = True
            self.recorder.pause()
            return
        self._over()
        if again:
            self._cycle()

    def called(self, module: nn.Module) -> None:
        """The root is called."""
        if torch.compiler.is_compiling() or not (module.training and torch.is_grad_enabled()):
            return
        if self._cycled:
            self._ready = not self._share or self._calls % self._share == 0
            past = self._past[self._calls // self._share % len(self._past)] if self._past and self._share else None
            self._labels = past() if past is not None else None
        self._calls += 1
        if self._ready:
            self._begin()

    def stepped(self, optimizer: Any) -> None:
        """An optimiser has made a step."""
        self.trained, self._due = True, False
        if optimizer is not self._optimizer():
            return
        if not self._running and self.counts and not self._cycled:
            self._cycle()
            return
        self._taken += 1
        if self._late:
            self._over()
        if self.steps is not None and self._taken >= self.steps:
            self._end()
        if self._pass is None or self._cycled:
            self._ready = True

    def looked(self) -> bool:
        """Were all calls until here a look at the model, at its output's shape perhaps, and no training?"""
        return not self.trained and all(p.grad is None for p in self._root.parameters())

    def amid(self, loader: Any) -> bool:
        """Is the pass still going on in which the model was called, and this loader another one?"""
        ours = self._pass
        return self._running and ours is not None and ours.iterator() is not None and not ours.of(loader)

    def close(self, error: BaseException | None) -> None:
        """Training is over: what has been trained of the last epoch counts, unless it was broken off by an error."""
        if self._hook is not None:
            self._hook.remove()
        if error is None or self._late:
            self._end()
        self.recorder.__exit__(type(error) if error else None, error, error.__traceback__ if error else None)

    # epochs

    def _cycle(self) -> None:
        """From here on batches come again without their loader."""
        self._cycled, self._calls = True, 0
        if self.steps is None:
            self.steps = self.counts[-1] or None
            self._say(
                f"the loader's batches are used again without it (itertools.cycle?): an epoch is {self.steps} steps, as many as "
                "its first pass had; --epoch-steps N says otherwise"
            )

    def _begin(self) -> None:
        """A training step begins; and perhaps an epoch."""
        self._ready = False
        if self._late:
            self._over()
        self._due = True
        if not self._running:
            self._running, self._taken = True, 0
            self.recorder.begin_epoch(self._done + 1)
        if not self.labels.of_batch:
            self._labels = self.labels.here(next(frames(), None))
        self.recorder.step(self._labels)
        self._labels = None

    def _over(self) -> None:
        """A pass over the loader has ended, and with it an epoch, unless steps are counted."""
        if self.steps is None:
            self._end()
        self._calls, self._late = 0, False

    def _end(self) -> None:
        if self._running:
            self._running = False
            self._done += 1
            self.counts.append(self._taken)
            self.recorder.end_epoch()


class _Call:
    """A hook that copies and pickles of the model leave behind: there, a function of the standard library that does nothing."""

    def __init__(self, recording: Recording):
        self._recording = weakref.ref(recording)

    def __reduce__(self) -> tuple[Any, ...]:
        return getattr, (contextlib.nullcontext(), "__exit__")

    def __deepcopy__(self, memo: Any) -> Any:
        return contextlib.nullcontext().__exit__

    def __call__(self, module: nn.Module, args: Any) -> None:
        recording = self._recording()
        if recording is not None:
            recording.called(module)


def _weak(labels: Any) -> Any:
    try:
        return weakref.ref(labels)
    except TypeError:
        return None
