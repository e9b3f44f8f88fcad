"""Who listens to a Keras model, and the passes in which they are told."""

import fnmatch
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import keras
from keras import tree

from nissl.adapters._keras import values
from nissl.adapters._keras.atlas import Atlas
from nissl.adapters._keras.backends import backend
from nissl.adapters._keras.changes import Replacing
from nissl.adapters._keras.ears import Ears
from nissl.adapters._keras.functions import Functions
from nissl.adapters._keras.passes import Pass
from nissl.adapters._keras.steps import Step, Steps, known_inputs, symbolic
from nissl.errors import NisslError, NisslWarning, listing


@dataclass(eq=False)
class Listener:
    """Somebody who is told values: of layers, of the whole network (place "output") or a step's labels (place "labels")."""

    on_value: Callable[..., Any]
    patterns: Sequence[str]
    place: str
    training: bool
    open: bool = True
    _wants: dict[str, bool] = field(default_factory=dict)

    def wants(self, name: str, training: bool) -> bool:
        if self.training and not training:
            return False
        if name not in self._wants:
            names = (name, name.partition("#")[0])
            self._wants[name] = any(n == p or fnmatch.fnmatchcase(n, p) for p in self.patterns for n in names)
        return self._wants[name]


class Hearing:
    """Wraps the model's layers while anybody listens, changes or asks for gradients; compiled steps are made anew for it."""

    def __init__(self, atlas: Atlas):
        self.atlas, self.backend = atlas, backend()
        self.listeners: list[Listener] = []
        self.changes: list[Replacing] = []
        self.catch: Callable[[str, Any], Any] | None = None
        self.rule: Callable[[Any, list[Any]], None] | None = None
        self.evaluating = 0
        self._ears, self._users = Ears(), 0
        self._steps = Steps(atlas.model, self)
        self._passing: Pass | None = None
        self._functions = Functions(self.backend.homes(), self._bend)
        self._telling = self._looking = False
        self._failed: Exception | None = None

    # opening and closing

    @contextmanager
    def listening(self, listener: Listener) -> Iterator[None]:
        """Inside `evaluating` only passes that the caller makes are meant, so that compiled steps may stay as they are."""
        if not self.evaluating:
            self._steps.check()
        if listener.place == "gradient":
            self._foresee()
        self.listeners.append(listener)
        try:
            with self.wrapped(again=not self.evaluating):
                yield
            self.settle()
        finally:
            listener.open = False
            self.listeners.remove(listener)

    @contextmanager
    def changing(self, change: Replacing) -> Iterator[None]:
        self._foresee()
        self.changes.append(change)
        try:
            with self.wrapped(again=True):
                yield
        finally:
            self.changes.remove(change)

    @contextmanager
    def differentiating(self) -> Iterator[None]:
        """Passes in evaluation mode, with a graph for gradients."""
        self.evaluating += 1
        try:
            with self.wrapped(again=False):
                yield
        finally:
            self.evaluating -= 1

    @contextmanager
    def wrapped(self, *, again: bool) -> Iterator[None]:
        """`again`: compiled steps are traced anew, on entry and on exit, since what listens is baked into them."""
        self._users += 1
        self._wrap()
        if again:
            self._steps.renew(worn=True)
        try:
            yield
        finally:
            self._users -= 1
            if not self._users:
                self._ears.take_off()
            if again:
                self._steps.renew(worn=bool(self._users))

    def _wrap(self) -> None:
        for module in [*(module for _, module in self.atlas.modules.values()), *self.atlas.bends]:
            if not self._ears.wears(module):
                self._ears.put_on(module, "call", self.through)
        self._functions.look(module for _, module in self.atlas.modules.values())

    # passes

    def through(self, module: Any, call: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """A layer is called: in a pass, or as the outermost one, which is a pass."""
        if self._passing is not None:
            return self._passing.call(module, call, args, kwargs)
        if not self.atlas.learned:
            self.atlas.walk()
            self._wrap()
            if self.changes or self.catch or any(one.place == "gradient" for one in self.listeners):
                self._look(module, call, args, kwargs)
        passing = self._passing = Pass(self, training=self._training(module, kwargs), silent=symbolic())
        passing.enter(args, kwargs)
        try:
            with self._functions.heard():
                out = passing.call(module, call, args, kwargs)
        finally:
            self._passing = None
        passing.end()
        if module is self.atlas.model:
            self._tell_output(passing, out)
        self._emit(passing)
        return out

    def _bend(self, name: str, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        passing = self._passing
        return function(*args, **kwargs) if passing is None else passing.bend(name, function, args, kwargs)

    def _training(self, module: Any, kwargs: dict[str, Any]) -> bool:
        step = self._steps.now
        if self.evaluating or symbolic() or (step is not None and not step.training):
            return False
        if step is not None:
            return True
        if kwargs.get("training") is not None:
            return bool(kwargs["training"])
        graph = self.backend.learning()
        return graph if graph is not None else not module._call_has_training_arg

    def _foresee(self) -> None:
        """Before something is done where layers end, see where that is, if it is known what the model takes."""
        given = None if self.atlas.learned else known_inputs(self.atlas.model)
        if given is not None:
            with self.wrapped(again=False):
                self._steps.shapes(self.atlas.model.call, given)

    def _look(self, module: Any, call: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """See in a pass of shapes alone where layers end, before anything is done there."""
        if self._looking or symbolic():
            return
        shown = tree.map_structure(
            lambda x: (
                keras.KerasTensor(x.shape, keras.backend.standardize_dtype(x.dtype)) if values.is_tensor(x) else x
            ),
            (args, kwargs),
        )
        self._looking = True
        try:
            self._steps.shapes(lambda *a, **k: self.through(module, call, a, k), *shown[0], **shown[1])
        finally:
            self._looking = False

    def _tell_output(self, passing: Pass, out: Any) -> None:
        value = values.first(out)
        for one in self.listeners if not passing.silent else ():
            if one.place != "output" or (one.training and not passing.training):
                continue
            if self.backend.traced(value):
                passing.late.append((one, "", value))
            else:
                self.say(one, "", value)

    # telling

    def wanted(self, place: str, name: str, passing: Pass) -> bool:
        return any(one.place == place and one.wants(name, passing.training) for one in self.listeners)

    def say(self, listener: Listener, name: str, value: Any) -> None:
        """In training passes a listener's failure is a warning: the user's step goes on."""
        if not listener.open:
            return
        try:
            listener.on_value(name, value) if listener.place != "labels" else listener.on_value(value)
        except NisslError:
            raise
        except Exception as error:
            if not listener.training:
                raise
            what = f"nissl: a listener failed at {name or 'the output'}: {type(error).__name__}: {error}"
            warnings.warn(what, NisslWarning, stacklevel=2)

    def telling(self, listener: Listener, name: str) -> Callable[[Any], None]:
        """For a back end that calls when a gradient is known."""
        return lambda value: self._deliver([(listener, name)], [value]) if listener.open else None

    def tell_labels(self, step: Step) -> None:
        """At the beginning of a step that is not traced."""
        step.labelled = True
        for one in self._labelling():
            self.say(one, "", step.labels)

    def _labelling(self) -> list[Listener]:
        return [one for one in self.listeners if one.place == "labels"]

    def _emit(self, passing: Pass) -> None:
        """Everything of a traced pass in one call, its step's labels first."""
        step, late = self._steps.now, passing.late
        if step is not None and step.training and not step.labelled and not passing.silent:
            step.labelled = True
            late = [(one, "labels", step.labels) for one in self._labelling()] + late
        if not late:
            return
        late = self._apart(passing, late)
        leaves: list[Any] = []
        shapes = []
        for _, _, value in late:
            parts = [] if value is None else tree.flatten(value)
            shapes.append((value, len(leaves), len(parts)))
            leaves += parts
        told = [(one, name) for one, name, _ in late]

        def deliver(*arrays: Any) -> None:
            given = [tree.pack_sequence_as(form, list(arrays[at : at + n])) if n else None for form, at, n in shapes]
            self._deliver(told, given)

        self.emit(deliver, leaves)

    def emit(self, tell: Callable[..., None], leaves: Sequence[Any]) -> None:
        """Out of a compiled step: with what it returns if it can be, else by a call from inside it."""
        if not self._steps.send(tell, leaves):
            self.backend.emit(tell, leaves)

    def _apart(self, passing: Pass, late: list[tuple[Listener, str, Any]]) -> list[tuple[Listener, str, Any]]:
        """Values that the framework computes only together with what follows are made once more, for us alone."""
        known: dict[int, Any] = {}
        lost: dict[str, None] = {}
        for one, name, value in late:
            if one.place in ("activation", "preactivation") and id(value) not in known and self.backend.apart(value):
                again = self.backend.again(value, passing.made[id(value)]) if id(value) in passing.made else None
                known[id(value)] = value if again is None else again
                lost |= {name: None} if again is None else {}
        if lost:
            what = (
                f"TensorFlow computes {listing(lost)} and what directly follows in one operation, and can't where the value "
                "in between is heard: weights may differ in the last digits from a training without nissl. Set "
                "TF_ENABLE_ONEDNN_OPTS=0 for both, or leave these layers out."
            )
            warnings.warn(f"nissl: {what}", NisslWarning, stacklevel=2)
        return [(one, name, known.get(id(value), value)) for one, name, value in late]

    def _deliver(self, told: list[tuple[Listener, str]], given: list[Any]) -> None:
        """From inside a compiled step: nothing may be raised there."""
        self._telling = True
        try:
            for (listener, name), value in zip(told, given, strict=True):
                self.say(listener, name, None if value is None else tree.map_structure(values.to_numpy, value))
        except Exception as error:  # noqa: BLE001 - told at the next settling
            self._failed = self._failed or error
        finally:
            self._telling = False

    def settle(self) -> None:
        if self._telling:  # a listener asks, who is being told
            return
        self.backend.settle()
        self._steps.receive()
        error, self._failed = self._failed, None
        if error is not None:
            raise error
