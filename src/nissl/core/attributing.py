"""`nissl.attribute`: what an output, or a unit, owes to each value of an input or of a layer."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nissl.core.aim import looks_squashed
from nissl.core.anatomy import Anatomy
from nissl.core.attribution import Attribution
from nissl.core.matter import Matter
from nissl.core.method import Method, method
from nissl.core.network import Network, batches, examples, network
from nissl.core.progress import progress as shown
from nissl.core.targets import Target, single, target_of, target_of_unit
from nissl.errors import BadValue, listing

Array = NDArray[Any]
MOST, LEAST = 256, 8
"""How many examples pass at once where nobody says: between these, so that what is said and learned stays near the processor."""
ROOM = 2**21
"""So many of a pass's values do; what a pass reads of parameters it should say at least as many values for."""


def attribute(
    model: Any, x: Any, target: Any = "predicted", by: Any = "integrated_gradients", *, at: str | None = None, unit: Any = None,
    batch: int | None = None, progress: bool = False, **options: Any,
) -> Any:  # fmt: skip
    """What the target owes to each value of x: an `Attribution`, an array of x's shape that knows what it is of.

    `target`: labels (one an example), a class for all, "predicted", "sum" of the outputs, or a function of what the network
    returns. A single output speaks for class 1, and less of it for class 0. `by`: the method, `nissl list attribution`, with
    its options (`steps=64`); several in a list give a dict, and share the passes that they have in common.

    `at`: a layer, to whose values the target is attributed in place of the input's; the result has their shape. With `unit`
    it is that unit of the layer that is explained, to the input; "whole": all that the layer says; "every": each unit on its
    own, a gallery (unit, *x.shape). `batch`: how many examples pass at once, which bounds memory.
    """
    found = network(model)
    methods = _methods(by, options)
    anatomy = Anatomy.of(found, x)
    count = examples(x)
    whole = _target(found, anatomy, target, at, unit, count)
    rows = _rows(anatomy, batch, count)
    place = "input" if at is None or unit is not None else found.layer(at).name
    every = isinstance(unit, str) and unit == "every"
    told: dict[str, list[_Told]] = {name: [] for name in methods}
    with shown("attributing", progress) as tick:
        for matter in _chunks(found, x, whole, anatomy, place, rows):
            for name, one in methods.items():
                told[name].append(_every(one, matter) if every else _told(one, matter))
            tick((matter.places[-1] + 1) / count)
    made = {name: _joined(one, told[name], whole, anatomy, place, every=every) for name, one in methods.items()}
    return made[next(iter(made))] if isinstance(by, str | Method) else made


def _chunks(found: Network, x: Any, whole: Target, anatomy: Anatomy, place: str, rows: int) -> Iterator[Matter]:
    """As many examples at a time as may pass at once."""
    start, remarks = 0, list(_remarks(whole, anatomy))
    for part in batches(x, rows):
        asked, places = whole.of_rows(slice(start, start + rows)), start + np.arange(examples(part))
        yield Matter(found, part, asked, anatomy, place, rows, places, list(remarks))
        start += rows


def _remarks(target: Target, anatomy: Anatomy) -> Iterator[str]:
    """What to know before anything is computed."""
    if target.of is None and not single(anatomy.outputs) and looks_squashed(anatomy.outputs):
        yield "the outputs are probabilities, whose gradients vanish where the answer is sure: logits tell more"


@dataclass(frozen=True, eq=False)
class _Told:
    """What a method found in one chunk."""

    values: Array
    numbers: Array | None
    scores: Array | None
    gap: Array | None
    notes: tuple[str, ...]


def _told(one: Method, matter: Matter) -> _Told:
    values = one(matter)
    scores, gap = matter.scores, one.gap(matter, values)
    return _Told(values, matter.target.numbers, scores, gap, tuple(matter.notes))


def _every(one: Method, matter: Matter) -> _Told:
    """Each unit in turn, as many together as may pass at once."""
    layer = matter.target.of
    assert layer is not None
    have = matter.anatomy.values[layer.name].shape[layer.unit_axis]
    together = max(1, matter.rows // matter.count)
    parts = [_told(one, matter.repeated(range(have)[at : at + together])) for at in range(0, have, together)]

    def stacked(field: str) -> Any:
        found = [getattr(part, field) for part in parts]
        whole = None if any(piece is None for piece in found) else np.concatenate(found)
        return None if whole is None else whole.reshape(have, matter.count, *whole.shape[1:])

    return _Told(stacked("values"), stacked("numbers"), stacked("scores"), stacked("gap"), parts[0].notes)


def _joined(
    one: Method, parts: Sequence[_Told], target: Target, anatomy: Anatomy, at: str, *, every: bool
) -> Attribution:  # fmt: skip
    layer = None if at == "input" else anatomy.network.layer(at)
    first = int(every)

    def whole(field: str, axis: int = first) -> Any:
        found = [getattr(part, field) for part in parts]
        return None if any(piece is None for piece in found) else np.concatenate(found, axis)

    rank = parts[0].values.ndim
    batch = first if layer is None else layer.batch_axis % rank
    channels = anatomy.axis if layer is None else layer.unit_axis % rank
    words = f"every {target.of.unit} of {target.of.name}" if every and target.of else target.words
    return Attribution(
        whole("values", batch), repr(one), words, at, whole("numbers"), whole("scores"), whole("gap"),
        None if channels is None else channels + first if layer is None else channels,
        (0, 1) if every else (batch,), tuple(dict.fromkeys(note for part in parts for note in part.notes)),
    )  # fmt: skip


def _methods(by: Any, options: Mapping[str, Any]) -> dict[str, Method]:
    if isinstance(by, str | Method):
        return {"": method(by, options)}
    given = list(by)
    if options or not given:
        raise BadValue(
            f"Several methods in one call take no {listing(options)}: give them as objects made with their options."
            if options
            else "by names no method: `nissl list attribution` shows them."
        )
    made = [(one if isinstance(one, str) else _name(one), method(one, {})) for one in given]
    names = [name for name, _ in made]
    if len(set(names)) < len(names):
        names = [name if names.count(name) == 1 else repr(one) for name, one in made]
    return dict(zip(names, (one for _, one in made), strict=True))


def _name(one: Any) -> str:
    module: str = type(one).__module__
    return module.rpartition(".")[2]


def _target(found: Network, anatomy: Anatomy, target: Any, at: str | None, unit: Any, count: int) -> Target:
    if unit is None:
        given = target if callable(target) or isinstance(target, str) else found.to_numpy(found.numbered(target))
        return target_of(given, count, anatomy.outputs)
    if at is None:
        raise BadValue("unit is a unit of a layer: say which layer by `at`.")
    layer = found.layer(at)
    if layer.name not in anatomy.values:
        raise BadValue(f"{at} did not run on these inputs, so that there is nothing to explain.")
    have = anatomy.values[layer.name].shape[layer.unit_axis]
    return target_of_unit(layer, 0 if isinstance(unit, str) and unit == "every" else unit, count, have)


def _rows(anatomy: Anatomy, batch: int | None, count: int) -> int:
    if batch is not None:
        if isinstance(batch, bool) or batch < 1:
            raise BadValue(f"batch={batch}: how many examples pass at once, a whole number from 1.")
        return int(batch)
    said = sum(value.size for value in anatomy.values.values()) // examples(anatomy.x)
    learned = sum(int(np.prod(shape)) for one in anatomy.network.layers for shape in one.parameters.values())
    most = int(np.clip((ROOM + learned) // max(said, 1), LEAST, MOST))
    return -(-count // -(-count // most))  # chunks of one size
