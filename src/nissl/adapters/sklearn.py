"""scikit-learn's multi-layer perceptrons."""

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from nissl.adapters._sklearn.changes import Change, checked
from nissl.adapters._sklearn.labels import named, numbered
from nissl.adapters._sklearn.passes import MIXES, Pass, backward, forward, linear
from nissl.adapters._sklearn.targets import seed
from nissl.adapters._sklearn.training import Step, heard
from nissl.core.capabilities import Differentiable, Editable, Labelling
from nissl.core.layer import Layer
from nissl.core.network import Array, Network, OnValue, checked_passes, checked_place
from nissl.errors import BadValue, UnknownName, Unsupported, listing, near

NONLINEARITIES = {"relu": "ReLU", "tanh": "Tanh", "logistic": "Sigmoid", "exp": "Exp"}


@dataclass(frozen=True, eq=False)
class _Watch:
    on_value: Callable[..., None]
    layers: tuple[str, ...]
    place: str
    training: bool


class Sklearn(Network, Editable, Differentiable, Labelling):
    """A fitted MLPClassifier or MLPRegressor, or a pipeline that ends in one: layers `hidden_1` ... and `output`.

    Training steps are those inside `fit` and `partial_fit`, with the labels as scikit-learn shuffled them; other passes
    are those of `predict`, `predict_proba` and `run`. The network returns what the output activation makes.
    """

    framework: ClassVar[str] = "sklearn"

    def __init__(self, model: Any, *, functional: bool = False, leaves: bool = False):
        super().__init__(model, functional=functional, leaves=leaves)
        self._before = model[:-1] if hasattr(model, "steps") and len(model.steps) > 1 else None
        self._mlp = model.steps[-1][1] if hasattr(model, "steps") else model
        if not hasattr(self._mlp, "coefs_"):
            raise BadValue(
                f"This {type(self._mlp).__name__} is not fitted, so that it has no layers yet. Call partial_fit on some "
                "examples first; nissl.callbacks.Sklearn records a whole fit from its beginning."
            )
        self._watches: list[_Watch] = []
        self._changes: list[Change] = []
        self._patch: ExitStack | None = None

    @classmethod
    def accepts(cls, model: Any) -> bool:
        module = sys.modules.get("sklearn.neural_network")
        last = model.steps[-1][1] if type(model).__name__ == "Pipeline" and model.steps else model
        return module is not None and isinstance(last, module.MLPClassifier | module.MLPRegressor)

    @property
    def layers(self) -> tuple[Layer, ...]:
        names = self._names()
        return tuple(self._layer(number, name, names[:number][-1:]) for number, name in enumerate(names))

    def _names(self) -> list[str]:
        return [*(f"hidden_{n}" for n in range(1, len(self._mlp.coefs_))), "output"]

    def _layer(self, number: int, name: str, inputs: list[str]) -> Layer:
        features, units = self._mlp.coefs_[number].shape
        function = self._mlp.out_activation_ if name == "output" else self._mlp.activation
        return Layer(
            name,
            "dense",
            units,
            parameters={"weight": (units, features), "bias": (units,)},
            nonlinearity=NONLINEARITIES.get(function),
            remark=f"recorded before {function}, which mixes the units" if function in MIXES else None,
            inputs=tuple(inputs),
        )

    def _number(self, layer: str) -> int:
        return self._names().index(self.layer(layer).name)

    # hearing

    @contextmanager
    def watch(
        self, on_value: OnValue, layers: str | Sequence[str], *, place: str = "activation", passes: str = "all"
    ) -> Iterator[None]:
        with self._watching(_Watch(on_value, tuple(self.select(layers)), checked_place(place), checked_passes(passes))):
            yield

    @contextmanager
    def watch_outputs(self, on_value: OnValue, *, passes: str = "all") -> Iterator[None]:
        with self._watching(_Watch(on_value, (), "outputs", checked_passes(passes))):
            yield

    @contextmanager
    def watch_labels(self, on_labels: Callable[[Any], None]) -> Iterator[None]:
        with self._watching(_Watch(on_labels, (), "labels", training=True)):
            yield

    @contextmanager
    def _watching(self, watch: _Watch) -> Iterator[None]:
        self._watches.append(watch)
        try:
            with self._patched():
                yield
        finally:
            self._watches.remove(watch)

    @contextmanager
    def _patched(self) -> Iterator[None]:
        """Two methods of this one estimator are ours as long as anybody watches or changes it."""
        if self._patch is not None:
            yield
            return
        with ExitStack() as self._patch:
            self._patch.enter_context(heard(self._mlp, self._labels, self._step, self._predict))
            try:
                yield
            finally:
                self._patch = None

    def _labels(self, labels: Any) -> None:
        if self._changes:
            raise Unsupported("A perceptron can't be trained while its values are changed: leave `change` before fit.")
        for watch in list(self._watches):
            if watch.place == "labels":
                watch.on_value(labels)

    def _step(self, step: Step) -> None:
        values = _Heard(self._mlp, step)
        for watch in list(self._watches):
            if watch.place == "outputs":
                watch.on_value("", step.activations[-1])
            for name in watch.layers:
                watch.on_value(name, getattr(values, watch.place)(self._number(name)))

    def _predict(self, x: Any) -> Array:
        done = forward(self._mlp, _rows(x), self._replace)
        for watch in [w for w in self._watches if not w.training]:
            if watch.place == "outputs":
                watch.on_value("", done.output)
            if watch.place in ("activation", "preactivation"):
                told = done.before if watch.place == "preactivation" else done.heard
                for name in watch.layers:
                    watch.on_value(name, told[self._number(name)])
        return done.output

    @contextmanager
    def evaluating(self) -> Iterator[None]:
        yield

    def run(self, x: Any) -> Array:
        return self._predict(self._entering(x))

    def forward(self, x: Any) -> Array:
        return self._pass(x).output

    def _pass(self, x: Any) -> Pass:
        return forward(self._mlp, self._entering(x), self._replace)

    def _entering(self, x: Any) -> Any:
        """What the perceptron itself is given: behind the pipeline's other steps."""
        rows = _rows(x if self._before is None else self._before.transform(x))
        wanted = self._mlp.coefs_[0].shape[0]
        if rows.ndim != 2 or rows.shape[1] != wanted:
            raise BadValue(
                f"The perceptron takes (examples, {wanted}) numbers; an array of shape {rows.shape} was given."
            )
        return rows

    def to_numpy(self, value: Any) -> Array:
        return np.asarray(value)

    # changing

    @contextmanager
    def change(self, layer: str, units: Sequence[int] | None = None, to: Any = 0.0) -> Iterator[None]:
        made = checked(self.layer(layer), self._number(layer), units, to)
        self._changes.append(made)
        try:
            with self._patched():
                yield
        finally:
            self._changes.remove(made)

    def _replace(self, number: int, value: Array) -> Array:
        for change in self._changes:
            value = change(value) if change.number == number else value
        return value

    def weights(self, layer: str) -> dict[str, Array]:
        number = self._number(layer)
        return {"weight": self._mlp.coefs_[number].T.copy(), "bias": self._mlp.intercepts_[number].copy()}

    def edit(self, layer: str, parameters: Mapping[str, Array]) -> None:
        number, have = self._number(layer), self.layer(layer).parameters
        for key, given in parameters.items():
            if key not in have:
                raise UnknownName(f"{layer} has no parameter {key!r}.{near(key, have)} It has: {listing(have)}.")
            if np.shape(given) != have[key]:
                raise BadValue(f"{layer}'s {key} has the shape {have[key]}, unit first; {np.shape(given)} was given.")
        for key, given in parameters.items():
            stored = self._mlp.coefs_[number].T if key == "weight" else self._mlp.intercepts_[number]
            stored[...] = given

    # gradients

    def gradient(self, x: Any, target: Any, at: str | Sequence[str] = "input", of: str | None = None) -> Any:
        names = [at] if isinstance(at, str) else list(at)
        places = [0 if name == "input" else self._number(name) + 1 for name in names]
        if 0 in places and self._before is not None:
            raise Unsupported(
                "A pipeline's other steps have no gradients. Pass the perceptron alone, nissl.network(pipeline[-1]), and "
                "pipeline[:-1].transform(x) as its input."
            )
        if any(callable(change.to) for change in self._changes):
            raise Unsupported("Gradients behind a change by a function are not known: change to numbers or an array.")
        done = self._pass(x)
        number = None if of is None else self._number(of)
        every = backward(
            self._mlp, done, seed(done.output if number is None else done.heard[number], target), self._set, number
        )
        found = [every[place] for place in places]
        return found[0] if isinstance(at, str) else dict(zip(names, found, strict=True))

    def _set(self, number: int) -> list[int]:
        return [unit for change in self._changes if change.number == number for unit in change.units]

    # classes

    def numbered(self, labels: Any) -> Any:
        return labels if labels is None else numbered(self._mlp, labels)

    def class_names(self, classes: Any) -> Any:
        return named(self._mlp, classes)

    def unheard_reason(self) -> str:
        return (
            "Does this very estimator's `fit` or `partial_fit` run inside the recorder's `with`? Copies of it (clone, a grid "
            "search, jobs in other processes) are not heard, and `predict` is no training."
        )


class _Heard:
    """A training step's values at the places of the contract, taken as they are asked for."""

    def __init__(self, mlp: Any, step: Step):
        self.mlp, self.step, self.last = mlp, step, len(mlp.coefs_) - 1

    def activation(self, number: int) -> Array:
        mixed = number == self.last and self.mlp.out_activation_ in MIXES
        return self.preactivation(number) if mixed else self.step.activations[number + 1]

    def preactivation(self, number: int) -> Array:
        return linear(self.mlp, number, self.step.activations[number])

    def gradient(self, number: int) -> Array:
        """Of the mean loss: scikit-learn keeps that of the examples' sum, before the nonlinearity of each layer."""
        if number < self.last:
            return self.step.deltas[number + 1] @ self.mlp.coefs_[number + 1].T / self.step.weight
        delta, output = self.step.deltas[number] / self.step.weight, self.step.activations[-1]
        slopes = {"logistic": output * (1 - output), "exp": output}
        with np.errstate(divide="ignore", invalid="ignore"):  # where the output is saturated
            return delta / slopes.get(self.mlp.out_activation_, 1.0)

    def outputs(self, number: int) -> Array:
        return self.step.activations[-1]


def _rows(x: Any) -> Any:
    return x if hasattr(x, "tocsr") else np.asarray(x)
