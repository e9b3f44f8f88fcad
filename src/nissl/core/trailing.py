"""`trails`: all units of all epochs in one picture, so that each is a path through training."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nissl.core.layout import Distance, PathLayout, comparable, layout, principal
from nissl.core.topomap import moments, named, responses
from nissl.core.trace import Trace
from nissl.core.trails import Trails
from nissl.errors import BadValue, NotHeard, listing

Array = NDArray[Any]
Told = tuple[dict[str, Array], tuple[int, ...], tuple[str, ...], Array]
"""Numbers of layers' units (epoch, unit, feature), epochs, groups, and (epoch, group, unit)."""


def trails(
    what: Any, layer: Any = None, *, by: str | PathLayout = "diffusion", epochs: Any = "all", measure: Any = "contrast",
    distance: Distance = "correlation", dimensions: int = 2, seed: int = 0, **options: Any,
) -> Trails:  # fmt: skip
    """Each unit as a path through training: at an epoch units are near their like, and from epoch to epoch near themselves.

    `what`: a trace; or numbers (epoch, unit, feature), or such by layer. `layer`: one name, several, or None for all; all share one
    picture. `epochs`: of a trace, which; all of them. `measure`: what units are told by: their responses to classes (contrast or
    mean), or "samples", what they answered to each example of the probe, where that was recorded. `by`: a file of nissl/layouts
    that lays out paths, with its `options`.
    """
    how = layout(by, options)
    if not isinstance(how, PathLayout):
        raise BadValue(f"by={by!r} places units at one moment only: 'diffusion' places them at all epochs at once.")
    if dimensions not in (2, 3):
        raise BadValue(f"dimensions={dimensions!r}: a picture has 2 of them, or 3.")
    if isinstance(what, Trace):
        told = what.undamaged(lambda: _of_trace(what, layer, moments(what, epochs), measure))
    elif epochs != "all":
        raise BadValue("epochs are asked of a trace: of plain numbers, give those that are meant.")
    else:
        told = _of_numbers(what, layer)
    tables, when, groups, values = told
    features, found = _placed(how, tables, distance, dimensions, seed)
    recipe = {
        "by": by if isinstance(by, str) else type(by).__name__.lower(),
        "layout": repr(how),
        "distance": distance,
        "seed": seed,
    }
    recipe |= {"measure": str(measure)} if isinstance(what, Trace) else {}
    return Trails({name: one.shape[1] for name, one in tables.items()}, when, found, groups, values, features, recipe)


def _placed(
    how: PathLayout, tables: Mapping[str, Array], distance: Distance, dimensions: int, seed: int
) -> tuple[Array, Array]:
    """Of units of all layers (epoch, unit, feature), at most 50 principal components, and (epoch, unit, dimension)."""
    joint = np.concatenate(list(tables.values()), 1)
    epochs, units = joint.shape[:2]
    alike = comparable(joint.reshape(epochs * units, -1), distance).reshape(epochs, units, -1)
    order = np.lexsort(alike.transpose(0, 2, 1).reshape(-1, units))  # so that the order they are given in is no matter
    features = principal(alike[:, order].reshape(epochs * units, -1)).reshape(epochs, units, -1)
    found = np.asarray(how.paths(features, dimensions, seed), float)
    if found.shape != (epochs, units, dimensions) or not np.isfinite(found).all():
        raise BadValue(f"{how!r} gave no place to some of {units} units: {found.shape}.")
    found = found - found.mean((0, 1))
    found /= float(np.sqrt((found**2).sum(-1).mean())) or 1.0
    back = order.argsort()
    return features[:, back], found[:, back]


def _of_trace(trace: Trace, layers: Any, epochs: list[int], measure: Any) -> Told:
    names = named(layers, trace.layers)
    asked = "contrast" if measure == "samples" else measure
    classes = {name: responses(trace, name, epochs, asked) for name in names}
    tables = {name: _samples(trace, name, epochs) for name in names} if measure == "samples" else classes
    unheard = [name for name, table in tables.items() if table is None]
    if len(unheard) == len(names) or (unheard and layers is not None):
        needed = "'samples', with a probe" if measure == "samples" else "'profile', with labels or classes="
        raise NotHeard(
            f"{listing(unheard)}: nothing was recorded at every one of {len(epochs)} epochs that measure={measure!r} is made of. "
            f"Record the quantity {needed}; there are: {listing(dict.fromkeys(n for name in names for n in trace.names(name)))}."
        )
    heard = {name: table for name, table in tables.items() if table is not None}
    widths = {name: table.shape[2] for name, table in heard.items()}
    if len(set(widths.values())) > 1:
        raise BadValue(f"These layers answered to other examples each, and can't share a picture: {widths}. Name one.")
    seen = [table for name in heard if (table := classes[name]) is not None]
    if len(seen) < len(heard):
        return heard, tuple(epochs), (), np.zeros((len(epochs), 0, sum(t.shape[1] for t in heard.values())))
    return heard, tuple(epochs), trace.classes, np.concatenate(seen, 1).transpose(0, 2, 1)


def _samples(trace: Trace, layer: str, epochs: list[int]) -> Array | None:
    """(epoch, unit, example): what was answered, on average over places."""
    if "samples" not in trace.names(layer):
        return None
    key = trace.spec(layer, "samples").key
    if any(key not in trace.entry(epoch).arrays for epoch in epochs):
        return None
    found = []
    for epoch in epochs:
        values = np.asarray(trace.read(layer, "samples", [epoch])[0], float)
        found.append(values.reshape(*values.shape[:2], -1).mean(2).T)
    return np.stack(found)


def _of_numbers(what: Any, layer: Any) -> Told:
    given = dict(what) if isinstance(what, Mapping) else {str(layer or "units"): what}
    if not given:
        raise BadValue("There is no layer: give numbers (epoch, unit, feature), or such by layer.")
    tables = {str(name): np.asarray(one) for name, one in given.items()}
    for name, one in tables.items():
        if one.ndim != 3 or one.dtype.kind not in "fiub" or not one.size:
            raise BadValue(
                f"{name}: paths are made of numbers (epoch, unit, feature), not of {one.dtype} of shape {one.shape}."
            )
    shapes = {(one.shape[0], one.shape[2]) for one in tables.values()}
    if len(shapes) > 1:
        raise BadValue(
            f"Layers that share a picture have the same epochs and features: { ({n: t.shape for n, t in tables.items()}) }."
        )
    epochs = next(iter(shapes))[0]
    return tables, tuple(range(epochs)), (), np.zeros((epochs, 0, sum(one.shape[1] for one in tables.values())))
