"""PyTorch: loops that a script writes itself, by its optimisers, its models' calls and its DataLoaders."""

import weakref
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any

import torch
from torch import nn
from torch.optim.optimizer import Optimizer, register_optimizer_step_post_hook
from torch.utils.data import DataLoader
from torch.utils.data.dataloader import _BaseDataLoaderIter

from nissl.core.script import Script
from nissl.core.session import Session, shown
from nissl.errors import NisslError, listing
from nissl.scripts._hook.patches import replaced
from nissl.scripts._torch.finding import parameters
from nissl.scripts._torch.opening import opened
from nissl.scripts._torch.recording import Pass, Recording


class Torch(Script):
    """Waits for the first training call of a model that an optimiser trains, and records from there."""

    def __init__(self, session: Session):
        super().__init__(session)
        self._optimizers: weakref.WeakSet[Any] = weakref.WeakSet()
        self._owned: set[int] = set()
        """Parameters that an optimiser trains and that are not recorded yet."""
        self._before: set[int] = set()
        """What these were when the recording began."""
        self._recording: Recording | None = None
        self._passes: weakref.WeakKeyDictionary[Any, Pass] = weakref.WeakKeyDictionary()
        self._latest: tuple[Pass, Any] | None = None
        """The last batch that a loader gave, while a training call is awaited."""
        self._waiting = ExitStack()
        self._kinds: dict[str, int] = {}
        """Optimiser steps by the optimiser's class."""

    @contextmanager
    def overheard(self) -> Iterator[None]:
        with ExitStack() as stack:
            stack.enter_context(replaced(Optimizer, "__init__", self._making))
            stack.enter_context(replaced(DataLoader, "__iter__", self._starting))
            stack.enter_context(replaced(_BaseDataLoaderIter, "__next__", self._giving))
            stack.callback(register_optimizer_step_post_hook(self._stepped).remove)
            stack.callback(self._waiting.close)
            yield

    def close(self, error: BaseException | None) -> None:
        self._finish(error)

    def seen(self) -> str:
        if not self._kinds and not self._optimizers and not self._owned:
            return ""
        steps = ", ".join(f"{n} of {kind}" for kind, n in self._kinds.items()) or "none"
        return (
            f"Optimiser steps seen: {steps}; no module that an optimiser trains was called in training mode with gradients "
            "where it could be heard. A compiled function around the whole step hides its calls; a child process of "
            "multiprocessing is heard only as a rank of torch.distributed. See docs/how-to/record-a-script.md."
        )

    # what is replaced

    def _making(self, original: Callable[..., None]) -> Callable[..., None]:
        def __init__(optimizer: Any, *args: Any, **kwargs: Any) -> None:  # noqa: N807 - it stands for that
            original(optimizer, *args, **kwargs)
            if self.session.free and not self.session.failed:
                self._optimizers.add(optimizer)
                self._owned |= parameters(optimizer)
                self._await()

        return __init__

    def _await(self) -> None:
        """Look at every module's call until one trains what is not recorded yet."""
        self._waiting.close()
        self._waiting.enter_context(replaced(nn.Module, "__call__", self._calling))

    def _calling(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def __call__(module: nn.Module, *args: Any, **kwargs: Any) -> Any:  # noqa: N807 - it stands for that
            if not torch.compiler.is_compiling() and module.training and torch.is_grad_enabled():
                self._guarded(partial(self._called, module, args, kwargs))
            return original(module, *args, **kwargs)

        return __call__

    def _starting(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def __iter__(loader: Any) -> Any:  # noqa: N807 - it stands for that
            if self._recording is not None and self.session.free:
                self._guarded(partial(self._start, self._recording, loader))
            iterator = original(loader)
            self._passes[iterator] = Pass(loader, iterator)
            return iterator

        return __iter__

    def _giving(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def __next__(iterator: Any) -> Any:  # noqa: N807 - it stands for that
            of = self._passes.get(iterator)
            try:
                batch = original(iterator)
            except StopIteration:
                if of is not None and self._recording is not None and self.session.free:
                    self._guarded(partial(self._recording.exhausted, of))
                raise
            if of is not None and self.session.free:
                of.delivered += 1
                self._latest = (of, batch) if self._owned else None
                if self._recording is not None:
                    self._guarded(partial(self._recording.delivered, of, batch))
            return batch

        return __next__

    # what happens

    def _stepped(self, optimizer: Any, args: Any, kwargs: Any) -> None:
        if not self.session.free:
            return
        name = type(optimizer).__name__
        self._kinds[name] = self._kinds.get(name, 0) + 1
        if self._recording is not None:
            self._guarded(partial(self._recording.stepped, optimizer))

    def _start(self, recording: Recording, loader: Any) -> None:
        """A pass begins; what only looked at the model before it is forgotten, and training awaited again."""
        if not recording.looked() or self.session.world > 1 or recording.amid(loader):
            recording.started(loader)
            return
        self._recording = None
        recording.close(NisslError("a look at the model, no training"))
        self.session.forget()
        self.session.say("that was a look at the model and no training: forgotten")
        self._owned |= self._before
        self._await()

    def _called(self, module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        session = self.session
        if not session.free or session.failed or not any(id(p) in self._owned for p in module.parameters()):
            return
        if _in_backward() or (session.worker and not _ranked()):
            return
        if _ranked():
            session.rank, session.world = torch.distributed.get_rank(), torch.distributed.get_world_size()
        self._waiting.close()
        self._finish(None)  # of a training that came before
        latest, self._latest = self._latest, None
        self._before, self._owned = self._owned, set()
        here = [o for o in self._optimizers if o.param_groups]
        self._recording = opened(session, here, module, (args, kwargs), latest)

    def _finish(self, error: BaseException | None) -> None:
        recording, self._recording = self._recording, None
        if recording is not None and self.session.alive:
            recording.close(error)
            trace = recording.recorder.trace
            epochs = trace.epochs
            many = "epoch {} is" if len(epochs) == 1 else "epochs {} are"
            kept = many.format(listing(epochs)) if epochs else "no epoch is"
            self.session.say(f"trained {_told(recording.counts)}; {kept} in {shown(self.session.recorded[-1])}")
            if recording.counts and not any(epochs):  # epoch 0 is the network before training
                self.session.fail("none of the epochs that were trained is to be recorded: change --epochs")
                self.session.recorded.pop()
            heard = [layer for layer in trace.layers if "mean" in trace.names(layer)]
            if trace.epochs and not heard:
                self.session.fail("no layer was heard in any epoch: only weights are recorded")

    def _guarded(self, event: Callable[[], None]) -> None:
        """Whatever goes wrong in recording ends the recording, never the script."""
        try:
            event()
        except Exception as error:  # noqa: BLE001 - the same
            known = isinstance(error, NisslError)
            self.session.fail(f"recording ends here: {error if known else f'{type(error).__name__}: {error}'}")
            recording, self._recording = self._recording, None
            if recording is not None:
                recording.close(error)


def _in_backward() -> bool:
    """Is this a recomputation by gradient checkpointing?"""
    return torch._C._current_graph_task_id() != -1  # noqa: SLF001 - nothing public tells


def _ranked() -> bool:
    return torch.distributed.is_available() and torch.distributed.is_initialized()


def _told(counts: list[int]) -> str:
    """3 epochs of 64 steps."""
    kinds = sorted(set(counts))
    steps = (
        f" of {kinds[0]} step{'s' * (kinds[0] != 1)}"
        if len(kinds) == 1
        else f" of {kinds[0]} to {kinds[-1]} steps"
        if kinds
        else ""
    )
    return f"{len(counts)} epoch{'s' * (len(counts) != 1)}{steps}"
