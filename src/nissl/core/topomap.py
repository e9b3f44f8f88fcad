"""`topomap`: the units of layers laid out so that alike ones are neighbours, from a trace, from profiles, or from plain numbers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nissl import plugins
from nissl.core import address
from nissl.core.labelled import Labelled
from nissl.core.layout import Distance, EvenLayout, Layout, comparable, layout, placed
from nissl.core.map import Map, Maps, facing
from nissl.core.profile import measured
from nissl.core.profiles import Profiles
from nissl.core.trace import Trace
from nissl.core.traced import heard
from nissl.errors import BadValue, NotHeard, listing

Array = NDArray[Any]
UNITS, GROUPS = ("neuron", "unit", "channel"), ("class", "group")


@dataclass(frozen=True)
class _Asked:
    """What units are placed by, and how."""

    how: Layout
    distance: Distance
    seed: int
    told: Mapping[str, Any]

    def map(
        self, name: str, groups: Sequence[str], values: Array, epochs: Sequence[int], start: Array | None = None
    ) -> Map:
        """One map of values (moment, group, unit), by all moments together."""
        features = tuple(comparable(_known(moment), self.distance) for moment in values)
        joint = np.concatenate(features, 1) / np.sqrt(len(features))
        places = placed(self.how, joint, start, self.seed)
        return Map(name, places, tuple(groups), values, tuple(epochs), features, self.told, self.how.cells)


def topomap(
    what: Any, layer: Any = None, *, by: str | Layout = "grid", even: bool | str | None = None, epochs: Any = None,
    moving: bool = False, measure: Any = "contrast", distance: Distance = "cosine", seed: int = 0, **options: Any,
) -> Any:  # fmt: skip
    """A map of a layer's units, on which neighbours answer alike; of several layers, maps whose domains face one another.

    `what`: a trace; what `nissl.profile` gives; (group, unit) with named axes, or rows in a dict by group; or numbers (unit, feature).
    `layer`: one name (a Map), several, or None for all (Maps). `by`: a file of nissl/layouts, with its `options`, or one made.
    `even`: spread it over a grid (True), or by "disc" or "swarm". `epochs`: None: the last; one; several, or "all": one map that
    stays put; with `moving`, a map of each epoch that moves only as far as its units changed. `measure`: of a trace's
    responses, what units are placed and shown by: contrast or mean.
    """
    how = _layout(by, even, options)
    name = by if isinstance(by, str) else type(by).__name__.lower()
    told = {"by": name, "layout": repr(how), "distance": distance, "seed": seed}
    asked = _Asked(
        how, distance, seed, told | ({"measure": str(measure)} if isinstance(what, Trace | Profiles) else {})
    )
    if isinstance(what, Trace):
        return what.undamaged(lambda: _of_trace(what, layer, asked, moments(what, epochs), moving, measure))
    if isinstance(what, Profiles) and not moving and epochs is None:
        names = named(layer, what.layers)
        tables = {n: _measured(what, n, measure) for n in names}
        return _together(
            {n: asked.map(n, what.groups, table[None], ()) for n, table in tables.items()}, one=isinstance(layer, str)
        )
    if epochs is not None or moving:
        raise BadValue("epochs and moving are asked of a trace: profiles and plain numbers are of one moment.")
    groups, values = _profiles(what)
    return asked.map(str(layer or "units"), groups, values[None], ())


def _layout(by: str | Layout, even: bool | str | None, options: Mapping[str, Any]) -> Layout:
    found = layout(by, options)
    if even is None or even is False or (even is True and found.even):
        return found
    name = "grid" if even is True else str(even)
    if not issubclass(plugins.load("layouts", name), EvenLayout):
        raise BadValue(f"even={even!r} spreads nothing: True, 'grid', 'disc' or 'swarm' do.")
    return layout(name, {} if found.even else {"of": found})


def moments(trace: Trace, epochs: Any) -> list[int]:
    """The epochs that are asked for, of those there are; None: the last."""
    known = trace.epochs
    if not known:
        raise NotHeard("The trace holds no epoch yet: there is nothing to lay out. Look again after its first commit.")
    if epochs is None:
        return known[-1:]
    if isinstance(epochs, str) and epochs == "all":
        return known
    asked = [epochs] if isinstance(epochs, int | str | np.integer) else list(epochs)
    found = sorted({address.epoch_number(one) for one in asked})
    missing = [one for one in found if one not in known]
    if missing or not found:
        raise address.missing_epoch(missing[0], known) if missing else BadValue("epochs is empty: name at least one.")
    return found


def _of_trace(trace: Trace, layers: Any, asked: _Asked, epochs: list[int], moving: bool, measure: Any) -> Any:
    names = named(layers, trace.layers)
    tables = {name: responses(trace, name, epochs, measure) for name in names}
    unheard = [name for name, table in tables.items() if table is None]
    if len(unheard) == len(names) or (unheard and layers is not None):
        raise NotHeard(
            f"{listing(unheard)}: no responses to classes were recorded. Record with labels, or classes=, and the quantity "
            f"'profile'; there are: {listing(dict.fromkeys(n for name in names for n in trace.names(name)))}."
        )
    if moving and len(names) > 1:
        raise BadValue("moving maps are made of one layer at a time: name it.")
    heard_of = {name: table for name, table in tables.items() if table is not None}
    found = {name: _over(asked, name, trace.classes, table, epochs, moving) for name, table in heard_of.items()}
    return _together(found, one=isinstance(layers, str) or moving)


def named(layers: Any, known: Sequence[str]) -> list[str]:
    """The layers that are asked for, by their own names; all for None."""
    asked = [layers] if isinstance(layers, str) else known if layers is None else layers
    return [address.layer_name(name, known) for name in asked]


def _together(found: dict[str, Any], *, one: bool) -> Any:
    """The one map that was asked for, or all, each facing the one before it."""
    if one:
        return next(iter(found.values()))
    reference: Map | None = None
    for name, made in found.items():
        found[name] = reference = made if reference is None else facing(reference, made)
    return Maps(found, "layer")


def _over(asked: _Asked, name: str, classes: Sequence[str], table: Array, epochs: list[int], moving: bool) -> Any:
    """One map of all epochs, or one each: from the last, which knows most, back to the first."""
    values = table.transpose(0, 2, 1)
    if not moving:
        return asked.map(name, classes, values, epochs)
    found: dict[int, Map] = {}
    start: Array | None = None
    for place in range(len(epochs))[::-1]:
        found[epochs[place]] = asked.map(name, classes, values[place, None], [epochs[place]], start)
        start = found[epochs[place]].positions
    return Maps(dict(sorted(found.items())), "epoch")


def responses(trace: Trace, layer: str, epochs: Sequence[int], measure: Any) -> Array | None:
    """(epoch, unit, class) of a measure that gives a number for each class; None where responses were not recorded."""
    found = measured(measure, {})
    given = [name for name, axes in found.gives.items() if axes == ("class",)]
    if not given:
        raise BadValue(f"measure={measure!r} gives no number for each class: contrast or mean do.")
    held = {name: heard(trace, layer, f"class_{name}", epochs) for name in found.needs}
    if any(one is None for one in held.values()):
        return None
    if "count" in held:
        held["count"] = np.asarray(held["count"])[:, None, :]
    table: Any = {name: np.asarray(one) for name, one in held.items()}
    return np.asarray(found.measure(table)[list(found.gives).index(given[0])])


def _measured(profiles: Profiles, layer: str, measure: Any) -> Array:
    """(group, unit) of a measure."""
    told = profiles.measure(layer, measure)
    for one in told.values():
        if one.dims[0] == "group" and "other" not in one.dims:
            return np.asarray(one.values, float)
    raise BadValue(f"measure={measure!r} gives no number for each group: contrast or mean do.")


def _profiles(what: Any) -> tuple[tuple[str, ...], Array]:
    """Names of groups, and (group, unit)."""
    if isinstance(what, Mapping):
        return tuple(map(str, what)), np.stack([np.asarray(row, float) for row in what.values()])
    dims = getattr(what, "dims", None)
    if dims is None:
        table = np.asarray(what)
        if table.dtype == object:
            raise BadValue(
                f"A {type(what).__name__} has no profiles yet: map those of its layers, nissl.topomap(nissl.profile(model, data))."
            )
        if table.ndim != 2:
            raise BadValue(f"Plain numbers are (unit, feature), not of shape {table.shape}; profiles name their axes.")
        return tuple(map(str, range(table.shape[1]))), table.T
    unit, group = ([d for d in dims if d in names] for names in (UNITS, GROUPS))
    if len(dims) != 2 or len(unit) != 1 or len(group) != 1:
        raise BadValue(
            f"Profiles have two axes, units ({', '.join(UNITS)}) and groups ({', '.join(GROUPS)}); these have {listing(dims)}."
        )
    values = np.asarray(what, float)
    values = values.T if dims[0] == unit[0] else values
    known = what.coords if isinstance(what, Labelled) else {d: np.asarray(what[d]) for d in what.coords}
    names = known.get(group[0], range(len(values)))
    return tuple(str(name) for name in np.asarray(names)), values


def _known(moment: Array) -> Array:
    """(unit, group that was seen)."""
    seen = moment[np.isfinite(moment).any(1)]
    return seen.T if len(seen) else np.zeros((moment.shape[1], 1))
