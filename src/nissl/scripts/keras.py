"""Keras, on each of its back ends: every `fit` has nissl's callback."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import keras

from nissl.core.script import Script
from nissl.scripts._hook.loops import recorded
from nissl.scripts._hook.patches import replaced


class Keras(Script):
    """Adds the callback, and a probe of the first examples where `fit` is given arrays."""

    @contextmanager
    def overheard(self) -> Iterator[None]:
        with replaced(keras.Model, "fit", self._fitting):
            yield

    def _fitting(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def fit(model: Any, x: Any = None, y: Any = None, *given: Any, **named: Any) -> Any:
            callbacks = named.get("callbacks")
            listed = getattr(callbacks, "callbacks", callbacks) or []
            listed = listed if isinstance(listed, list | tuple) else [listed]
            with recorded(self.session, "keras", listed, **self._probe(x, y)) as ours:
                if ours and isinstance(callbacks, keras.callbacks.CallbackList):
                    callbacks.append(ours[0])
                elif ours:
                    named["callbacks"] = [*listed, *ours]
                return original(model, x, y, *given, **named)

        return fit

    def _probe(self, x: Any, y: Any) -> dict[str, Any]:
        count = self.session.asked.probe
        if not count or not hasattr(x, "shape") or not hasattr(y, "shape"):
            return {}
        return {"probe": (x[:count], y[:count])}
