"""Hears a model from inside: its classes' `__call__` is wrapped while somebody listens, also in programs being traced."""

import functools
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import jax
from jax.extend.core import get_opaque_trace_state
from jax.interpreters.partial_eval import DynamicJaxprTracer

from nissl.adapters._jax.atlas import Atlas, Place
from nissl.adapters._jax.changes import Replacing
from nissl.adapters._jax.post import Letter, Post, Wish, ready
from nissl.adapters._jax.sums import reduces
from nissl.adapters._jax.telling import LISTENED, floating, tell, tell_differentiated, tell_gradient
from nissl.adapters._jax.values import replaced, value_of
from nissl.core.network import OnValue


@dataclass(eq=False)
class Pass:
    """One call of the model."""

    ids: dict[int, str]
    training: bool
    held: list[Any]
    """The modules whose ids these are."""
    trace: Any = None
    calls: dict[str, int] = field(default_factory=dict)
    inside: list[str] = field(default_factory=lambda: [""])
    letters: list[tuple[Letter, Any]] = field(default_factory=list)


class Hearing:
    """Everybody who listens to a model or changes it."""

    def __init__(self, atlas: Atlas):
        self.atlas, self.post = atlas, Post()
        self.stands: list[Any] = []
        """Objects that are the model, or stand for it."""
        self._changes: list[Replacing] = []
        self._pass: Pass | None = None
        self._deep = False
        self._open = 0
        self._staged: bool | None = None
        """Are there parts that the model compiles itself? None: no pass has shown it."""
        self._patched: dict[type, tuple[Any, Any]] = {}

    @contextmanager
    def listening(self, wish: Wish, on_value: OnValue) -> Iterator[None]:
        entry = (wish, on_value)
        self.post.listeners.append(entry)
        try:
            with self._inside((self.post, wish)):
                yield
        finally:
            self.settle()
            self.post.listeners.remove(entry)

    def settle(self) -> None:
        """Wait for what is on its way, and tell it."""
        jax.effects_barrier()
        self.post.empty()

    @contextmanager
    def changing(self, change: Replacing) -> Iterator[None]:
        self._changes.append(change)
        try:
            with self._inside(change):
                yield
        finally:
            self._changes.remove(change)

    @property
    def reducing(self) -> bool:
        """Is all that is wanted meant for accumulators, and nothing changed?"""
        return bool(self.post.listeners) and not self._changes and any(wish.reduce for wish, _ in self.post.listeners)

    @contextmanager
    def by_operations(self) -> Iterator[None]:
        """A pass that isn't compiled: unless parts of it are, nothing in it depends on who listens, and all caches serve."""
        with LISTENED(() if self._staged is False else LISTENED.value):
            yield
        if self._staged is None and self._open:
            self._staged = False

    @contextmanager
    def _inside(self, key: Hashable) -> Iterator[None]:
        """Steps traced in here depend on `key`, so none that was compiled outside is used."""
        self._open += 1
        if self._open == 1:
            self._patch()
        try:
            with LISTENED((*LISTENED.value, key)):
                yield
        finally:
            self._open -= 1
            if not self._open:
                self._restore()

    def _patch(self) -> None:
        for cls in self.atlas.types:
            found = next((c.__dict__["__call__"] for c in cls.__mro__ if "__call__" in c.__dict__), None)
            if found is not None:
                wrapper = self._wrapper(found.__get__(None, cls))
                self._patched[cls] = (cls.__dict__.get("__call__"), wrapper)
                type.__setattr__(cls, "__call__", wrapper)

    def _restore(self) -> None:
        for cls, (before, wrapper) in self._patched.items():
            if cls.__dict__.get("__call__") is not wrapper:
                continue  # somebody has wrapped it since, around ours, which does nothing from now on
            if before is None:
                type.__delattr__(cls, "__call__")
            else:
                type.__setattr__(cls, "__call__", before)
        self._patched.clear()

    def _wrapper(self, original: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(original)
        def called(module: Any, *args: Any, **kwargs: Any) -> Any:
            if not self._open or self._deep:
                return original(module, *args, **kwargs)
            return self._called(functools.partial(original, module, *args, **kwargs), module)

        return called

    def _called(self, run: Callable[[], Any], module: Any) -> Any:
        if self._pass is not None:
            return self._part(self._pass, run, module)
        whole = self._is_model(module)
        if not whole and self.atlas.find(module, "") is None:
            return run()
        pass_ = self._pass = self._begin(module if whole else None)
        try:
            return self._end(pass_, self._part(pass_, run, module), whole)
        finally:
            self._pass = None

    def _is_model(self, module: Any) -> bool:
        if any(module is one for one in self.stands):
            return True
        dialect = self.atlas.dialect
        if dialect.signature(module) != self.atlas.signatures[""]:
            return False
        return dialect.values or any(isinstance(array, jax.core.Tracer) for array in dialect.arrays(module).values())

    def _begin(self, model: Any) -> Pass:
        every = list(self.atlas.dialect.walk(model)) if model is not None else []
        training = model is None or not self.atlas.dialect.evaluates(model)
        return Pass({id(m): path for path, m in every}, training, [m for _, m in every], _trace())

    def _end(self, pass_: Pass, out: Any, whole: bool) -> Any:
        if whole:
            value = value_of(out, last=False)
            for wish in self._wishes("outputs", "") if value is not None else ():
                self._tell(pass_, Letter(wish, "", 0), value)
        plain = [(letter, value) for letter, value in pass_.letters if not letter.wish.training]
        trained = [(letter, value) for letter, value in pass_.letters if letter.wish.training]
        if plain:
            self._send(plain)
        if trained:
            leaves, tree = jax.tree.flatten(out)
            through = iter(self._send(trained, floating(leaves)))
            kept = {id(leaf) for leaf in floating(leaves)}
            out = jax.tree.unflatten(tree, [next(through) if id(leaf) in kept else leaf for leaf in leaves])
        return out

    def _send(self, sent: Sequence[tuple[Letter, Any]], out: Any = None) -> Any:
        """Tell at once, or where `out`, which is handed back, is differentiated."""
        letters, values = [letter for letter, _ in sent], [value for _, value in sent]
        how = functools.partial(self.post.arrive, letters), functools.partial(ready, letters)
        if out is None:
            return tell(how[0], values, how[1])
        return tell_differentiated(how[0], out, values, how[1])

    def _part(self, pass_: Pass, run: Callable[[], Any], module: Any) -> Any:
        """A module's call inside a pass."""
        path = self._path(pass_, module)
        if path is None:
            return run()
        if path not in self.atlas.computing:
            pass_.inside.append(path)
            try:
                return run()
            finally:
                pass_.inside.pop()
        self._deep = True
        try:
            out = run()
        finally:
            self._deep = False
        call = pass_.calls.get(path, 0)
        pass_.calls[path] = call + 1
        return self._heard(pass_, self.atlas.called(path, call), out)

    def _path(self, pass_: Pass, module: Any) -> str | None:
        """Transforms inside the model (checkpoint, scan, jit) copy its modules: a copy is known by what only one can be."""
        if id(module) not in pass_.ids:
            top = self.atlas.find(module, pass_.inside[-1])
            if top is None:
                return None
            for path, part in self.atlas.dialect.walk(module):
                pass_.ids[id(part)] = f"{top}.{path}" if path and top else path or top
                pass_.held.append(part)
        return pass_.ids[id(module)]

    def _wishes(self, place: str, name: str) -> list[Wish]:
        same = ("activation", "preactivation") if place != "outputs" else ("outputs",)
        wanted = dict.fromkeys(wish for wish, _ in self.post.listeners if wish.place in (*same, "gradient"))
        return [w for w in wanted if (w.takes(name) if name else w.place == "outputs")]

    def _heard(self, pass_: Pass, place: Place, out: Any) -> Any:
        value = value_of(out, last=place.kind.last)
        if value is None:
            return out
        if isinstance(value, DynamicJaxprTracer):
            self._staged = True
        name, new = place.layer.name, value
        for change in self._changes:
            if change.layer.name == name:
                new = change(new)
        for wish in self._wishes("activation", name):
            if wish.training and not pass_.training:
                continue
            reduce = wish.reduce and reduces(place.layer)
            letter = Letter(wish, name, place.kind.axes, place.kind.unit_axis, reduce)
            if wish.place != "gradient":
                new = self._tell(pass_, letter, new)
            elif isinstance(new, jax.core.Tracer):
                new = tell_gradient(functools.partial(self.post.arrive, [letter]), new)
        return out if new is value else replaced(out, value, new)

    def _tell(self, pass_: Pass, letter: Letter, value: Any) -> Any:
        """At once where there is no program, else with the rest of the pass, or from inside the transform that it is in."""
        if letter.wish.training and not pass_.training:
            return value
        if not isinstance(value, jax.core.Tracer):
            if not letter.wish.training:
                self.post.arrive([letter], *ready([letter], [value]))
        elif pass_.trace == _trace():
            pass_.letters.append((letter, value))
        elif letter.wish.training:
            return self._send([(letter, value)], value)
        else:
            self._send([(letter, value)])
        return value


def _trace() -> Any:
    return get_opaque_trace_state(convention="nissl")
