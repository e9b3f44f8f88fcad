"""What a structure is for: one number an example, made of the network's outputs, and how it changes with them.

Plain numpy, so that every framework means the same by it: a network is only asked to carry slopes back.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nissl.errors import BadValue

Array = NDArray[Any]
NODES, WEIGHTS = np.polynomial.legendre.leggauss(8)
STEP = 1e-5
METRICS = ("logodds", "logprob", "logit")


@dataclass(frozen=True)
class Aim:
    """`function` of (outputs, which target), both by example, gives one number an example.

    `slope` is its gradient with respect to the outputs; where none is given it is taken by central differences.
    """

    name: str
    function: Callable[[Array, Array], Array]
    slope: Callable[[Array, Array], Array] | None = None
    tips: bool = False
    """Is zero where the answer tips, as for log-odds?"""

    def values(self, outputs: Array, which: Array) -> Array:
        """One number an example."""
        return np.array(self.function(np.asarray(outputs, np.float64), which), np.float64)  # not a view of the outputs

    def slopes(self, outputs: Array, which: Array) -> Array:
        """The gradient, of the outputs' shape."""
        wide = np.asarray(outputs, np.float64)
        if self.slope is not None:
            return self.slope(wide, which)
        found = np.zeros_like(wide)
        for place in np.ndindex(wide.shape[1:]):
            shifted = wide.copy()
            step = STEP * np.maximum(1.0, np.abs(wide[:, *place]))
            shifted[:, *place] = wide[:, *place] + step
            up = self.values(shifted, which)
            shifted[:, *place] = wide[:, *place] - step
            found[:, *place] = (up - self.values(shifted, which)) / (2 * step)
        return found

    def secants(self, outputs: Array, others: Array, which: Array) -> Array:
        """Mean slopes on the line from `others` to `outputs`: times their difference they are that of the values, exactly."""
        here, there = np.asarray(outputs, np.float64), np.asarray(others, np.float64)
        gap = here - there
        found = sum(
            0.5 * weight * self.slopes(there + 0.5 * (node + 1) * gap, which)
            for node, weight in zip(NODES, WEIGHTS, strict=True)
        )
        axes = tuple(range(1, gap.ndim))
        missed = self.values(here, which) - self.values(there, which) - (found * gap).sum(axes)
        share = missed / np.maximum((gap**2).sum(axes), 1e-300)
        return np.asarray(found + share.reshape(-1, *[1] * len(axes)) * gap)


def of_class(metric: str, *, squashed: bool) -> Aim:
    """How much the outputs speak for a class: its log-odds, log-probability or logit.

    `squashed`: outputs are probabilities already. A single output is that of class 1 against class 0.
    """
    if metric not in METRICS:
        raise BadValue(f"metric={metric!r}: one of {', '.join(METRICS)}, or a function of the outputs.")
    told = _OfClass(metric, squashed)
    return Aim(metric, told.value, told.slope, tips=metric == "logodds")


def of_pair(first: int, second: int, *, squashed: bool) -> Aim:
    """Why the first class and not the second: the difference of their logits."""
    told = _OfPair(first, second, squashed)
    return Aim("margin", told.value, told.slope, tips=True)


def of_output(number: int) -> Aim:
    """One of the outputs as it is."""
    told = _OfOutput(number)
    return Aim("output", told.value, told.slope)


def of_function(function: Callable[[Array], Array]) -> Aim:
    """Any function of the outputs, as numpy (example, ...), that gives one number an example."""
    return Aim(getattr(function, "__name__", "function"), _OfFunction(function).value)


# as classes, so that a structure can be pickled with its question


@dataclass(frozen=True)
class _OfClass:
    metric: str
    squashed: bool

    def _parts(self, outputs: Array, which: Array) -> tuple[Array, Array]:
        """The value and its slope at the logits."""
        logits, _ = _logits(outputs, self.squashed)
        rows = np.arange(len(logits))
        chosen = np.zeros_like(logits)
        chosen[rows, which] = 1
        if self.metric == "logit":
            return logits[rows, which], chosen
        rest = np.where(chosen > 0, -np.inf, logits) if self.metric == "logodds" else logits
        top = rest.max(1, keepdims=True)
        shares = np.exp(rest - top)
        total = shares.sum(1, keepdims=True)
        return logits[rows, which] - (top + np.log(total))[:, 0], chosen - shares / total

    def value(self, outputs: Array, which: Array) -> Array:
        return self._parts(outputs, which)[0]

    def slope(self, outputs: Array, which: Array) -> Array:
        _, back = _logits(outputs, self.squashed)
        return back(self._parts(outputs, which)[1])


@dataclass(frozen=True)
class _OfPair:
    first: int
    second: int
    squashed: bool

    def value(self, outputs: Array, _: Array) -> Array:
        logits = _logits(outputs, self.squashed)[0]
        return logits[:, self.first] - logits[:, self.second]

    def slope(self, outputs: Array, _: Array) -> Array:
        logits, back = _logits(outputs, self.squashed)
        chosen = np.zeros_like(logits)
        chosen[:, self.first], chosen[:, self.second] = 1, -1
        return back(chosen)


@dataclass(frozen=True)
class _OfOutput:
    number: int

    def value(self, outputs: Array, _: Array) -> Array:
        return outputs.reshape(len(outputs), -1)[:, self.number]

    def slope(self, outputs: Array, _: Array) -> Array:
        found = np.zeros_like(outputs)
        found.reshape(len(found), -1)[:, self.number] = 1
        return found


@dataclass(frozen=True)
class _OfFunction:
    function: Callable[[Array], Array]

    def value(self, outputs: Array, _: Array) -> Array:
        made = np.asarray(self.function(outputs), np.float64)
        if made.shape != (len(outputs),):
            raise BadValue(
                f"The target function gave the shape {made.shape} for {len(outputs)} examples: it must return one number an "
                "example. It is given the outputs as a numpy array, the example axis first."
            )
        return made


def looks_squashed(outputs: Array) -> bool:
    """Are these probabilities: within 0 and 1 and, where there are several, adding up to 1?"""
    flat = np.asarray(outputs, np.float64).reshape(len(outputs), -1)
    inside = bool(((flat >= 0) & (flat <= 1)).all())
    return inside and (flat.shape[1] == 1 or bool(np.allclose(flat.sum(1), 1, atol=1e-4)))


def _logits(outputs: Array, squashed: bool) -> tuple[Array, Callable[[Array], Array]]:
    """Outputs as logits (example, class), and the way back of slopes at these logits to slopes at the outputs."""
    wide = outputs.reshape(len(outputs), -1)
    sure = np.clip(
        wide, 1e-12 if wide.shape[1] == 1 else 1e-30, 1 - 1e-12
    )  # float32's small ones are exact, its large not
    if wide.shape[1] > 1:
        if not squashed:
            return wide, lambda slopes: slopes.reshape(outputs.shape)
        return np.log(sure), lambda slopes: (slopes / sure).reshape(outputs.shape)
    single = np.log(sure) - np.log1p(-sure) if squashed else wide
    steep = 1 / (sure * (1 - sure)) if squashed else np.ones_like(wide)
    return np.concatenate([np.zeros_like(single), single], 1), lambda slopes: (slopes[:, 1:] * steep).reshape(
        outputs.shape
    )
