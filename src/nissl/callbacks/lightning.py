"""Lightning: `Trainer(callbacks=[nissl.callbacks.Lightning("runs/a")])`."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from nissl.core.loop import Loop
from nissl.core.probe import split
from nissl.errors import UnknownName, listing, near

try:
    from lightning.pytorch import Callback, LightningModule, Trainer
except ImportError:  # the same, under its older name
    from pytorch_lightning import Callback, LightningModule, Trainer


class Lightning(Loop, Callback):  # type: ignore[misc]
    """Records what `Trainer.fit` trains; options as for `nissl.record`.

    part: the name of the submodule to record ("net"), if not all of the module; labels: how to take the labels from a
    batch, where they are neither the last of a tuple nor what a dict calls its labels.
    """

    def __init__(
        self, path: str | Path | None = None, *, part: str = "", labels: Callable[[Any], Any] | None = None,
        **options: Any,
    ):  # fmt: skip
        super().__init__(path, **options)
        self.part, self._labels = part, labels
        self._epoch: int | None = None
        self._over = False
        self._known: dict[str, Any] = {}

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._epoch, self._over = None, False
        last = trainer.max_epochs if (trainer.max_epochs or -1) > 0 else None
        parts = dict(pl_module.named_modules())
        if self.part not in parts:
            known = [name for name in parts if name]
            raise UnknownName(
                f"part={self.part!r}: the module has no such part.{near(self.part, known)} Its parts are: {listing(known)}."
            )
        self.start(parts[self.part], done=trainer.current_epoch, last=last)

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._finish(trainer)

    def on_train_batch_start(self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int) -> None:
        if self._epoch is None:  # also where training goes on inside an epoch, of whose start nothing is told
            self._epoch = trainer.current_epoch + 1
            self._known = dict(trainer.callback_metrics)
            self.begin_epoch(self._epoch)
        self.step(self._labels(batch) if self._labels else split(batch)[1])

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        self.pause()

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._over = self._epoch is not None

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._finish(trainer)
        self.stop()

    def on_exception(self, trainer: Trainer, pl_module: LightningModule, exception: BaseException) -> None:
        if self.recording:
            self._finish(trainer)
            self.stop(exception)

    def _finish(self, trainer: Trainer) -> None:
        """Commit the epoch whose end was told: later than that, for what the module logs at the end comes after it."""
        if self._over:
            self._epoch, self._over = None, False
            logged = trainer.callback_metrics.items()
            self.end_epoch({name: value for name, value in logged if value is not self._known.get(name)})
