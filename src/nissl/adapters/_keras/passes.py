"""One pass through a model: whose each value is, where each layer ends, and who is told."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from keras import layers, tree

from nissl.adapters._keras import kinds, values
from nissl.adapters._keras.atlas import Place
from nissl.core.joining import Joining, Origin, words

if TYPE_CHECKING:
    from nissl.adapters._keras.hearing import Hearing, Listener


@dataclass(eq=False)
class Arrival:
    """A computing layer's value on its way to the nonlinearity."""

    place: Place
    inputs: tuple[str, ...] = ()
    takes: tuple[str, ...] = ()
    """The same with junctions in the place of what meets in them."""
    value: Any = None
    units: int | None = None
    followers: list[Any] = field(default_factory=list)
    settled: bool = False


class Pass:
    """Values are told as soon as their layer has ended; in the first pass, which shows where layers end, at its end."""

    def __init__(self, hearing: "Hearing", *, training: bool, silent: bool):
        self.hearing, self.atlas = hearing, hearing.atlas
        self.training, self.silent = training, silent
        self.late: list[tuple[Listener, str, Any]] = []
        """What a compiled step will tell, all at once."""
        self.made: dict[int, Callable[[], Any] | None] = {}
        """How to compute a value once more where that touches nothing; None for what a norm has put out."""
        self._calls: dict[int, int] = {}
        self._arrivals: list[Arrival] = []
        self._pending: dict[int, Arrival] = {}
        self._learning = not self.atlas.learned
        self._origins: dict[int, tuple[Any, tuple[str, ...], tuple[str, ...]]] = {}
        self._joining = Joining()
        self._following = False

    def call(self, module: Any, call: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        role = self.atlas.role(module)
        inputs, takes = self._sources(args, kwargs) if self._learning else ((), ())
        if role == kinds.COMPUTES:
            out, inputs = self._compute(module, call, args, kwargs, (inputs, takes))
            takes = inputs
        elif role in (kinds.BENDS, kinds.NORMALISES):
            out = self._follow(module, role, call, args, kwargs)
        else:
            out = call(*args, **kwargs)
            if out is values.first(args):  # dropout in evaluation; in training another value comes out of it
                self._pending.pop(id(out), None)
        if self._learning:
            takes = self._joining.meet(words(type(module).__name__), takes)
            for leaf in tree.flatten(out):
                if values.is_tensor(leaf) and (role == kinds.COMPUTES or id(leaf) not in self._origins):
                    self._origins[id(leaf)] = leaf, inputs, takes
        return out

    def bend(self, name: str, function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """A nonlinearity that is a plain function: it ends the layer whose very output it is given."""
        if self._following or id(values.first((args, kwargs))) not in self._pending:
            return function(*args, **kwargs)
        return self._follow(name, kinds.BENDS, function, args, kwargs)

    def enter(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """The model's own inputs come from no layer."""
        for leaf in tree.flatten((args, kwargs)) if self._learning else ():
            self._origins[id(leaf)] = leaf, (), ()

    def _sources(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Origin:
        """The layers that a call's inputs come from; where an operation in between hides them, the layer before."""
        found: dict[str, None] = {}
        takes: dict[str, None] = {}
        before = (self._arrivals[-1].place.name,) if self._arrivals else ()
        for leaf in tree.flatten((args, kwargs)):
            if values.is_tensor(leaf):
                _, layers_, met = self._origins.get(id(leaf), (leaf, before, before))
                found |= dict.fromkeys(layers_)
                takes |= dict.fromkeys(met)
        return tuple(found), tuple(takes)

    def _compute(
        self, module: Any, call: Any, args: tuple[Any, ...], kwargs: dict[str, Any], sources: Origin
    ) -> tuple[Any, tuple[str, ...]]:
        number = self._calls[id(module)] = self._calls.get(id(module), 0) + 1
        place = self.atlas.called(module, number)
        inputs, takes = (tuple(name for name in names if name != place.name) for names in sources)
        arrival = Arrival(place, inputs, takes)
        self._arrivals.append(arrival)
        inside = place.bent and (place.mixed is not None or self.hearing.wanted("preactivation", place.name, self))
        out = self._opened(arrival, module, call, args, kwargs) if inside else call(*args, **kwargs)
        value = values.first(out)
        if value is None or arrival.settled:
            return out, (place.name,)
        self._note_units(arrival, value)
        self._remember(value, module, args, kwargs)
        if not place.bent:
            self.tell("preactivation", place, value)
        if place.followers == ():
            return values.replaced(out, value, self._settle(arrival, value)), (place.name,)
        arrival.value = value
        self._pending[id(value)] = arrival
        return out, (place.name,)

    def _remember(self, value: Any, module: Any, args: tuple[Any, ...], kwargs: dict[str, Any], **changed: Any) -> None:
        if isinstance(module, (*kinds.DENSE, *kinds.CONV)) and module.compute_dtype == module.variable_dtype:
            self.made[id(value)] = lambda: _plainly(module, args, kwargs, changed)

    def _opened(self, arrival: Arrival, module: Any, call: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """The call, heard also before the nonlinearity that the layer applies itself."""
        own, function = vars(module), module.activation
        before = own.get("activation", own)

        def activation(value: Any) -> Any:
            self._remember(value, module, args, kwargs, activation=None)
            self.tell("preactivation", arrival.place, value)
            if arrival.place.mixed:
                self._note_units(arrival, value)
                value = self._settle(arrival, value)
            return function(value)

        own["activation"] = activation  # not setattr: Keras and torch keep books of what is set
        try:
            return call(*args, **kwargs)
        finally:
            if before is own:
                del own["activation"]
            else:
                own["activation"] = before

    def _follow(self, module: Any, role: str, call: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        given = values.first((args, kwargs))
        arrival = self._pending.get(id(given))
        before, self._following = self._following, True  # functions that it calls are its own matter
        try:
            out = call(*args, **kwargs)
        finally:
            self._following = before
        value = values.first(out)
        if arrival is None or value is None or not _fits(arrival, role, module, given):
            return out
        del self._pending[id(given)]
        arrival.followers.append(module)
        made = self.made.get(id(given))
        if role == kinds.NORMALISES:
            self.made[id(value)] = None
        if made is not None and role == kinds.BENDS and args:
            function = call if isinstance(module, str) else partial(type(module).call, module)
            self.made[id(value)] = lambda: function(made(), *args[1:], **kwargs)
        arrival.value = value
        expected = arrival.place.followers
        if not self._learning and (role == kinds.BENDS or len(arrival.followers) == len(expected or ())):
            return values.replaced(out, value, self._settle(arrival, value))
        if role == kinds.NORMALISES:
            self._pending[id(value)] = arrival
        return out

    def _note_units(self, arrival: Arrival, value: Any) -> None:
        axis = arrival.place.layer.unit_axis
        if -len(value.shape) <= axis < len(value.shape) and value.shape[axis] is not None:
            arrival.units = int(value.shape[axis])

    def _settle(self, arrival: Arrival, value: Any) -> Any:
        """Here a layer ends: changed, then heard."""
        arrival.settled, arrival.value = True, None
        hearing, name = self.hearing, arrival.place.name
        for change in hearing.changes:
            if change.layer.name == name:
                value = change(value)
        if hearing.catch is not None:
            value = hearing.catch(name, value)
        for listener in self._listening("gradient", name):
            value = hearing.backend.hear_gradient(value, hearing.telling(listener, name), hearing.emit)
        self.tell("activation", arrival.place, value)
        return value

    def _listening(self, kind: str, name: str) -> "list[Listener]":
        if self.silent:
            return []
        return [one for one in self.hearing.listeners if one.place == kind and one.wants(name, self.training)]

    def tell(self, kind: str, place: Place, value: Any) -> None:
        for listener in self._listening(kind, place.name):
            if self.hearing.backend.traced(value):
                self.late.append((listener, place.name, value))
            else:
                self.hearing.say(listener, place.name, value)

    def end(self) -> None:
        """Tell what is still waiting, and keep what this pass has shown."""
        for arrival in self._arrivals:
            if not arrival.settled and arrival.value is not None:
                self.tell("activation", arrival.place, arrival.value)
        if self._learning and self._arrivals:
            self.atlas.learn(
                [(a.place, tuple(a.followers), a.inputs, a.takes, a.units) for a in self._arrivals], self._joining
            )


def _plainly(module: Any, args: tuple[Any, ...], kwargs: dict[str, Any], changed: dict[str, Any]) -> Any:
    """What a layer computes, heard by nobody; with another attribute, if asked for."""
    own: dict[str, Any] = module.__dict__
    before = {name: own[name] for name in changed}
    own.update(changed)
    try:
        return type(module).call(module, *args, **kwargs)
    finally:
        own.update(before)


def _fits(arrival: Arrival, role: str, module: Any, value: Any) -> bool:
    """A norm over the same units directly behind, or a nonlinearity of each unit by itself."""
    if role == kinds.BENDS:
        return True
    if arrival.followers or not isinstance(module, layers.BatchNormalization | layers.GroupNormalization):
        return False
    axis = np.ravel(module.axis)
    return len(axis) == 1 and int(axis[0]) % len(value.shape) == arrival.place.layer.unit_axis % len(value.shape)
