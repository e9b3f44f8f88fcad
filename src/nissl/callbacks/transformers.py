"""Hugging Face: `Trainer(..., callbacks=[nissl.callbacks.Transformers("runs/a")])`."""

import sys
import warnings
import weakref
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from nissl.core.loop import Loop
from nissl.core.probe import split
from nissl.errors import NisslWarning, Unsupported

_NOISE = ("epoch", "total_flos", "_runtime", "_per_second")
_CALLED = {
    "loss": "train_loss"
}  # the mean since it last logged, in whichever epoch; the recorder's loss is of this one


class Transformers(Loop, TrainerCallback):  # type: ignore[misc]
    """Records what a `Trainer` trains; options as for `nissl.record`. Every training forward of the model is a step.

    labels: how to take the labels from a batch, as the model is given it, where that doesn't call them labels. The
    Trainer doesn't tell its callbacks of errors: see `Loop` for what that means.
    """

    def __init__(
        self, path: str | Path | None = None, *, labels: Callable[[Mapping[str, Any]], Any] | None = None,
        **options: Any,
    ):  # fmt: skip
        super().__init__(path, **options)
        self._labels = labels
        self._epoch, self._over = 0, False
        self._unlabelled = False
        self._numbers: dict[str, list[float]] = {}
        self._hook: Any = None

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, model: Any = None, **others: Any
    ) -> None:
        if args.n_gpu > 1:
            raise Unsupported(
                f"The Trainer runs copies of the model on {args.n_gpu} GPUs in threads (DataParallel), which can't be told apart. "
                "Start it by torchrun, or let it see one GPU (CUDA_VISIBLE_DEVICES=0)."
            )
        self._epoch, self._over, self._unlabelled = int(state.epoch or 0), False, False
        known = state.num_train_epochs < sys.maxsize  # not where the data's length is unknown
        self.start(model, done=self._epoch, last=state.num_train_epochs if known else None)
        self._hook = model.register_forward_pre_hook(_Given(self), with_kwargs=True)

    def on_epoch_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **others: Any
    ) -> None:
        self._finish()
        self._epoch += 1
        self._numbers = {}
        self.begin_epoch(self._epoch)

    def given(self, batch: Mapping[str, Any]) -> None:
        """The model is about to be trained on this."""
        if not self.recording:
            return
        labels = self._labels(batch) if self._labels else split(batch)[1]
        if labels is None and self._labels is None and not self._unlabelled:
            self._unlabelled = True
            warnings.warn(
                f"nissl: nothing in what the model is given ({', '.join(batch)}) is called labels, so nothing is recorded by "
                "class. The Trainer takes labels away for label_smoothing_factor and compute_loss_func; labels=lambda batch: "
                "... says where else they are, and labels=lambda batch: None that there are none.",
                NisslWarning,
                stacklevel=2,
            )
        self.step(labels)

    def on_substep_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **others: Any
    ) -> None:
        self.pause()

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **others: Any) -> None:
        self.pause()

    def on_epoch_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **others: Any
    ) -> None:
        self._over = True

    def on_log(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl,
        logs: Mapping[str, Any] | None = None, **others: Any,
    ) -> None:  # fmt: skip
        if (
            logs and "train_runtime" in logs
        ):  # the last: what comes next may be the best weights, loaded in these ones' place
            self._finish()
        elif logs:
            for name, value in logs.items():
                if isinstance(value, int | float) and not name.endswith(_NOISE):
                    self._numbers.setdefault(_CALLED.get(name, name), []).append(float(value))

    def on_train_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **others: Any
    ) -> None:
        self._finish()
        self.stop()

    def stop(self, error: BaseException | None = None) -> None:
        if self._hook is not None:
            self._hook.remove()
            self._hook = None
        super().stop(error)

    def _finish(self) -> None:
        """Commit the epoch whose end was told: later than that, for what it logs and evaluates at its end comes after it."""
        if self._over:
            self._over = False
            self.end_epoch({name: sum(values) / len(values) for name, values in self._numbers.items()})


class _Given:
    """Hears what the model is given; does nothing in copies and pickles of the model, nor where the callback is forgotten."""

    def __init__(self, callback: Transformers | None):
        self._callback = weakref.ref(callback) if callback is not None else lambda: None

    def __reduce__(self) -> tuple[Any, ...]:
        return _Given, (None,)

    def __call__(self, module: Any, args: Any, given: Mapping[str, Any]) -> None:
        callback = self._callback()
        if callback is not None and module.training and torch.is_grad_enabled():
            callback.given(given)
