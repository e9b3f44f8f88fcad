"""What measures share that compare a class with others: what with, how these are weighed, and how sure the difference is."""

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from nissl.core.profile import Array, Profile, Responses
from nissl.errors import BadValue

Against = Literal["others", "all", "each"]
Weights = Literal["uniform", "size"]


@dataclass(frozen=True)
class ComparingProfile(Profile):
    """`against`: "others"; "all" the classes, itself among them; "each" other class apart, (neuron, class, other).

    `weights`: of the classes in that mean, all alike or by the number of examples.
    """

    against: Against = "others"
    weights: Weights = "uniform"

    def __post_init__(self) -> None:
        for name, known in (("against", get_args(Against)), ("weights", get_args(Weights))):
            if getattr(self, name) not in known:
                raise BadValue(f"{name}={getattr(self, name)!r}: {' or '.join(map(repr, known))}.")
        if self.against == "each" and self.weights == "size":
            raise BadValue("against='each' compares two classes at a time: there is nothing to weigh by size.")

    @property
    def axes(self) -> tuple[str, ...]:
        """Of what is compared, behind the unit's."""
        return ("class", "other") if self.against == "each" else ("class",)


@dataclass(frozen=True, eq=False)
class Comparison:
    """Differences (..., neuron, class) or (..., neuron, class, other); NaN where there is nothing to compare, or to judge by."""

    difference: Array
    error: Array
    """Its standard error, the classes' variances each for itself (Welch)."""
    freedom: Array
    """Degrees of freedom of that error (Welch and Satterthwaite)."""
    spread: Array
    """Standard deviation within classes, of those compared together."""
    pooled: Array
    """Degrees of freedom of that spread."""
    noise: Array
    """Differences up to this are roundings of the means."""

    def over(self, scale: Array) -> Array:
        """The difference in units of a scale; 0 where it is a rounding, infinite where the scale is 0."""
        with np.errstate(divide="ignore", invalid="ignore"):
            found = self.difference / scale
        return np.where(np.abs(self.difference) <= self.noise, np.where(np.isnan(scale), np.nan, 0.0), found)


def compared(responses: Responses, against: Against, weights: Weights) -> Comparison:
    """Of classes with two examples at least: one alone has no variance, and is left out of the others' mean too."""
    mean, std, count = (np.asarray(responses[name], np.float64) for name in ("mean", "std", "count"))
    mean, std, count = np.broadcast_arrays(mean, std, count)
    there = ~np.isnan(mean) & (count > 1)
    free = np.where(there, count - 1, 1.0)
    variance = np.where(there, std, 0) ** 2 * count / free
    own = Means(np.where(there, mean, 0.0), np.where(there, variance / np.maximum(count, 1), 0.0), free)
    left = np.where(there, free, 0.0)
    squares = variance * left
    eps = np.finfo(np.asarray(responses["mean"]).dtype).eps
    if against == "each":
        made = _pairs(own)
        both = there[..., :, None] & there[..., None, :]
        pooled, sums = left[..., :, None] + left[..., None, :], squares[..., :, None] + squares[..., None, :]
        noise = 4 * eps * (np.abs(own.mean)[..., :, None] + np.abs(own.mean)[..., None, :])
    else:
        weight = np.where(there, count if weights == "size" else 1.0, 0.0)
        made = _rest(own, weight, whole=against == "all")
        both = there & (there.sum(-1, keepdims=True) > 1)
        pooled, sums = (np.broadcast_to(part.sum(-1, keepdims=True), mean.shape) for part in (left, squares))
        noise = 4 * eps * np.broadcast_to(np.abs(own.mean).max(-1, keepdims=True, initial=0), mean.shape)
    difference, error, freedom = (np.where(both, part, np.nan) for part in made)
    with np.errstate(divide="ignore", invalid="ignore"):
        spread = np.where(both, np.sqrt(sums / pooled), np.nan)
    return Comparison(difference, error, freedom, spread, pooled, noise)


@dataclass(frozen=True, eq=False)
class Means:
    """Class means, the variances of these means, and their degrees of freedom; nought where there is no class."""

    mean: Array
    variance: Array
    free: Array


def _pairs(own: Means) -> tuple[Array, Array, Array]:
    difference = own.mean[..., :, None] - own.mean[..., None, :]
    squared = own.variance[..., :, None] + own.variance[..., None, :]
    share = own.variance**2 / own.free
    return difference, np.sqrt(squared), _freedom(squared, share[..., :, None] + share[..., None, :])


def _rest(own: Means, weight: Array, *, whole: bool) -> tuple[Array, Array, Array]:
    """Against the weighed mean of the others; `whole`: of all, the class itself among them."""
    total = weight.sum(-1, keepdims=True)

    def others(parts: Array) -> Array:
        return np.maximum(parts.sum(-1, keepdims=True) - parts, 0)

    with np.errstate(divide="ignore", invalid="ignore"):
        mine = 1 - weight / total if whole else np.ones_like(weight)  # the class's own part in the difference
        scale = total if whole else total - weight
        rest = (weight * own.mean).sum(-1, keepdims=True) - weight * own.mean
        difference = mine * own.mean - rest / scale
        squared = mine**2 * own.variance + others(weight**2 * own.variance) / scale**2
        share = mine**4 * own.variance**2 / own.free + others(weight**4 * own.variance**2 / own.free) / scale**4
        return difference, np.sqrt(squared), _freedom(squared, share)


def _freedom(squared: Array, share: Array) -> Array:
    """Where nothing varies there is nothing to judge by, and any number will do."""
    return np.divide(squared**2, share, out=np.ones_like(squared), where=share > 0)
