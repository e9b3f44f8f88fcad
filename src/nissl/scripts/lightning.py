"""Lightning: every `Trainer.fit` has nissl's callback."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from lightning.pytorch import Trainer

from nissl.core.script import Script
from nissl.scripts._hook.loops import recorded
from nissl.scripts._hook.patches import replaced


class Lightning(Script):
    """Adds the callback while a training runs; `--model` names a submodule to record alone."""

    @contextmanager
    def overheard(self) -> Iterator[None]:
        with replaced(Trainer, "fit", self._fitting):
            yield

    def _fitting(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def fit(trainer: Any, *given: Any, **named: Any) -> Any:
            callbacks: list[Any] = trainer.callbacks
            with recorded(self.session, "lightning", callbacks, part=self.session.asked.model or "") as ours:
                callbacks[:0] = ours
                try:
                    return original(trainer, *given, **named)
                finally:
                    callbacks[:] = [callback for callback in callbacks if callback not in ours]

        return fit
