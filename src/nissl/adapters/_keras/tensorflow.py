"""Keras on TensorFlow: steps are graphs, so values come by an operation that calls back; gradients by a tape."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np
import tensorflow as tf

Tell = Callable[..., None]


def traced(value: Any) -> bool:
    return bool(tf.is_symbolic_tensor(value))


def emit(tell: Tell, values: Sequence[Any]) -> None:
    tf.numpy_function(tell, list(values), [])


def settle() -> None:
    """A graph has told everything when it returns."""


def hear_gradient(value: Any, tell: Tell) -> Any:
    @tf.custom_gradient  # type: ignore[untyped-decorator]
    def same(x: Any) -> Any:
        def backward(gradient: Any) -> Any:
            if traced(gradient):
                emit(tell, [gradient])
            else:
                tell(gradient)
            return gradient

        return tf.identity(x), backward

    return same(value)


def gradients(
    score: Callable[[list[Any], Callable[[str, Any], Any]], Any], inputs: list[Any], names: Sequence[str]
) -> tuple[list[Any], dict[str, Any]]:
    caught: dict[str, Any] = {}
    with tf.GradientTape(watch_accessed_variables=False) as tape:

        def catch(name: str, value: Any) -> Any:
            if name in names:
                value = tf.identity(value)
                tape.watch(value)
                caught[name] = value
            return value

        for one in inputs:
            tape.watch(one)
        total = score(inputs, catch)
    asked = [*inputs, *caught.values()]
    found = tape.gradient(total, asked, unconnected_gradients=tf.UnconnectedGradients.ZERO)
    return found[: len(inputs)], dict(zip(caught, found[len(inputs) :], strict=True))


def learning() -> bool | None:
    return None


def still() -> AbstractContextManager[None]:
    return nullcontext()


def to_numpy(value: Any) -> Any:
    return value.numpy() if hasattr(value, "numpy") else np.asarray(value)


def copied(value: Any) -> Any:
    return value  # never overwritten
