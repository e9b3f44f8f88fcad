"""A model of any framework, seen as named layers: the only door to a framework."""

import fnmatch
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from os import PathLike
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from nissl import plugins
from nissl.core.layer import Layer
from nissl.core.sums import Accumulator, NumpyAccumulator
from nissl.errors import BadValue, NotHeard, UnknownName, Unsupported, listing, near

Array = NDArray[Any]
OnValue = Callable[[str, Any], None]
"""Is told the layer's name and the framework's own value; whatever it returns is ignored."""
PLACES = ("activation", "preactivation", "gradient")


class Network(ABC):
    """A model seen as named layers. Adapters implement the abstract part; values stay the framework's until `to_numpy`."""

    framework: ClassVar[str]
    """The module whose presence in sys.modules means that a model may be this framework's; the adapter's file name."""
    rank: ClassVar[int] = 0
    """Adapters of higher rank are asked first: a Keras model on the torch back end is also a torch module."""

    steps_heard: ClassVar[bool] = True
    """Can values of the user's own training steps be heard? Where not, the probe and the parameters are recorded."""
    trains: ClassVar[bool] = True
    """Is there a training at all? Where not (a graph that was exported), an epoch may be what the probe is answered."""

    together: ClassVar[bool] = True
    """Does a change meet all examples at once, so that each may get values of its own?"""

    def __init__(self, model: Any, *, functional: bool = False, leaves: bool = False):
        """`functional` also hears nonlinearities that are plain function calls; `leaves` makes every leaf module a layer."""
        self.model, self.functional, self.leaves = model, functional, leaves

    @classmethod
    @abstractmethod
    def accepts(cls, model: Any) -> bool:
        """Is this model this framework's? Something of its that is no model is refused with what to pass instead."""

    @property
    @abstractmethod
    def layers(self) -> tuple[Layer, ...]:
        """The places, in order of use once a pass has shown it. Known before any pass but for edges and late calls (`name#2`)."""

    @abstractmethod
    def watch(
        self, on_value: OnValue, layers: str | Sequence[str], *, place: str = "activation", passes: str = "all"
    ) -> AbstractContextManager[None]:
        """Call `on_value` with each layer's value on the user's own passes while the `with` is open; changes nothing.

        `layers`: names, or patterns as `select` takes them; both take in later calls (`name#2`) as they show.
        A value may be overwritten as soon as `on_value` returns: use it at once, or `keep` it.

        `place`: "activation" (after the folded nonlinearity), "preactivation" (the computing module's own output) or
        "gradient" (of the loss that the user differentiates, with respect to the activation). `passes="training"`
        leaves out passes in evaluation mode or without gradients, and recomputations by gradient checkpointing.
        """

    @abstractmethod
    def watch_outputs(self, on_value: OnValue, *, passes: str = "all") -> AbstractContextManager[None]:
        """Like `watch`, for what the whole network returns; the name is ""."""

    @abstractmethod
    def forward(self, x: Any) -> Array:
        """What the network returns for x in evaluation mode; nothing of the model or of the random state is changed."""

    @abstractmethod
    def evaluating(self) -> AbstractContextManager[None]:
        """Evaluation mode without gradients, every mode, buffer and random state as before when it ends."""

    @abstractmethod
    def run(self, x: Any) -> Any:
        """One pass over x as the framework's own value, in whatever mode the network is; x may be numpy or native."""

    def look(self, x: Any) -> None:
        """Be shown an input, once, so that what only a pass can tell is known: which layers there are, in which order, what feeds them."""
        with self.evaluating(), self.watch(lambda *_: None, "*"):
            self.run(x)
            self.settle()

    @abstractmethod
    def weights(self, layer: str) -> dict[str, Array]:
        """The layer's parameters now, unit first, as copies: {"weight": (units, ...), "bias": (units,)}."""

    @abstractmethod
    def to_numpy(self, value: Any) -> Array:
        """The framework's value as numpy (first tensor of a tuple or dict; bfloat16 as float32)."""

    def accumulator(self, layer: Layer, *, classes: int = 0, sketch: int = 0) -> Accumulator:
        """Folds this layer's values where they live; adapters give their own, held to this reference."""
        return _Converting(self, NumpyAccumulator(layer.unit_axis, layer.batch_axis, classes, sketch))

    def keep(self, value: Any) -> Any:
        """A copy, still the framework's, that nothing done later to the value or its graph can touch."""
        return self.to_numpy(value).copy()

    def like(self, array: Array, value: Any) -> Any:
        """An array as the framework's own value, in the precision and on the device of this one."""
        return array.astype(getattr(value.dtype, "as_numpy_dtype", value.dtype))

    def numbered(self, labels: Any) -> Any:
        """The user's own labels as the numbers of the classes, where the framework takes others than these (names, 5 7 9)."""
        return labels

    def class_names(self, classes: Any) -> Any:
        """What the user calls the classes, or, where that is None, what the framework does, in the order of their numbers."""
        return classes

    def groups(self, labels: Any) -> Any:
        """Labels in the form that this network's accumulators take: integers (example,) or (example, position), or bools (example, class)."""
        return self.to_numpy(labels)

    def settle(self) -> None:
        """Wait until `on_value` has been told everything of the passes so far: compiled frameworks may call back late."""

    def tap(
        self, on_value: OnValue, layers: str | Sequence[str], *, place: str = "activation", passes: str = "all"
    ) -> AbstractContextManager[None]:
        """Like `watch`, for values that go straight into this network's own accumulators.

        A framework that compiles its steps may hand over values that are partly reduced, as only those accumulators
        and its own `to_numpy` understand.
        """
        return self.watch(on_value, layers, place=place, passes=passes)

    def renew(self, model: Any) -> None:
        """Go on with this state of the same model: where models are values, every step makes a new one."""
        self.model = model

    # several processes that train one model together

    @property
    def process(self) -> tuple[int, int]:
        """Which of how many processes this is: (rank, world); (0, 1) alone."""
        return 0, 1

    @property
    def whole(self) -> bool:
        """Does each process hold the whole model? If not, all of them run the probe and read the weights together."""
        return True

    def from_first(self, message: str) -> str:
        """The first process's message, on every process: asked when a recording opens, never in a step."""
        return message

    def unheard_reason(self) -> str:
        """Why layers of this model might not be heard: ends the message of NotHeard."""
        return "Does the loop call this model, in training mode, inside the recorder's `with`?"

    # what follows for every framework from the above

    def layer(self, name: str) -> Layer:
        for layer in self.layers:
            if layer.name == name:
                return layer
        known = [layer.name for layer in self.layers]
        raise UnknownName(f"There is no layer {name!r}.{near(name, known)} The layers are: {listing(known)}.")

    def select(self, patterns: str | Sequence[str] = "*") -> list[str]:
        """Names of the layers that match any of the glob patterns, in order; a pattern without a match is an error."""
        every = [layer.name for layer in self.layers]
        if not patterns and patterns != "":
            raise UnknownName(
                f"layers={patterns!r} names no layer; leave it out for all. The layers are: {listing(every)}."
            )
        chosen: set[str] = set()
        for pattern in [patterns] if isinstance(patterns, str) else patterns:
            found = {name for name in every if name == pattern or fnmatch.fnmatchcase(name, pattern)}
            if not found:
                raise UnknownName(
                    f"No layer matches {pattern!r}.{near(pattern, every)} The layers are: {listing(every)}."
                )
            chosen |= found
        return [name for name in every if name in chosen]

    def probe(
        self, x: Any, layers: str | Sequence[str] = "*", *, place: str = "activation", batch: int = 256
    ) -> dict[str, Array]:
        """The values at the chosen layers for these inputs, in evaluation mode, nothing disturbed."""
        seen: dict[str, list[Array]] = {}
        with (
            self.evaluating(),
            self.watch(lambda n, v: seen.setdefault(n, []).append(self.to_numpy(v).copy()), layers, place=place),
        ):
            for part in batches(x, batch):
                self.run(part)
            self.settle()
        names = self.select(layers)
        silent = [name for name in names if name not in seen]
        if silent:
            raise NotHeard(f"These layers never ran: {listing(silent)}. {self.unheard_reason()}")
        return {name: np.concatenate(seen[name], self.layer(name).batch_axis) for name in names}


class _Converting(Accumulator):
    """Brings each value to numpy and folds it there: the way of an adapter without an accumulator of its own."""

    def __init__(self, network: Network, reference: NumpyAccumulator):
        self._network, self._reference = network, reference

    def fold(self, value: Any, groups: Any = None) -> None:
        self._reference.fold(self._network.to_numpy(value), groups)

    def read(self) -> Any:
        return self._reference.read()


def batches(x: Any, size: int) -> Iterator[Any]:
    """x in pieces along its first axis; a tuple or dict is cut in each of its members."""
    yield from (_cut(x, slice(start, start + size)) for start in range(0, examples(x), size))


def examples(x: Any) -> int:
    """How many examples there are in an array, or in the first member of a tuple or dict."""
    if isinstance(x, Mapping):
        return examples(next(iter(x.values())))
    if isinstance(x, tuple):
        return examples(x[0])
    return x.shape[0] if hasattr(x, "tocsr") else len(x)  # a sparse matrix has no length


def _cut(x: Any, part: slice) -> Any:
    if isinstance(x, Mapping):
        return {name: _cut(value, part) for name, value in x.items()}
    return tuple(_cut(value, part) for value in x) if isinstance(x, tuple) else x[part]


def network(model: Any, *, functional: bool = False, leaves: bool = False) -> Network:
    """A model of any framework as a Network; frameworks are looked for in sys.modules and never imported to find out."""
    if isinstance(model, Network):
        return model
    present: list[Any] = [plugins.load("adapters", name) for name in plugins.names("adapters") if _present(name, model)]
    for adapter in sorted(present, key=lambda a: -a.rank):
        if adapter.accepts(model):
            found: Network = adapter(model, functional=functional, leaves=leaves)
            return found
    if isinstance(model, str | PathLike):
        raise BadValue(
            f"{str(model)!r} names a file: load it first, by onnx.load, keras.saving.load_model, or into a module of yours by "
            "torch's load_state_dict."
        )
    known = plugins.names("adapters")
    raise Unsupported(
        f"No adapter takes a {type(model).__module__}.{type(model).__qualname__}. Adapters: {listing(known)}; of these "
        f"frameworks imported here: {listing(a.framework for a in present)}. A model of another framework can hand over "
        "its activations as arrays: see docs/how-to/arrays.md."
    )


def _present(name: str, model: Any) -> bool:
    """Is the framework imported, or a library of its that made this model (onnxruntime)?"""
    return name == "arrays" or name in sys.modules or type(model).__module__.startswith(name)


def checked_passes(passes: str) -> bool:
    """Are only training passes meant?"""
    if passes not in ("all", "training"):
        raise BadValue(f'passes is "all" or "training", not {passes!r}.')
    return passes == "training"


def checked_place(place: str) -> str:
    """The place, if there is such a place."""
    if place not in PLACES:
        raise BadValue(f"place is one of {listing(PLACES)}, not {place!r}.")
    return place
