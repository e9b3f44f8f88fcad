"""Hugging Face: every `Trainer.train` has nissl's callback."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from nissl.core.script import Script
from nissl.scripts._hook.imports import awaited
from nissl.scripts._hook.loops import recorded
from nissl.scripts._hook.patches import replaced


class Transformers(Script):
    """Waits for the Trainer, which `import transformers` alone does not load, and adds the callback while it trains."""

    @contextmanager
    def overheard(self) -> Iterator[None]:
        with ExitStack() as stack, awaited({"transformers.trainer": lambda: self._found(stack)}):
            yield

    def _found(self, stack: ExitStack) -> None:
        from transformers.trainer import Trainer

        stack.enter_context(replaced(Trainer, "train", self._training))

    def _training(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def train(trainer: Any, *given: Any, **named: Any) -> Any:
            with recorded(self.session, "transformers", trainer.callback_handler.callbacks) as ours:
                for callback in ours:
                    trainer.add_callback(callback)
                try:
                    return original(trainer, *given, **named)
                finally:
                    for callback in ours:
                        trainer.remove_callback(callback)

        return train
