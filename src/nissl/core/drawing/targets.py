"""What a user means by a target: classes, units, a vector of outputs, or any function of them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nissl.core.aim import Aim, looks_squashed, of_class, of_function
from nissl.core.drawing.wish import Way, Wish, by_unit, outputs
from nissl.core.layer import Layer
from nissl.core.network import Network
from nissl.core.task import class_names
from nissl.errors import BadValue, UnknownName, listing, near

Array = NDArray[Any]
MOST = 200
"""Targets that are drawn without being named."""


@dataclass(frozen=True, eq=False)
class Answers:
    """What the network, or the layer `of`, says of some inputs: by that it is known how many numbers that are."""

    values: Array
    layer: Layer | None
    centre: bool

    def settle(self, values: Array) -> Way:
        """The outputs, or a layer's units."""
        return outputs(values) if self.layer is None else by_unit(self.layer, centre=self.centre)(values)

    @property
    def flat(self) -> Array:
        return self.settle(self.values)[0]

    @property
    def name(self) -> str:
        return "the network's outputs" if self.layer is None else self.layer.name

    def called(self, net: Network, classes: Any) -> tuple[str, ...]:
        """The names of outputs or units, in the order of their numbers."""
        count = max(self.flat.shape[1], 2 if self.layer is None else 1)
        names = class_names(net.class_names(classes)) if self.layer is None else ()
        if names and len(names) != count:
            raise BadValue(f"classes names {len(names)} classes, but the network has {count}.")
        return names or tuple(str(number) for number in range(count))


def wished(net: Network, answers: Answers, target: Any, metric: Any, classes: Any) -> Wish:
    """The wish that is meant."""
    of = None if answers.layer is None else answers.layer.name
    if callable(target):
        name = getattr(target, "__name__", "function")
        return Wish(
            replace(of_function(target), name="value"), (name.strip("<>"),), np.zeros(1, int), of, answers.settle
        )
    vectors = _vectors(target, answers)
    if vectors is not None:
        names = tuple(_short(vector) for vector in vectors)
        return Wish(_near(vectors), names, np.arange(len(vectors)), of, answers.settle)
    names = answers.called(net, classes)
    numbers = _numbers(target, names, answers)
    chosen = tuple(names[number] for number in numbers)
    if of is not None:
        if metric is not None:
            raise BadValue(f"metric={metric!r} is of the outputs; of={of!r} wants what its units say.")
        return Wish(Aim("activation", _chosen, _choosing), chosen, numbers, of, answers.settle)
    squashed = looks_squashed(answers.values)
    metric = metric or ("logodds" if squashed or answers.flat.shape[1] == 1 else "logit")
    aim = of_class(metric, squashed=squashed)
    return Wish(aim, chosen, numbers, None, answers.settle, True, squashed)


def _numbers(target: Any, names: Sequence[str], answers: Answers) -> Array:
    if target is None:
        if len(names) > MOST:
            raise BadValue(
                f"{answers.name} are {len(names):,} numbers: name those to draw, such as target=[0, 1, 2]; all of at most {MOST} are "
                "drawn without being named."
            )
        return np.arange(len(names))
    single = isinstance(target, str | int | np.integer) or np.ndim(target) == 0
    given = [target] if single else list(target)
    if not given:
        raise BadValue("target is empty: name at least one, or leave it out for all.")
    return np.array([_number(one, names, answers) for one in given])


def _number(given: Any, names: Sequence[str], answers: Answers) -> int:
    if isinstance(given, str) and given in names:
        return list(names).index(given)
    if isinstance(given, int | np.integer) and not isinstance(given, bool) and 0 <= given < len(names):
        return int(given)
    told = f" Numbers that outputs shall come near are floats, one for each of {len(names)}."
    raise UnknownName(
        f"target={given!r} is none of {answers.name}.{near(given, names)} There are: {listing(names)}.{told}"
    )


def _vectors(target: Any, answers: Answers) -> Array | None:
    """(target, output), where numbers are given that outputs shall come near."""
    if target is None or isinstance(target, str | int | np.integer):
        return None
    try:
        found = np.asarray(target)
    except ValueError:
        raise BadValue(
            f"target={target!r}: a class, several, a vector of {answers.flat.shape[1]} outputs, or a function."
        ) from None
    if found.dtype.kind != "f" or not found.size:
        return None
    count = answers.flat.shape[1]
    found = found[None] if found.ndim == 1 else found
    if found.ndim != 2 or found.shape[1] != count or not len(found) or not np.isfinite(found).all():
        raise BadValue(
            f"A target vector holds a finite number for each of {answers.name}, {count} in all; this has the shape "
            f"{np.shape(target)}. Classes are whole numbers."
        )
    return found.astype(float)


def _short(vector: Array) -> str:
    told = [f"{value:.3g}" for value in vector[:4]]
    return ", ".join(told) + (f" ... ({len(vector)})" if len(vector) > 4 else "")


def _near(vectors: Array) -> Aim:
    """How near outputs are to a vector: the mean squared distance, negative."""
    return Aim(
        "closeness",
        lambda values, which: -((values - vectors[which]) ** 2).mean(1),
        lambda values, which: -2 * (values - vectors[which]) / values.shape[1],
    )


def _chosen(values: Array, which: Array) -> Array:
    return np.asarray(values[np.arange(len(values)), which])


def _choosing(values: Array, which: Array) -> Array:
    found = np.zeros_like(values)
    found[np.arange(len(values)), which] = 1
    return found
