"""Hears a model from inside: its classes' `__call__` is wrapped while somebody listens, also in programs being traced."""

import functools
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import jax
from jax.interpreters.partial_eval import DynamicJaxprTracer

from nissl.adapters._jax.atlas import Atlas, Place
from nissl.adapters._jax.calling import Called, Calls
from nissl.adapters._jax.changes import Replacing
from nissl.adapters._jax.flow import Flow
from nissl.adapters._jax.functions import MIXING, NAMES, Functions
from nissl.adapters._jax.leaving import Leaving
from nissl.adapters._jax.passes import Pass, trace
from nissl.adapters._jax.post import Letter, Post, Wish, ready
from nissl.adapters._jax.sums import reduces
from nissl.adapters._jax.telling import LISTENED, floating, tell_differentiated, tell_gradient
from nissl.adapters._jax.values import replaced, value_of
from nissl.core.network import OnValue


class Hearing:
    """Everybody who listens to a model or changes it."""

    def __init__(self, atlas: Atlas):
        self.atlas, self.post = atlas, Post()
        self.leaving = Leaving(self.post, atlas.dialect.compilers)
        self.stands: list[Any] = []
        """Objects that are the model, or stand for it."""
        self._changes: list[Replacing] = []
        self._pass: Pass | None = None
        self._deep = False
        self._open = 0
        self._staged: bool | None = None
        """Are there parts that the model compiles itself? None: no pass has shown it."""
        self._functions = Functions(self._function, atlas.dialect.appliers)
        self._calls, self._patches = Calls(self._called), ExitStack()
        self.caught: dict[str, Any] | None = None
        """Layers' values of the pass that is on its way, where somebody makes a target of them."""
        self._learned: set[str] = set()
        """The modules, by path, of which a pass has shown what follows what."""

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
            self._patches.enter_context(self._functions.heard(self.atlas.types))
            self._patches.enter_context(self._calls.heard(self.atlas.types))
            self._patches.enter_context(self.leaving.heard())
        try:
            with LISTENED((*LISTENED.value, key)):
                yield
        finally:
            self._open -= 1
            if not self._open:
                self._patches.close()

    def _called(self, run: Called) -> Any:
        module = run.args[0]
        if self._deep:
            return run()
        if self._pass is not None:
            return self._part(self._pass, run, module)
        whole = self._is_model(module)
        top = "" if whole else self.atlas.find(module, "")
        if top is None:
            return run()
        if top not in self._learned:
            self._learn(run, module, top)
        pass_ = self._begin(module if whole else None)
        return self._end(pass_, self._passed(pass_, run, module), whole)

    def _passed(self, pass_: Pass, run: Called, module: Any) -> Any:
        self._pass = pass_
        try:
            with self._functions.replaced(space for part in pass_.held for space in self.atlas.dialect.spaces(part)):
                return self._part(pass_, run, module)
        finally:
            self._pass = None

    def _learn(self, run: Called, module: Any, top: str) -> None:
        """One pass that computes nothing shows what follows what; what goes wrong in it goes wrong in the pass itself too."""
        flow = Flow()

        def shown() -> None:
            copy = self.atlas.dialect.copy(module)
            pass_ = self._begin(copy if not top else None)
            pass_.learning = flow
            self._passed(pass_, functools.partial(run.func, copy, *run.args[1:], **run.keywords), copy)

        try:
            with LISTENED((*LISTENED.value, "learning")):
                before, behind = flow.read(shown)
        except Exception:  # noqa: BLE001 - see above
            return
        self._learned.add(top)
        self.atlas.learn(before, behind, flow.joining)

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
        return Pass({id(m): path for path, m in every}, training, [m for _, m in every], trace())

    def _end(self, pass_: Pass, out: Any, whole: bool) -> Any:
        for value, place in pass_.waiting.values():  # this time nothing followed
            self._told(pass_, place, value, "activation")
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
        send = functools.partial(self.leaving.send, letters)
        return send(values) if out is None else tell_differentiated(send, out, values)

    def _part(self, pass_: Pass, run: Called, module: Any) -> Any:
        """A module's call inside a pass."""
        path = self._path(pass_, module)
        if path is None:
            return run()
        if path not in self.atlas.computing:
            if self.atlas.dialect.normalises(module) and len(run.args) > 1 and id(run.args[1]) in pass_.waiting:
                return self._normalised(pass_, pass_.waiting.pop(id(run.args[1]))[1], run, type(module).__name__)
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
        return self._heard(pass_, self.atlas.called(path, call), run.args[1:2], out)

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
        wanted = dict.fromkeys(wish for wish, _ in self.post.listeners if wish.place == place)
        return [w for w in wanted if place == "outputs" or w.takes(name)]

    def _heard(self, pass_: Pass, place: Place, given: Sequence[Any], out: Any) -> Any:
        """What a computing module put out: it is told once it is clear what becomes of it."""
        value = value_of(out, last=place.kind.last)
        if value is None:
            return out
        if pass_.learning:
            place.follow()
            pass_.learning.add(place.layer.name, *given, value)
            pass_.waiting[id(value)] = value, place
            return out
        if isinstance(value, DynamicJaxprTracer):
            self._staged = True
        new = self._told(pass_, place, value, "preactivation")
        if place.norm or place.bend:
            pass_.waiting[id(new)] = new, place
        else:
            new = self._whole(pass_, place, new)
        return out if new is value else replaced(out, value, new)

    def _normalised(self, pass_: Pass, place: Place, run: Callable[[], Any], norm: str) -> Any:
        self._deep = True
        try:
            out = run()
        finally:
            self._deep = False
        value = value_of(out, last=False)
        if pass_.learning:
            place.follow(norm)
            pass_.learning.add(place.layer.name, value)
        elif not place.bend:
            return replaced(out, value, self._whole(pass_, place, value))
        pass_.waiting[id(value)] = value, place
        return out

    def _function(self, name: str, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """A call of a nonlinearity: it belongs to the layer whose very value it is given."""
        pass_ = self._pass
        waited = pass_.waiting.pop(id(args[0]), None) if pass_ is not None and not self._deep and args else None
        out = function(*args, **kwargs)
        if pass_ is None or waited is None:
            return out
        place = waited[1]
        if not pass_.learning:
            return self._whole(pass_, place, out)
        if name in NAMES:
            pass_.learning.add(place.layer.name, out)
        place.follow(place.norm, NAMES.get(name), name if name in MIXING else None)
        return out

    def _whole(self, pass_: Pass, place: Place, value: Any) -> Any:
        """A layer's activation: changed, told, and listened to for its gradient."""
        for change in self._changes:
            value = change(value) if change.layer.name == place.layer.name else value
        value = self._told(pass_, place, value, "activation")
        for letter in self._letters(pass_, place, "gradient") if isinstance(value, jax.core.Tracer) else ():
            value = tell_gradient(functools.partial(self.leaving.send, [letter]), value)
        if self.caught is not None and pass_.trace == trace():
            self.caught[place.layer.name] = value
        return value

    def _told(self, pass_: Pass, place: Place, value: Any, what: str) -> Any:
        for letter in self._letters(pass_, place, what):
            value = self._tell(pass_, letter, value)
        return value

    def _letters(self, pass_: Pass, place: Place, what: str) -> Iterator[Letter]:
        name, kind = place.layer.name, place.kind
        for wish in self._wishes(what, name):
            if pass_.training or not wish.training:
                yield Letter(wish, name, kind.axes, kind.unit_axis, wish.reduce and reduces(place.layer))

    def _tell(self, pass_: Pass, letter: Letter, value: Any) -> Any:
        """At once where there is no program, else with the rest of the pass, or from inside the transform that it is in."""
        if letter.wish.training and not pass_.training:
            return value
        if not isinstance(value, jax.core.Tracer):
            if not letter.wish.training:
                self.post.arrive([letter], *ready([letter], [value]))
        elif pass_.trace == trace():
            pass_.letters.append((letter, value))
        elif letter.wish.training:
            return self._send([(letter, value)], value)
        else:
            self._send([(letter, value)])
        return value
