"""Keras on TensorFlow: steps are graphs, so values come by an operation that calls back; gradients by a tape."""

import os
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import Any

import numpy as np
import tensorflow as tf

_SUMS = ("Add", "AddV2")
_ARITHMETIC = (*_SUMS, "AddN", "Sub", "Mul", "RealDiv", "Neg")
_PRODUCTS = ("BiasAdd", "MatMul", "BatchMatMulV2", "Conv2D", "Conv3D", "DepthwiseConv2dNative")
_BENDS = ("Relu", "Relu6", "Elu", "LeakyRelu", "Tanh", "Sigmoid", "Erf", "Pow")
Tell = Callable[..., None]
Rule = Callable[[Any, list[Any]], None] | None


def homes() -> tuple[Any, ...]:
    return tf.nn, tf.math, tf


def traced(value: Any) -> bool:
    return bool(tf.is_symbolic_tensor(value))


def emit(tell: Tell, values: Sequence[Any]) -> None:
    tf.numpy_function(tell, list(values), [])


def apart(value: Any) -> bool:
    """Grappler makes one operation of sums of sums, oneDNN of a product and what is behind it; not if a third one takes it."""
    made, behind = value.op.type, {node.type for node in value.consumers()}
    fused = os.environ.get("TF_ENABLE_ONEDNN_OPTS", "1").lower() not in ("0", "false")
    if made in _ARITHMETIC and not behind.isdisjoint(_ARITHMETIC):
        return True
    return fused and made in (*_SUMS, *_PRODUCTS) and not behind.isdisjoint((*_SUMS, *_BENDS))


def again(value: Any, compute: Callable[[], Any] | None) -> Any:
    """In a function of its own, which grappler neither inlines nor takes for the same as the step's."""
    alone = partial(tf.function, autograph=False, experimental_attributes={"_noinline": True})
    if compute is not None:
        return alone(compute)()
    return alone(tf.add)(*value.op.inputs) if value.op.type in _SUMS else None


def outward(_: Tell, __: Sequence[Any], ___: Any) -> Callable[[], None] | None:
    return None


def settle() -> None:
    """A graph has told everything when it returns."""


def hear_gradient(value: Any, tell: Tell, emit: Callable[[Tell, Sequence[Any]], None]) -> Any:
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
    score: Callable[[list[Any], Callable[[str, Any], Any]], Any],
    inputs: list[Any],
    names: Sequence[str],
    _: Rule = None,
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
