"""One chunk of examples and what is asked of them, with all that methods of attribution need to answer."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nissl.core.anatomy import Anatomy
from nissl.core.capabilities import Differentiable, Passage, Ruled, Sensitive
from nissl.core.layer import Layer
from nissl.core.network import Network, examples
from nissl.core.targets import Target
from nissl.errors import BadValue, Unsupported

Array = NDArray[Any]


@dataclass(eq=False)
class Matter:
    """Methods ask it for values, gradients and scores; what several of them ask for is computed once."""

    network: Network
    x: Any
    target: Target
    anatomy: Anatomy
    at: str = "input"
    """To whose values the target is attributed."""
    rows: int = 256
    """How many examples may pass at once."""
    places: Array = field(default_factory=lambda: np.zeros(0, np.int64))
    """Which of all the examples these are: what is drawn for one is the same whoever passes with it."""
    notes: list[str] = field(default_factory=list)
    """What the user should know; each once."""
    _passed: dict[Any, Passage] = field(default_factory=dict)

    @property
    def count(self) -> int:
        return examples(self.x)

    @property
    def layer(self) -> Layer | None:
        """Where the attribution goes to; None for the input."""
        return None if self.at == "input" else self.network.layer(self.at)

    @property
    def batch_axis(self) -> int:
        """Where the examples are, in the values at the place of the attribution."""
        return 0 if self.layer is None else self.layer.batch_axis % self.anatomy.values[self.at].ndim

    @cached_property
    def inputs(self) -> Array:
        """The examples as one array; refused where they are not numbers that can be led from one value to another."""
        if self.anatomy.input is None:
            raise Unsupported(
                "The input is made of integers, or of several arrays, of which gradients are not the input's own. Ask at a "
                "layer: attribute(..., at=...), for token ids at their embedding."
            )
        return self.network.to_numpy(self.x)

    def note(self, what: str) -> None:
        if what not in self.notes:
            self.notes.append(what)

    # the examples themselves

    def passage(self, at: str | None = None, rule: str = "", **how: Any) -> Passage:
        """What is said and how the target depends on it at a place, in one pass; `rule`: by other rules than calculus's."""
        place = at or self.at
        key = (place, rule, *sorted(how.items()))
        if key not in self._passed:
            self.inputs if place == "input" else self.anatomy.learned  # noqa: B018 - refuses what has no gradient
            if rule:
                with ruled(self.network).ruled(rule, **how) as told:
                    found = self._pass(place)
                for what in told.told():
                    self.note(what)
            else:
                found = self._pass(place)
            self._passed[key] = found
        return self._passed[key]

    def _pass(self, at: str) -> Passage:
        network, target = self.network, self.target
        if target.weighs and isinstance(network, Sensitive):
            found = network.passage(self.x, self._slopes, [at])
            return Passage(found.outputs, self._plain(found.values), self._plain(found.slopes))
        if target.weighs:
            self.scores  # noqa: B018 - settles what was predicted
        told = self._told(self.x, self.target, at)
        values = self.inputs if at == "input" else network.probe(self.x, [at], batch=self.count)[at]
        return Passage(np.zeros(0), {at: values}, {at: told})

    def _slopes(self, outputs: Array) -> Array:
        self.target = self.target.settled(outputs)
        self.__dict__.setdefault("scores", self.target.scores(outputs))
        return self.target.weights(outputs)

    def _plain(self, values: Mapping[str, Any]) -> dict[str, Array]:
        return {name: self.network.to_numpy(value) for name, value in values.items()}

    @property
    def value(self) -> Array:
        """What is said at the place of the attribution."""
        return self.inputs if self.at == "input" else self.passage().values[self.at]

    @property
    def slope(self) -> Array:
        """The target's gradient there."""
        return self.passage().slopes[self.at]

    @cached_property
    def scores(self) -> Array | None:
        """The target by example."""
        if self.target.asks:
            outputs = self.network.forward(self.x)
            self.target = self.target.settled(outputs)
            return self.target.scores(outputs)
        return self._scored(self.x, self.target)

    # other inputs

    def gradient(self, x: Array, which: Sequence[int] | Array | None = None) -> Array:
        """The target's gradient for other inputs, each with the target of the example that `which` names; in their order."""
        found = [self._told(part, target, self.at) for part, target in self._parts(x, which)]
        return np.concatenate(found, self.batch_axis)

    def score(self, x: Array, which: Sequence[int] | Array | None = None) -> Array:
        """The target for other inputs."""
        found = [self._scored(part, target) for part, target in self._parts(x, which)]
        if any(one is None for one in found):
            raise Unsupported("This needs a target function that gives one number for each example.")
        return np.concatenate(found)  # type: ignore[arg-type]

    def _parts(self, x: Array, which: Any) -> Iterator[tuple[Array, Target]]:
        if self.target.asks:
            self.scores  # noqa: B018 - settles what was predicted
        which = np.arange(self.count) if which is None else np.asarray(which)
        for start in range(0, len(x), self.rows):
            part = slice(start, start + self.rows)
            yield x[part], self.target.of_rows(which[part])

    def _told(self, x: Any, target: Target, at: str) -> Array:
        network = self.network
        if not isinstance(network, Differentiable):
            raise Unsupported(
                f"A {network.framework} network gives no gradients. Methods that need none: occlusion, shapley, score_cam."
            )
        of = None if target.of is None else target.of.name
        return network.to_numpy(network.gradient(x, target.asked(self.anatomy.outputs), at, of))

    def _scored(self, x: Any, target: Target) -> Array | None:
        network = self.network
        if target.of is not None:
            name = target.of.name
            return target.scores(network.probe(x, [name], batch=examples(x))[name])
        if not callable(target.given):
            return target.scores(network.forward(x))
        with network.evaluating():
            made = network.to_numpy(target.given(network.run(x)))
        if made.ndim:
            return made.reshape(len(made), -1).sum(1)
        return made.reshape(1) if examples(x) == 1 else None

    # baselines

    def baseline(self, given: Any) -> Array:
        """One example of the input's shape, (1, ...), from a number or an array that broadcasts to an example."""
        shape = self.inputs.shape[1:]
        try:
            return np.broadcast_to(np.asarray(given, self.inputs.dtype), shape)[None]
        except ValueError:
            raise BadValue(
                f"baseline has the shape {np.shape(given)}; it is a number or an array of one example's shape, {shape}."
            ) from None

    def questions(self) -> tuple[Array, Array]:
        """One example for each class that is asked for, and for every example which of these asks the same."""
        if self.target.asks:
            self.scores  # noqa: B018 - settles what was predicted
        if self.target.numbers is None:
            return np.zeros(1, np.int64), np.zeros(self.count, np.int64)
        _, first, same = np.unique(self.target.numbers, return_index=True, return_inverse=True)
        return first, same

    def started(self, given: Any) -> Array:
        """Each example's score, if it were the baseline."""
        first, same = self.questions()
        return self.score(np.repeat(self.baseline(given), len(first), 0), first)[same]

    def repeated(self, units: Sequence[int]) -> "Matter":
        """The same examples once for each of these units, unit by unit."""
        numbers = np.repeat(np.asarray(units), self.count)
        x = self.inputs[np.tile(np.arange(self.count), len(units))]
        places = np.tile(self.places, len(units))
        return replace(self, x=x, target=replace(self.target, numbers=numbers), places=places, _passed={})


def ruled(network: Network) -> Ruled:
    """The network, if its gradients can go by other rules."""
    if not isinstance(network, Ruled):
        raise Unsupported(
            f"Gradients of a {network.framework} network go by calculus alone. This method needs PyTorch, or Keras on it; "
            "methods of plain gradients: gradient, integrated_gradients, smooth_grad, grad_cam."
        )
    return network
