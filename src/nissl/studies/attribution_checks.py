"""Are attributions to be believed? Weights redrawn, inputs erased in their order, methods compared with each other; one call each."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nissl.core.anatomy import Anatomy
from nissl.core.attributing import attribute
from nissl.core.attribution import Attribution
from nissl.core.capabilities import Editable
from nissl.core.matter import Matter
from nissl.core.network import Network, network
from nissl.core.targets import target_of
from nissl.errors import BadValue, Unsupported

Array = NDArray[Any]
BY = ("gradient", "integrated_gradients", "smooth_grad")
UNMOVED = 0.3
"""A picture that keeps so much of its ranks, with every weight redrawn, is none of what was learned."""


@dataclass(frozen=True, eq=False)
class Sanity:
    """How much of each method's picture stays as weights are redrawn, from the output's layer down, more and more of them."""

    methods: tuple[str, ...]
    layers: tuple[str, ...]
    """In the order in which they were redrawn."""
    likeness: Array
    """(method, layer): rank correlation with the picture of the network as it is, signs and all, mean of the examples."""

    @property
    def unmoved(self) -> tuple[str, ...]:
        """The methods whose pictures stay much the same when nothing that was learned is left."""
        return tuple(name for name, row in zip(self.methods, self.likeness, strict=True) if row[-1] >= UNMOVED)

    def __str__(self) -> str:
        lines = [_table("redrawn down to", self.layers, zip(self.methods, self.likeness, strict=True))]
        told = (
            f"much the same without anything learned: {', '.join(self.unmoved)}"
            if self.unmoved
            else "every method moves"
        )
        return "\n".join([*lines, told])


@dataclass(frozen=True, eq=False)
class Erasure:
    """The target's mean score, as what a method ranks highest is erased first (deletion) or shown first (insertion)."""

    shares: Array
    """Of the positions that are erased, or shown."""
    deletion: Mapping[str, Array]
    """By method, and "random": a fast fall means that what was ranked highest is what the network uses."""
    insertion: Mapping[str, Array]
    """By method, and "random": a fast rise means the same."""

    @property
    def areas(self) -> dict[str, tuple[float, float]]:
        """Under both curves, by method."""
        return {
            name: (_area(curve, self.shares), _area(self.insertion[name], self.shares))
            for name, curve in self.deletion.items()
        }

    def __str__(self) -> str:
        told = _table("mean score under", ("deletion", "insertion"), self.areas.items())
        return f"{told}\nrandom: positions in no order"


@dataclass(frozen=True, eq=False)
class Agreement:
    """How alike the methods rank the positions, mean of the examples."""

    methods: tuple[str, ...]
    likeness: Array
    """(method, method): rank correlation."""

    def __str__(self) -> str:
        return _table("", self.methods, zip(self.methods, self.likeness, strict=True))


def attribution_sanity(
    model: Any, x: Any, target: Any = "predicted", by: Sequence[Any] = BY, *, seed: int = 0, progress: bool = False,
) -> Sanity:  # fmt: skip
    """Redraw the weights layer by layer, the last first, and see whether the pictures change (Adebayo and others, 2018).

    New weights have the old ones' mean and spread. The model is afterwards as it was.
    """
    net = network(model)
    before = _named(net, x, target, by, progress=progress)
    asked = next(iter(before.values())).numbers
    asked = target if asked is None else asked
    likeness: list[list[float]] = [[] for _ in before]
    with _redrawing(net, seed) as layers:
        names = []
        for name in layers:
            names.append(name)
            after = _named(net, x, asked, by, progress=progress)
            for row, (method, one) in zip(likeness, before.items(), strict=True):
                row.append(_alike(one.values, after[method].values))
    return Sanity(tuple(before), tuple(names), np.array(likeness))


def attribution_erasure(
    model: Any, x: Any, target: Any = "predicted", by: Sequence[Any] = BY, *, fill: Any = 0.0, steps: int = 20, seed: int = 0,
    batch: int = 256, progress: bool = False,
) -> Erasure:  # fmt: skip
    """Erase, and show, positions in the order of each method; in a random order for comparison. `fill`: what is put in their place."""
    if steps < 2:
        raise BadValue(f"steps={steps}: at how many shares scores are taken, from 2.")
    net = network(model)
    found = _named(net, x, target, by, progress=progress)
    first = next(iter(found.values()))
    anatomy = Anatomy.of(net, x)
    whole = target_of(target if first.numbers is None else first.numbers, len(first), anatomy.outputs)
    matter = Matter(net, x, whole, anatomy, rows=batch)
    inputs = matter.inputs
    ranked = {name: _positions(one, inputs.shape, anatomy.axis) for name, one in found.items()}
    noise = np.random.default_rng(seed).random(next(iter(ranked.values())).shape)
    shares, blank = np.linspace(0, 1, steps + 1), np.broadcast_to(matter.baseline(fill), inputs.shape)
    curves: tuple[dict[str, Array], dict[str, Array]] = ({}, {})
    for name, ranks in {**ranked, "random": noise}.items():
        order = (-ranks).argsort(1, kind="stable").argsort(1)  # 0: the highest
        for curve, inside, outside in ((curves[0], blank, inputs), (curves[1], inputs, blank)):
            told = []
            for share in shares:
                chosen = _spread(order < round(share * order.shape[1]), inputs.shape, anatomy.axis)
                told.append(matter.score(np.where(chosen, inside, outside)).mean())
            curve[name] = np.array(told)
    return Erasure(shares, *curves)


def attribution_agreement(
    model: Any, x: Any, target: Any = "predicted", by: Sequence[Any] = BY, *, progress: bool = False
) -> Agreement:  # fmt: skip
    """Rank correlations of the methods' pictures with each other, position by position."""
    net = network(model)
    found = _named(net, x, target, by, progress=progress)
    anatomy = Anatomy.of(net, x)
    flat = [_positions(one, net.to_numpy(x).shape, anatomy.axis) for one in found.values()]
    return Agreement(tuple(found), np.array([[_alike(a, b) for b in flat] for a in flat]))


def _area(curve: Array, shares: Array) -> float:
    """By trapezoids."""
    return float(((curve[1:] + curve[:-1]) / 2 * np.diff(shares)).sum())


def _named(net: Network, x: Any, target: Any, by: Sequence[Any], *, progress: bool) -> dict[str, Attribution]:
    made: dict[str, Attribution] = attribute(
        net, x, target, list(by) if isinstance(by, list | tuple) else [by], progress=progress
    )
    return made


@contextmanager
def _redrawing(net: Network, seed: int) -> Iterator[Iterator[str]]:
    """Yields the layers' names from the last, each as soon as its weights are new; all as before when it ends."""
    if not isinstance(net, Editable):
        raise Unsupported(f"The weights of a {net.framework} network can't be changed, so they can't be redrawn.")
    editable, kept = net, {layer.name: net.weights(layer.name) for layer in net.layers if layer.parameters}
    draw = np.random.default_rng(seed)

    def redrawn() -> Iterator[str]:
        for name in reversed(kept):
            new = {
                key: draw.normal(old.mean(), old.std(), old.shape).astype(old.dtype) for key, old in kept[name].items()
            }
            editable.edit(name, new)
            yield name

    try:
        yield redrawn()
    finally:
        for name, old in kept.items():
            editable.edit(name, old)


def _positions(one: Attribution, shape: tuple[int, ...], axis: int | None) -> Array:
    """(example, position): channels summed."""
    values = one.values if axis is None else one.values.sum(axis)
    if values.shape != tuple(size for at, size in enumerate(shape) if at != axis):
        raise BadValue("Attributions of the input are compared: leave `at` out.")
    return values.reshape(len(values), -1)


def _spread(chosen: Array, shape: tuple[int, ...], axis: int | None) -> Array:
    found = chosen.reshape([size for at, size in enumerate(shape) if at != axis])
    return found if axis is None else np.expand_dims(found, axis)


def _alike(one: Array, other: Array) -> float:
    """Spearman's rank correlation, mean of the examples whose pictures have ranks at all."""
    from scipy.stats import rankdata

    a, b = (rankdata(each.reshape(len(each), -1), axis=1) for each in (one, other))
    a, b = a - a.mean(1, keepdims=True), b - b.mean(1, keepdims=True)
    size = np.sqrt((a**2).sum(1) * (b**2).sum(1))
    ranked = size > 0
    return float(((a * b).sum(1)[ranked] / size[ranked]).mean()) if ranked.any() else 0.0


def _table(head: str, columns: Sequence[str], rows: Iterable[tuple[str, Sequence[float] | Array]]) -> str:
    """As text, columns as wide as their heads."""
    lines = [[head, *columns], *([name, *(f"{value:.3f}" for value in values)] for name, values in rows)]
    widths = [max(len(line[at]) for line in lines) for at in range(len(lines[0]))]
    return "\n".join(
        "  ".join(
            f"{cell:<{wide}}" if not at else f"{cell:>{wide}}"
            for at, (cell, wide) in enumerate(zip(line, widths, strict=True))
        )
        for line in lines
    )
