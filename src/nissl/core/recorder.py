"""Record a network while it trains: the only stateful thing near the user's loop, and a `with`."""

import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from types import TracebackType
from typing import Any, Self, TypeVar

import numpy as np

from nissl.core.hearing import Hearing, fitting
from nissl.core.ledger import Ledger
from nissl.core.network import Network
from nissl.core.probe import Probe, split
from nissl.core.ranks import Facts, Ranks
from nissl.core.screen import Screen
from nissl.core.settings import Settings
from nissl.core.store import Store
from nissl.core.task import Task, class_names
from nissl.core.trace import Trace
from nissl.errors import BadValue, NisslWarning, NotHeard, listing

Batch = TypeVar("Batch")


class Recorder:
    """Made by `nissl.record`. Inside its `with`, train as always; nothing that it does changes the training."""

    def __init__(
        self, network: Network, store: Store, settings: Settings, *, classes: int | Sequence[Any] | None = None,
        bins: Any = None, probe: Any = None, header: Mapping[str, Any] | None = None, resume: bool = False,
    ):  # fmt: skip
        self.network, self.settings = network, settings
        self.layers = network.select(settings.layers)
        self.probe = Probe(probe, labels=network.numbered) if probe is not None else None
        self._classes, self._bins, self._resume = network.class_names(classes), bins, resume
        self._ranks = Ranks(network)
        self._hearing = Hearing(network, self.layers, fitting(settings, network), self.probe, self._ranks)
        self._ledger = Ledger(store, settings, header or {}, self._ranks)
        if not network.steps_heard and self.probe is None:
            raise BadValue(
                f"The steps of a {network.framework} network can't be heard from outside: pass probe=(x, y), examples that are "
                "shown to it at the end of every recorded epoch."
            )
        self._screen = Screen(settings.progress and self._ranks.first)
        self._stack = ExitStack()
        self._logged: dict[str, list[Any]] = {}
        self._epoch: int | None = None
        self._step = self._total = 0
        self._began = 0.0
        self._checked = self._said = self._whole = self._open = self._stepping = False

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            if not self._ranks.whole:
                self._rehearse()
            facts = self._ranks.agree(lambda: self._begin(stack))
            if not self._ranks.first:
                self._ledger.join(self._hearing, facts)
                stack.push(self._ledger)
            if self._ledger.task and (self._classes is None or self.probe):  # else the first labels must fit it
                self._hearing.decide(self._ledger.task)
            stack.enter_context(self._screen)
            self._hearing.open(stack)
            if not self.settings.drop_batches and "activation" in self._hearing.taps:
                self._hearing.taps["activation"].batches = {}
            self._stack, self._open = stack.pop_all(), True
        return self

    def _begin(self, stack: ExitStack) -> Facts:
        """Begin the trace, or go on with it, and say what all processes need to know of it."""
        if self._ranks.whole:
            self._rehearse()
        self._ledger.open(self._hearing, resume=self._resume)
        stack.push(self._ledger)
        if self._ledger.task is None or self._classes is not None:  # when resumed, labels mean what they meant
            self._decide(self.probe.labels if self.probe else None)
        self._ledger.agree()
        return self._ledger.facts()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None and self._epoch is not None and (self._whole or not self._step):
            self.end_epoch()  # the loop was left by `break` after this epoch's last batch: early stopping
        self._open = False
        self._hearing.listen(False)
        self._ledger.costs["seconds_hearing"] = self._hearing.seconds
        self._stack.__exit__(kind, error, trace)
        self._screen.say(self._ledger.account())

    @property
    def trace(self) -> Trace:
        """What has been recorded so far."""
        return Trace(self._ledger.store)

    @property
    def last(self) -> int | None:
        """The last epoch that the trace holds."""
        return self._ledger.last

    def epochs(self, n: int) -> Iterator[int]:
        """Epochs 1 to n, recorded as they end; when resuming, those after the last committed one."""
        for epoch in range(self.expect(n), n + 1):
            self.begin_epoch(epoch)
            yield epoch
            self.end_epoch()

    def expect(self, n: int) -> int:
        """Epochs up to n are about to be trained: say what recording them will take.

        Returns the first of them. What `epochs` does at its start, for loops that count for themselves.
        """
        if not hasattr(n, "__index__") or isinstance(n, bool) or n < 1:
            raise BadValue(f"epochs({n!r}): how many epochs to train, a whole number from 1.")
        self._must_be_open()
        first = self._ledger.last + 1 if self._ledger.last is not None else 1
        before = self._ledger.last is None and self._due_before_training()
        named = isinstance(self.settings.schedule.epochs, tuple) and before  # [0]: just the network before training
        if self._ledger.last is None and not self.settings.schedule.among(1, n) and not named:
            raise BadValue(
                f"epoch_intervals={self.settings.epoch_intervals!r} names none of the epochs 1 to {n}: nothing would be recorded."
            )
        self._ledger.expected = self._expected()
        self._screen.say(self._ledger.forecast(0 if before else first, n))
        self._screen.start(first, n)
        return first

    def _rehearse(self) -> None:
        try:
            self._hearing.rehearse()
        except Exception as error:
            raise BadValue(
                f"The probe cannot be shown to this network: {type(error).__name__}: {error}. probe is (x, y), x as the network takes it."
            ) from error

    def _expected(self) -> tuple[str, ...]:
        """The classes that labels will most likely divide the examples into."""
        outputs = self.network.layers[-1].units or 0 if self.network.layers else 0
        return class_names(self._classes) or tuple(map(str, range(outputs if 1 < outputs <= 1000 else 0)))

    def _due_before_training(self) -> bool:
        """Epoch 0 has the probe's answers and the first weights; without a probe it is kept only when it is named."""
        named = isinstance(self.settings.schedule.epochs, tuple)
        return self.settings.schedule.due(0) and (self.probe is not None or named)

    def begin_epoch(self, epoch: int) -> None:
        """What `epochs` does before it yields, for loops that count for themselves; the first keeps epoch 0 if that is due."""
        self._must_be_open()
        last = self._ledger.last
        if last is not None and epoch <= last:
            raise BadValue(
                f"begin_epoch({epoch}): this trace already holds epoch {last}, and epochs are kept in rising order; the next is {last + 1}."
            )
        if epoch == 1 and last is None and self._due_before_training():
            self._commit(0, trained=False)
        self._epoch, self._step, self._began, self._logged = epoch, 0, time.perf_counter(), {}
        self._whole = False
        self._hearing.listen(self.settings.schedule.due(epoch))

    def _must_be_open(self) -> None:
        if not self._open:
            raise BadValue("The recorder is not open: train inside `with nissl.record(model, path) as recorder:`.")

    def end_epoch(self) -> None:
        """What `epochs` does when its body is done: commit the epoch if it is due."""
        if self._epoch is None:
            return
        epoch, self._epoch = self._epoch, None
        self.pause()
        due = self.settings.schedule.due(epoch)
        first = due and self._hearing.seconds and not self._said
        scalars = self._commit(epoch) if due else {}
        self._screen.epoch(epoch, scalars, due)
        if first and scalars.get("steps"):
            self._said = True
            self._screen.say(self._ledger.first_cost(self._hearing.seconds, scalars))

    def batches(self, loader: Iterable[Batch], labels: Callable[[Batch], Any] | None = None) -> Iterator[Batch]:
        """The loader's own batches, one training step each; their labels divide what is heard into classes.

        Labels are the last of a tuple or what a dict calls labels, label, targets, target or y, unless `labels` says
        how to take them from a batch.
        """
        if self._epoch is None:
            raise BadValue("batches() belongs inside `for epoch in recorder.epochs(n)` (or after begin_epoch(epoch)).")
        steps = _length(loader)
        if not self._total:
            self._ledger.afford(steps)
        try:
            for batch in loader:
                self.step(self.network.numbered(labels(batch) if labels else split(batch)[1]))
                yield batch
                self.end_step()
                self._screen.step(self._epoch or 0, self._step, steps)
            self._whole = True
        finally:  # also where the loop is left by `break`: what follows is no training step
            self._stepping = False
            self._hearing.listen(False)

    def step(self, labels: Any = None) -> None:
        """A training step begins, with these labels: what `batches` does before it yields."""
        self._must_be_open()
        self.end_step()
        if self._hearing.task is None:
            self._decide(labels)
        listening = self.settings.schedule.due(self._epoch or 0) and self.settings.schedule.due_step(self._step)
        self._step += 1
        self._total += 1
        self._stepping = listening
        self._hearing.listen(listening, labels)

    def pause(self) -> None:
        """What follows is no training step, until the next `step`: validation, for instance."""
        self.end_step()
        self._hearing.listen(False)

    def renew(self, model: Any) -> None:
        """Go on with this state of the model, where every step makes a new one: `recorder.renew(model)` (Equinox)."""
        self.network.renew(model)

    def log(self, **numbers: Any) -> None:
        """Add numbers (or one-element tensors) to this epoch's averages: `recorder.log(loss=loss)`."""
        for name, value in numbers.items():
            kept = float(value) if isinstance(value, int | float) else self.network.keep(value)
            self._logged.setdefault(name, []).append(kept)

    def end_step(self) -> None:
        """What `batches` does when a step is done; the next `step`, `pause` or `end_epoch` does it too."""
        if not self._stepping:
            return
        self._stepping = False
        if not self._checked:
            self.network.settle()
            if not self._hearing.anything:
                what = f"Nothing was heard of any of the {len(self.layers)} layers in the first training step."
                raise NotHeard(f"{what} {self.network.unheard_reason()}")
            self._checked = True
        for tap in self._hearing.taps.values():
            tap.end_batch()

    def _decide(self, labels: Any) -> None:
        if labels is None:
            return
        last = self.network.layers[-1].units if self.network.layers else None
        self._hearing.decide(Task.of(self.network.to_numpy(labels), last, self._classes, self._bins))
        assert self._hearing.task is not None
        self._ledger.decided(self._hearing.task)

    def _commit(self, epoch: int, *, trained: bool = True) -> dict[str, float]:
        """Read what was heard and write it; whatever fails is said, and the training goes on."""
        try:
            if trained:
                self._miss(epoch)
            scalars = {
                name: float(np.mean([self.network.to_numpy(v) for v in vs])) for name, vs in self._logged.items()
            }
            if trained:
                scalars |= {"steps": float(self._step), "seconds": time.perf_counter() - self._began}
            return self._ledger.commit(epoch, scalars, trained=trained)
        except NotHeard:
            raise
        except Exception as error:  # noqa: BLE001 - recording never kills training
            message = f"nissl: epoch {epoch} is not recorded: {type(error).__name__}: {error}. The training goes on."
            warnings.warn(message, NisslWarning, stacklevel=3)
            return {}

    def _miss(self, epoch: int) -> None:
        """Layers that were asked for by name must have been heard; of the others it is enough to say so."""
        tap = self._hearing.taps.get("activation")
        stepless = self._ranks.several or (self.probe and not self.network.trains)  # others have steps, or nobody has
        if tap is None or self._ledger.last or (not self._checked if self._step else stepless):
            return
        heard = tap.ever | set(tap.heard)
        if tap.classless and set(tap.classless) >= heard:
            reason = next(iter(tap.classless.values()))
            warnings.warn(
                f"nissl: labels do not fit any layer, so nothing is recorded by class: {reason}",
                NisslWarning,
                stacklevel=4,
            )
        elif tap.classless:
            self._screen.say(f"labels do not fit, so without class profiles: {listing(tap.classless)}")
        missed = [name for name in self.layers if name not in heard]
        if len(missed) == len(self.layers):
            raise NotHeard(f"Nothing was heard in epoch {epoch}. {self.network.unheard_reason()}")
        if missed and self.settings.layers != "*":
            raise NotHeard(
                f"These layers never ran in epoch {epoch}: {listing(missed)}. {self.network.unheard_reason()}"
            )
        if missed:
            self._screen.say(f"never called, so without activations: {listing(missed)}")


def _length(loader: Any) -> int | None:
    try:
        return len(loader)
    except TypeError:
        return None
