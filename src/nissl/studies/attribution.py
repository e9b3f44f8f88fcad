"""`attribution`: what a network's answers owe to their inputs, of a run or of a model by name; and exigo's five panels."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nissl.core.attributing import attribute
from nissl.core.attribution import Attribution
from nissl.core.network import Network, network
from nissl.core.targets import predicted
from nissl.errors import BadValue
from nissl.studies.subject import few, subject
from nissl.views.attributions import Attributions

Array = NDArray[Any]


@dataclass(frozen=True, eq=False)
class Explained:
    """Examples, what is said of them, and the attributions by the titles of their columns."""

    found: Mapping[str, Attribution]
    inputs: Any
    truth: Any
    said: Any
    classes: tuple[str, ...]
    title: str = ""

    @property
    def picture(self) -> Attributions:
        """A row an example, a column an attribution."""
        return Attributions(
            self.found, self.inputs if isinstance(self.inputs, np.ndarray) else None, self.truth, self.said, self.classes,
            most=len(next(iter(self.found.values()))), title=self.title,
        )  # fmt: skip


def attribution(
    where: str, *, data: str | None = None, by: Sequence[str] = ("integrated_gradients",), target: Any = "true", at: str | None = None,
    unit: Any = None, examples: int = 10, panels: bool = False, baseline: Any = None, options: Mapping[str, Any] | None = None,
    progress: bool = True,
) -> Explained:  # fmt: skip
    """Of the first `examples` that are kept to judge on, of a run or a model by name (`nissl.studies.subject`).

    `target`: "true", "predicted", "sum", or a class by name or number. `panels`: source, baseline, saliency, delta and overlay
    in place of methods, against `baseline` (left out: the least value that the examples have).
    """
    seen = subject(where, data)
    given = seen.held_out if seen.held_out is not None else seen.discovery
    x, y = given if isinstance(given, tuple) and len(given) == 2 else (given, None)
    net = network(seen.model)
    x, y = _first(net, x, examples), None if y is None else net.to_numpy(net.numbered(y))[:examples]
    classes = seen.classes or tuple(map(str, net.class_names(None) or ()))
    asked = _asked(target, y, classes)
    if panels:
        least = float(np.min(x)) if baseline is None else baseline
        found = five(net, x, asked, baseline=least, progress=progress)
        return Explained(
            found,
            x,
            y,
            _said(net, x),
            classes,
            f"Against a baseline of {least:.3g}: {next(iter(found.values())).target}",
        )
    if len(by) == 1:
        told = {by[0]: attribute(net, x, asked, by[0], at=at, unit=unit, progress=progress, **_with(baseline, options))}
    else:
        told = attribute(net, x, asked, list(by), at=at, unit=unit, progress=progress, **_with(baseline, options))
    return Explained(_columns(told), x, y, _said(net, x), classes)


def five(
    model: Any, x: Any, target: Any = "predicted", *, baseline: Any = -1.0, progress: bool = False
) -> dict[str, Attribution]:  # fmt: skip
    """exigo's panels beside the source, which take apart what the network says of nothing from what it says of the example.

    `baseline`: a number or an array of one example's shape; its gradient is computed once for each class.
    """
    net = network(model)
    given = net.to_numpy(x)
    own = attribute(net, x, target, "gradient", progress=progress)
    first, same = (np.zeros(1, int), np.zeros(len(own), int))
    asked = target
    if own.numbers is not None:
        _, first, same = np.unique(own.numbers, return_index=True, return_inverse=True)
        asked = own.numbers[first]
    empty = np.repeat(np.broadcast_to(np.asarray(baseline, given.dtype), given.shape[1:])[None], len(first), 0)
    blank = attribute(net, empty, asked, "gradient").values[same]
    delta = own.values - blank
    made = {
        "baseline": (blank, "gradient at the baseline"),
        "saliency": (own.values, "gradient at the example"),
        "delta": (delta, "saliency less baseline"),
        "overlay": (delta * (given - empty[:1]), "delta times what the source has beyond the baseline"),
    }
    return {
        name: Attribution(values, said, own.target, numbers=own.numbers, scores=own.scores, axis=own.axis)
        for name, (values, said) in made.items()
    }


def _first(net: Network, x: Any, count: int) -> Any:
    if count < 1:
        raise BadValue(f"examples={count}: how many are explained, from 1.")
    if isinstance(x, tuple | dict):
        return few(x, count) if not isinstance(x, tuple) else tuple(net.to_numpy(part)[:count] for part in x)
    if not hasattr(x, "shape"):
        raise BadValue("--data gives no arrays: name (x, y), or x alone, as arrays.")
    return net.to_numpy(x[:count])


def _asked(target: Any, y: Any, classes: Sequence[str]) -> Any:
    if isinstance(target, str) and target == "true":
        if y is None:
            raise BadValue("The examples have no labels, so there is no true class: ask for target='predicted'.")
        return y
    if isinstance(target, str) and target not in ("predicted", "sum"):
        if target in classes:
            return list(classes).index(target)
        if target.isdigit():
            return int(target)
        raise BadValue(
            f"target={target!r}: true, predicted, sum, or a class: {', '.join(classes[:20]) or 'by its number'}."
        )
    return target


def _said(net: Network, x: Any) -> Array:
    return predicted(net.forward(x))


def _with(baseline: Any, options: Mapping[str, Any] | None) -> dict[str, Any]:
    return {**(options or {}), **({} if baseline is None else {"baseline": baseline})}


def _columns(told: Mapping[str, Attribution]) -> dict[str, Attribution]:
    """Where every unit was asked for, a column a unit."""
    found: dict[str, Attribution] = {}
    for name, one in told.items():
        if one.apart != (0, 1):
            found[name] = one
            continue
        for unit, values in enumerate(one.values):
            axis = None if one.axis is None else one.axis - 1
            found[f"{name} {unit}" if len(told) > 1 else f"unit {unit}"] = Attribution(
                values, one.by, one.target, axis=axis, notes=one.notes
            )
    return found
