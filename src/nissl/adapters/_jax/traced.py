"""What the networks of every JAX library have in common."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import jax
import numpy as np
from jax import numpy as jnp

from nissl.adapters._jax.atlas import Atlas, Place
from nissl.adapters._jax.changes import Replacing
from nissl.adapters._jax.differentiating import score
from nissl.adapters._jax.hearing import Hearing
from nissl.adapters._jax.kinds import Dialect, Within, at_once
from nissl.adapters._jax.post import Wish
from nissl.adapters._jax.sums import JaxAccumulator
from nissl.adapters._jax.telling import LISTENED, floating
from nissl.adapters._jax.values import native, to_numpy
from nissl.core.layer import Layer
from nissl.core.network import Array, Network, OnValue, checked_passes, checked_place
from nissl.core.sums import Accumulator
from nissl.errors import BadValue, NotHeard, UnknownName, Unsupported, listing, near


class Traced(Network):
    """A model whose modules are called while JAX traces it, or as it is."""

    def __init__(self, model: Any, dialect: Dialect, *, functional: bool, leaves: bool):
        if LISTENED is None:
            raise Unsupported(
                f"JAX {jax.__version__} can't tell steps that are listened to from others; nissl needs JAX 0.7.2 or later."
            )
        super().__init__(model, functional=functional, leaves=leaves)
        self._dialect = dialect
        self._atlas = Atlas(model, dialect, leaves=leaves)
        self._hearing = Hearing(self._atlas)
        self._hearing.stands = [model]
        self._still = 0

    @property
    def layers(self) -> tuple[Layer, ...]:
        return tuple(place.layer for place in self._atlas.places)

    def _place(self, name: str) -> Place:
        layer = self.layer(name)
        return next(place for place in self._atlas.places if place.layer is layer)

    def watch(
        self, on_value: OnValue, layers: str | Sequence[str], *, place: str = "activation", passes: str = "all"
    ) -> Any:
        return self._listening(on_value, layers, checked_place(place), passes, reduce=False)

    def tap(
        self, on_value: OnValue, layers: str | Sequence[str], *, place: str = "activation", passes: str = "all"
    ) -> Any:
        return self._listening(on_value, layers, checked_place(place), passes, reduce=place != "gradient")

    def watch_outputs(self, on_value: OnValue, *, passes: str = "all") -> Any:
        return self._listening(on_value, "", "outputs", passes, reduce=False)

    @contextmanager
    def _listening(
        self, on_value: OnValue, layers: str | Sequence[str], place: str, passes: str, *, reduce: bool
    ) -> Iterator[None]:
        if place != "outputs":
            self.select(layers)
        patterns = (layers,) if isinstance(layers, str) else tuple(layers)
        with self._hearing.listening(Wish(place, patterns, checked_passes(passes), reduce), on_value):
            yield

    def settle(self) -> None:
        self._hearing.settle()
        self._hearing.post.raise_errors()

    @contextmanager
    def evaluating(self) -> Iterator[None]:
        """`run` shows what it is given to a copy in evaluation mode; the model itself is left alone."""
        self._still += 1
        try:
            yield
        finally:
            self._still -= 1

    def run(self, x: Any) -> Any:
        given = self._native(x)
        if not self._still:
            return self._dialect.apply(self.model, given)
        if self._hearing.reducing:  # what goes into accumulators is compiled
            leaving = self._hearing.leaving
            return leaving.call(lambda: self._dialect.compiled(self.model, given, leaving.inside))
        # all else goes operation by operation, to the same bits each time
        with self._copy() as copy, self._hearing.by_operations():
            return self._dialect.apply(copy, given)

    def _native(self, x: Any) -> Any:
        arrays = floating(self._dialect.arrays(self.model))
        with LISTENED(()):
            return native(x, arrays[0].dtype if arrays else None)

    @contextmanager
    def _copy(self) -> Iterator[Any]:
        with LISTENED(()):
            copy = self._dialect.still(self.model)
        self._hearing.stands.append(copy)
        try:
            yield copy
        finally:
            stands = self._hearing.stands
            stands[:] = [one for one in stands if one is not copy]  # to compare modules is to compare all their arrays

    def forward(self, x: Any) -> Array:
        with self.evaluating():
            return np.array(self.to_numpy(self.run(x)))

    def _module(self, place: Place) -> Any:
        return next(module for path, module in self._dialect.walk(self.model) if path == place.path)

    def weights(self, layer: str) -> dict[str, Array]:
        place = self._place(layer)
        module = self._module(place)
        forms = place.kind.forms
        return {
            key: np.array(form.unit_first(to_numpy(self._dialect.get(module, form.path))))
            for key, form in forms.items()
        }

    def edit(self, layer: str, parameters: Mapping[str, Array]) -> None:
        """Where models are values (Equinox), `network.model` is the new one."""
        place = self._place(layer)
        forms, have = place.kind.forms, place.layer.parameters
        for key, array in parameters.items():
            if key not in forms:
                raise UnknownName(f"{layer} has no parameter {key!r}.{near(key, forms)} It has: {listing(forms)}.")
            if tuple(np.shape(array)) != have[key]:
                raise BadValue(f"{layer}'s {key} has the shape {have[key]}, unit first; {np.shape(array)} was given.")
        parts = tuple(place.path.split(".")) if place.path else ()
        values = {forms[key].path: forms[key].back(np.asarray(array)) for key, array in parameters.items()}
        self.renew(self._dialect.put(self.model, parts, values))

    def renew(self, model: Any) -> None:
        if self._dialect.signature(model) != self._atlas.signatures[""]:
            raise BadValue(
                f"renew() goes on with the same model in a later state; this {type(model).__name__} has other classes or shapes."
            )
        super().renew(model)
        self._hearing.stands = [model]

    def to_numpy(self, value: Any) -> Array:
        return to_numpy(value)

    def keep(self, value: Any) -> Any:
        return np.array(self.to_numpy(value))

    def accumulator(self, layer: Layer, *, classes: int = 0, sketch: int = 0) -> Accumulator:
        return JaxAccumulator(layer, classes, sketch)

    def change(self, layer: str, units: Sequence[int] | None = None, to: Any = 0.0) -> Any:
        return self._hearing.changing(Replacing(self._place(layer).layer, units, to))

    def gradient(self, x: Any, target: Any, at: str | Sequence[str] = "input", of: str | None = None) -> Any:
        names = [at] if isinstance(at, str) else list(at)
        known = {layer.name for layer in self.layers}
        places = [name for name in names if name in known or self._late(name, x) or name != "input"]
        asked = None if of is None or self._late(of, x) else self.layer(of)
        for name in places:
            self.layer(name)
        found, values, into = self._pulled(self._native(x), target, places, asked)
        silent = [name for name in places if name not in values]
        if silent:
            raise NotHeard(f"These layers did not run on this input, so that they have no gradient: {listing(silent)}.")
        each = {name: jnp.asarray(found.get(name, np.zeros_like(values[name]))) for name in places}
        return {**each, "input": into}[at] if isinstance(at, str) else {n: each.get(n, into) for n in names}

    def _late(self, name: str, x: Any) -> bool:
        """One pass may show a module's later calls."""
        if "#" in name:
            with self.evaluating(), self.watch(lambda *_: None, "*"):
                self.run(x)
        return False

    def _pulled(
        self, x: Any, target: Any, places: list[str], of: Layer | None
    ) -> tuple[dict[str, Array], dict[str, Array], Any]:
        """Gradients and values at these layers, and the gradient of the input (None where it is made of integers)."""
        found: dict[str, Array] = {}
        values: dict[str, Array] = {}
        inputs, whole = jax.tree.flatten(x)
        moving = [jnp.issubdtype(jnp.asarray(leaf).dtype, jnp.inexact) for leaf in inputs]
        with self._copy() as copy:
            parameters, made = self._dialect.split(copy)

            def scored(parameters: Any, moved: list[Any]) -> Any:
                left = iter(moved)
                given = [next(left) if moves else leaf for leaf, moves in zip(inputs, moving, strict=True)]
                said = self._dialect.apply(made(parameters), jax.tree.unflatten(whole, given), self._saying(of))
                return score(said, target, of)

            moved = [leaf for leaf, moves in zip(inputs, moving, strict=True) if moves]
            hear, pull = _into(values), _into(found)
            patterns = places or ["*"]
            listening = self.watch(hear, patterns), self.watch(pull, patterns, place="gradient")
            with listening[0], listening[1], self._hearing.by_operations():
                _, slopes = jax.grad(scored, argnums=(0, 1))(parameters, moved)
                self.settle()
        left = iter(slopes)
        return found, values, jax.tree.unflatten(whole, [next(left) if moves else None for moves in moving])

    def _saying(self, of: Layer | None) -> Within:
        """How a call of the model is made that shall answer with what the layer `of` says."""
        if of is None:
            return at_once

        def said(run: Callable[[], Any]) -> Any:
            caught: dict[str, Any] = {}
            self._hearing.caught = caught
            try:
                run()
            finally:
                self._hearing.caught = None
            if of.name not in caught:
                raise NotHeard(
                    f"{of.name} did not run on this input, or only inside a part that the model transforms itself (jit, scan, "
                    "vmap), so that nothing can be asked of its values."
                )
            return caught[of.name]

        return said

    @property
    def process(self) -> tuple[int, int]:
        return jax.process_index(), jax.process_count()

    def from_first(self, message: str) -> str:
        if jax.process_count() == 1:
            return message
        from jax.experimental import multihost_utils

        sent = np.frombuffer(message.encode(), np.uint8)
        size = int(multihost_utils.broadcast_one_to_all(np.int32(len(sent))))
        padded = np.zeros(size, np.uint8)
        padded[: min(size, len(sent))] = sent[:size]
        return bytes(np.asarray(multihost_utils.broadcast_one_to_all(padded), np.uint8)).decode()

    def unheard_reason(self) -> str:
        return (
            "Does the loop differentiate this model's call (jax.grad, nnx.value_and_grad, eqx.filter_value_and_grad) inside the "
            "recorder's `with`, in training mode? A step that was compiled ahead of time (`.lower().compile()`), and a model "
            "that another object of its class and shapes does not stand for, can't be heard."
        )


def _into(seen: dict[str, Array]) -> OnValue:
    def heard(name: str, value: Any) -> None:
        seen[name] = np.array(value)

    return heard
