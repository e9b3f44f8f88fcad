"""Who hears what: opens the hooks of each `watch` and `change`, and moves them when more is known of where layers are heard."""

import bisect
import fnmatch
import itertools
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

from torch import Tensor, nn

from nissl.adapters._torch.atlas import Atlas, Place
from nissl.adapters._torch.compiling import Compiling
from nissl.adapters._torch.ears import Ear, Gradient, GradientEar, Guarded, Tell
from nissl.adapters._torch.functions import Functions
from nissl.adapters._torch.learning import Chain, Learner
from nissl.adapters._torch.passes import Counted, Passes, remove
from nissl.adapters._torch.values import first, replaced

Point = tuple[nn.Module, bool]
"""A module, and whether what it is given counts (or what it puts out)."""


class Watch:
    """One open `watch`: what it asks for, and its hooks."""

    def __init__(self, on_value: Tell, layers: str | Sequence[str], place: str, training: bool):
        self.tell: Tell = Guarded(on_value) if training else on_value
        self.patterns = [layers] if isinstance(layers, str) else list(layers)
        self._names = set(self.patterns)
        self.place, self.training = place, training
        self.heard: set[Place] = set()
        """Layers that its own hooks tell it."""
        self._ears: list[Ear] = []
        self._handles: list[Any] = []

    def asks(self, name: str) -> bool:
        """A module's name also asks for its later calls."""
        return (
            name in self._names
            or name.split("#", maxsplit=1)[0] in self._names
            or any(fnmatch.fnmatchcase(name, pattern) for pattern in self.patterns)
        )

    def attach(self, hearing: "Hearing") -> None:
        """Hook every layer that it asks for and that is known; called again when more is known."""
        self.detach(hearing.passes)
        early = self.place == "preactivation"
        points: dict[Point, dict[int, Place]] = {}
        for place in hearing.atlas.places:
            if self.asks(place.name) and (place.known or early):
                point = (place.module if early else place.at, place.enters)
                points.setdefault(point, {})[place.call if early else place.at_call] = place
                self.heard.add(place)
                if place.follower is not None and not early:
                    hearing.passes.follow(place.follower)
        for (module, enters), calls in points.items():
            count = max(hearing.atlas.calls.get((module, enters), 0), max(calls) + 1)
            kind = GradientEar if self.place == "gradient" else Ear
            ear = kind(hearing.passes, [calls.get(i) for i in range(count)], enters, self.tell, self.training, early)
            ear.call = hearing.called.get((module, enters), 0)
            if isinstance(ear, GradientEar):
                ear.blind = not any(place in hearing.offered for place in calls.values())
            self._ears.append(ear)
            self._handles.append(ear.attach(module))

    def detach(self, passes: Passes) -> None:
        remove(self._handles)
        for ear in self._ears:
            ear.close()
        gone = set(self._ears)
        passes.counted = [one for one in passes.counted if one not in gone]
        self._ears.clear()
        self.heard.clear()


class Hearing:
    """All that listens to one network; the learner's listener."""

    def __init__(self, atlas: Atlas, compiling: Compiling, *, functional: bool):
        self.atlas, self._compiling = atlas, compiling
        self.passes = Passes(atlas.root, atlas.containers)
        if functional:
            self.passes.mode = Functions(self.passes.waiting)
        self.learner = self.passes.learner = Learner(atlas, self.passes, self)
        self.called: dict[Point, int] = {}
        """Calls in the pass that just taught something."""
        self.offered: set[Place] = set()
        """Layers whose gradient in that pass is already awaited."""
        self.rule: Callable[[Tensor, list[Tensor]], None] | None = None
        """Told, before anything is differentiated, what of and by what."""
        self._watches: list[Watch] = []
        self._changers: dict[Point, Changer] = {}
        self._turns = itertools.count()

    def open(self, watch: Watch, *, learn: bool) -> None:
        """`learn`: also find out what feeds what, where that is not known yet."""
        self._watches.append(watch)
        self.passes.open(watch)
        watch.attach(self)
        unknown = any(not place.known for place in self.atlas.places if watch.asks(place.name))
        if unknown or learn:
            self.learner.open()
        self._compiling.open(learning=not self.learner.finished)

    @contextmanager
    def heard(self, watch: Watch, *, learn: bool) -> Iterator[None]:
        """Open while the `with` is; an interrupt may come at any moment, also while hooks are put or taken away."""
        try:
            self.open(watch, learn=learn)
            yield
        finally:
            try:
                self.close(watch)
            except KeyboardInterrupt:
                self.close(watch)
                raise

    def close(self, watch: Watch) -> None:
        """May be done twice."""
        watch.detach(self.passes)
        self._watches = [other for other in self._watches if other is not watch]
        self._compiling.close()
        if not self._watches:
            self.learner.close()
        self.passes.close(watch)

    # what the learner tells

    def _waiting(self, place: Place, *kinds: str) -> list[Watch]:
        live = self.passes.live
        return [
            watch for watch in self._watches
            if watch.place in kinds and live[watch.training] and place not in watch.heard and watch.asks(place.name)
        ]  # fmt: skip

    def wanted(self, place: Place) -> bool:
        return bool(self._waiting(place, "activation"))

    def tell(self, place: Place, kind: str, value: Tensor) -> None:
        for watch in self._waiting(place, kind):
            shown = value.detach() if kind == "preactivation" and not place.enters else place.shown(value.detach())
            watch.tell(place.name, shown)

    def offer(self, chain: Chain, value: Tensor) -> None:
        chain.offers[0] += 1
        for watch in self._waiting(chain.place, "gradient"):
            if value.requires_grad:
                self.offered.add(chain.place)
                value.register_hook(_Offered(chain, watch.tell))  # type: ignore[no-untyped-call]

    def learned(self, more: bool) -> None:
        if more:
            self.called = dict(self.atlas.calls)
            for watch in self._watches:
                watch.attach(self)
            self.called = {}
        self.offered = set()
        self._compiling.learned()

    # changes

    def next_turn(self) -> int:
        return next(self._turns)

    def add(self, place: Place, change: "Change", turn: int | None = None) -> Callable[[], None]:
        """Change this layer's value on every pass until the returned function is called; `turn` orders changes."""
        point = (place.at, place.enters)
        if place.follower is not None:
            self.passes.follow(place.follower)
        changer = self._changers.get(point)
        if changer is None:
            changer = self._changers[point] = Changer(self.passes, place.enters)
            changer.handle = changer.attach(place.at, ahead=True)  # what listens hears the changed value
        entry = (self.next_turn() if turn is None else turn, place, change)
        bisect.insort(changer.entries, entry, key=lambda e: e[0])
        user = object()
        self.passes.open(user)

        def drop() -> None:
            changer.entries.remove(entry)
            if not changer.entries:
                changer.handle.remove()
                self.passes.counted.remove(changer)
                del self._changers[point]
            self.passes.close(user)

        return drop


Change = Callable[[Place, Tensor], Tensor]


class Changer(Counted):
    """Changes the values that pass a module, in the order in which the changes were asked for."""

    __slots__ = ("entries", "handle")

    def __init__(self, passes: Passes, enters: bool):
        super().__init__(passes, (), enters)
        self.handle: Any = None
        self.entries: list[tuple[int, Place, Change]] = []

    def __call__(self, module: nn.Module, args: Any, output: Any = None) -> Any:
        call = self.turn(module)
        whole = args if self.enters else output
        for _, place, change in list(self.entries):
            if place.at_call != call:
                continue
            value = first(whole)
            if value is None:
                continue
            if place.waits:
                waiting = self.passes.waiting.setdefault(id(value), (value, []))[1]
                waiting.append(partial(_later, place, change))
            else:
                whole = replaced(whole, value, change(place, value))
        return whole


def _later(place: Place, change: Change, bent: Tensor, _: str) -> Tensor:
    return change(place, bent)


class _Offered(Gradient):
    """Tells a gradient if no later value of the pass turned out to be the layer's."""

    __slots__ = ("number", "offers")

    def __init__(self, chain: Chain, tell: Tell):
        super().__init__(chain.place, tell)
        self.offers, self.number = chain.offers, chain.offers[0]

    def __call__(self, gradient: Tensor) -> None:
        if self.number == self.offers[0]:
            super().__call__(gradient)
