"""Keras on JAX: steps are traced and compiled, so values come by a callback; gradients by adding zero to what is asked for."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from nissl.errors import NotHeard, listing

Tell = Callable[..., None]
Rule = Callable[[Any, list[Any]], None] | None


def homes() -> tuple[Any, ...]:
    return jax.nn, jnp


def traced(value: Any) -> bool:
    return isinstance(value, jax.core.Tracer)


def emit(tell: Tell, values: Sequence[Any]) -> None:
    jax.debug.callback(tell, *values)


def apart(_: Any) -> bool:
    return False


def again(_: Any, __: Any) -> Any:
    return None


def outward(tell: Tell, values: Sequence[Any], step: Any) -> Callable[[], None] | None:
    """Without a gradient, a value inside `jax.grad` is the very one of the step outside; inside a scan or remat it is not."""
    trace = getattr(step, "_trace", None)
    found = [jax.lax.stop_gradient(value) for value in values]
    here = trace is not None and all(not traced(one) or getattr(one, "_trace", None) is trace for one in found)
    return jax.tree_util.Partial(tell, *found) if here else None


def settle() -> None:
    jax.effects_barrier()


def hear_gradient(value: Any, tell: Tell, emit: Callable[[Tell, Sequence[Any]], None]) -> Any:
    @jax.custom_vjp  # type: ignore[untyped-decorator]
    def same(x: Any) -> Any:
        return x

    def backward(_: None, gradient: Any) -> tuple[Any]:
        if traced(gradient):
            emit(tell, [gradient])
        else:
            tell(gradient)
        return (gradient,)

    same.defvjp(lambda x: (x, None), backward)
    return same(value)


def gradients(
    score: Callable[[list[Any], Callable[[str, Any], Any]], Any],
    inputs: list[Any],
    names: Sequence[str],
    _: Rule = None,
) -> tuple[list[Any], dict[str, Any]]:
    shapes: dict[str, Any] = {}

    def look(name: str, value: Any) -> Any:
        shapes[name] = jax.ShapeDtypeStruct(value.shape, value.dtype)
        return value

    jax.eval_shape(lambda given: score(given, look), inputs)
    silent = [name for name in names if name not in shapes]
    if silent:
        raise NotHeard(f"These layers did not run on this input, so that they have no gradient: {listing(silent)}.")
    nothing = {name: jnp.zeros(shapes[name].shape, shapes[name].dtype) for name in names}

    def total(given: list[Any], added: dict[str, Any]) -> Any:
        return score(given, lambda name, value: value + added[name] if name in added else value)

    found: tuple[list[Any], dict[str, Any]] = jax.grad(total, argnums=(0, 1))(inputs, nothing)
    return found


def learning() -> bool | None:
    return None


def still() -> AbstractContextManager[None]:
    return nullcontext()


def to_numpy(value: Any) -> Any:
    return np.asarray(value)


def copied(value: Any) -> Any:
    return value  # never overwritten
