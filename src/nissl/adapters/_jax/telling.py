"""Values out of a traced program: one callback for all of a pass, whatever transforms the program goes through."""

from collections.abc import Callable, Sequence
from typing import Any

import jax
from jax import numpy as jnp

LISTENED: Any = jax.make_user_context(()) if hasattr(jax, "make_user_context") else None
"""Who listens: a part of JAX's cache keys, so that steps compiled without listeners are traced anew, and kept for later."""

Told = Callable[..., None]
"""Takes the values as the host sees them."""
Ready = Callable[[list[Any]], list[Any]]
Send = Callable[[Sequence[Any]], None]
"""Has values of a program arrive when it runs."""


def tell(told: Told, values: Sequence[Any], ready: Ready = list) -> None:
    """Hand these values to `told` when the program runs: once, with an axis in front for every `jax.vmap` around it.

    `ready` may reduce them, as a part of the program, when all axes are there.
    """

    @jax.custom_batching.custom_vmap  # type: ignore[untyped-decorator]
    def leave(values: list[Any]) -> tuple[()]:
        jax.debug.callback(told, *ready(values))
        return ()

    @leave.def_vmap  # type: ignore[untyped-decorator]
    def _batched(size: int, batched: Any, values: list[Any]) -> tuple[tuple[()], tuple[()]]:
        every = zip(values, batched[0], strict=True)
        leave([value if moved else jnp.broadcast_to(value, (size, *value.shape)) for value, moved in every])
        return (), ()

    leave([jax.lax.stop_gradient(value) for value in values])


def tell_differentiated(send: Send, out: Any, values: Sequence[Any]) -> Any:
    """`out` as it is; sends the values only where it is differentiated, which is what tells a training pass."""

    @jax.custom_jvp  # type: ignore[untyped-decorator]
    def through(out: Any, _values: list[Any]) -> Any:
        return out

    @through.defjvp  # type: ignore[untyped-decorator]
    def _differentiated(primals: Any, tangents: Any) -> tuple[Any, Any]:
        send(primals[1])
        return primals[0], tangents[0]

    return through(out, list(values))


def tell_gradient(send: Send, out: Any) -> Any:
    """`out` as it is; sends its gradient on the way back."""

    @jax.custom_vjp  # type: ignore[untyped-decorator]
    def through(out: Any) -> Any:
        return out

    def back(_: None, gradient: Any) -> tuple[Any]:
        send([gradient])
        return (gradient,)

    through.defvjp(lambda out: (out, None), back)
    return through(out)


def floating(tree: Any) -> list[Any]:
    """The arrays of a tree that may be differentiated."""
    return [
        leaf for leaf in jax.tree.leaves(tree) if hasattr(leaf, "dtype") and jnp.issubdtype(leaf.dtype, jnp.inexact)
    ]
