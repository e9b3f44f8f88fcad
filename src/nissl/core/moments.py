"""Where the samples that are to be projected come from: a trace, a model, several checkpoints, or plain arrays."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nissl.core import address
from nissl.core.aim import looks_squashed
from nissl.core.network import Network, batches, network
from nissl.core.pool import Pool, settled
from nissl.core.probe import Probe
from nissl.core.trace import Trace
from nissl.core.trial import guesses
from nissl.errors import BadValue, NotHeard, UnknownName, listing

Array = NDArray[Any]


@dataclass(frozen=True, eq=False)
class Moment:
    """What a layer said of every sample at one time."""

    name: str
    values: Array
    """(sample, ..., unit): as heard, the unit's axis last."""
    outputs: Array | None = None
    """(sample, output): what the network then answered, where that is known."""
    predicted: Array | None = None
    """The class that it answered."""
    epoch: int | None = None
    network: Network | None = None
    """Where it is at hand, and still as it was then."""
    layer: str = ""

    def hear(self, x: Any, batch: int = 256) -> Array:
        """What the layer says of other inputs."""
        assert self.network is not None
        x = x if hasattr(x, "shape") or isinstance(x, tuple | Mapping) else np.asarray(x)
        return heard(self.network, self.layer, batches(x, batch))[0]


@dataclass(frozen=True, eq=False)
class Samples:
    """What is known of the samples whatever the moment."""

    layer: str = ""
    labels: Array | None = None
    classes: tuple[str, ...] = ()
    inputs: Any = None
    live: bool = False
    """More moments may come."""


def gathered(
    source: Any, data: Any, layer: str | None, epochs: Any, labels: Any, classes: Any, batch: int
) -> tuple[Samples, list[Moment]]:
    """The samples, and the moments in their order."""
    if isinstance(source, Trace):
        return _traced(source, data, layer, epochs, labels, classes)
    if epochs is not None:
        raise BadValue(
            f"epochs={epochs!r}: those of a trace; of checkpoints or arrays give just the ones that you mean."
        )
    named = _named(source)
    if named is None:
        return _models(iter([("", source)]), data, layer, labels, classes, batch)
    first = next(named, None)
    if first is None:
        raise BadValue("There is nothing to project: the list of checkpoints or arrays is empty.")
    every = _chain(first, named)
    if _is_array(first[1]):
        return _arrays(every, data, layer, labels, classes)
    return _models(every, data, layer, labels, classes, batch)


def _chain(first: Any, rest: Iterator[Any]) -> Iterator[Any]:
    yield first
    yield from rest


def _named(source: Any) -> Iterator[tuple[str, Any]] | None:
    """(name, what is there) of an array or of several things; None of a single model."""
    if _is_array(source):
        return iter([("", source)])
    if isinstance(source, Mapping):
        return iter([(str(name), one) for name, one in source.items()])
    if isinstance(source, list | tuple | Iterator):
        return (
            (str(one[0]), one[1]) if isinstance(one, tuple) and len(one) == 2 else (f"{number}", one)
            for number, one in enumerate(source, 1)
        )
    return None


def _is_array(value: Any) -> bool:
    return hasattr(value, "shape") and hasattr(value, "__array__")


# plain arrays


def _arrays(
    named: Iterable[tuple[str, Any]], data: Any, layer: str | None, labels: Any, classes: Any
) -> tuple[Samples, list[Moment]]:
    if data is not None:
        raise BadValue("data is what a model is shown; of arrays say only labels=.")
    moments = [Moment(name, np.asarray(values)) for name, values in named]
    for moment in moments:
        if moment.values.ndim < 2 or moment.values.dtype.kind not in "fiub":
            raise BadValue(
                f"An array to project is numbers, (sample, feature); this is {moment.values.dtype} of shape {moment.values.shape}."
            )
    counts = [len(moment.values) for moment in moments]
    if len(set(counts)) > 1:
        raise BadValue(f"Every array has the same samples in the same order; these have {listing(counts)} of them.")
    known, names = _labels(labels, classes, counts[0])
    return Samples(layer or "", known, names), moments


def _labels(labels: Any, classes: Any, count: int) -> tuple[Array | None, tuple[str, ...]]:
    """Numbers of classes and their names, from numbers or names for each sample; -1: none."""
    names = tuple(str(name) for name in classes) if classes is not None else ()
    if labels is None:
        return None, names
    given = np.asarray(labels)
    if given.ndim == 2 and given.shape[1] == 1:
        given = given[:, 0]
    if given.shape != (count,):
        raise BadValue(f"There are {count} samples, and labels of shape {given.shape}: give one for each sample.")
    if given.dtype.kind in "OUS":
        known = names or tuple(sorted({str(label) for label in given}))
        place = {name: number for number, name in enumerate(known)}
        unknown = {str(label) for label in given} - set(known)
        if unknown:
            raise UnknownName(
                f"classes lacks {listing(sorted(unknown))}, which labels has. It names: {listing(known)}."
            )
        return np.array([place[str(label)] for label in given]), known
    if given.dtype.kind == "f" and not (np.isfinite(given).all() and (given == np.round(given)).all()):
        raise BadValue(
            "labels are classes: numbers from 0 on, or names. Values are divided into classes by numpy.digitize."
        )
    numbers = np.maximum(given.astype(np.int64), -1)
    if names and numbers.max(initial=-1) >= len(names):
        raise BadValue(f"classes names {len(names)} classes, but there are labels up to {numbers.max()}.")
    return numbers, names or tuple(map(str, range(int(numbers.max(initial=-1)) + 1)))


# a trace


def _traced(
    trace: Trace, data: Any, layer: str | None, epochs: Any, labels: Any, classes: Any
) -> tuple[Samples, list[Moment]]:
    known = [name for name in trace.layers if any(spec.name == "samples" for spec in trace.specs(name))]
    if not known:
        raise NotHeard(
            "The trace holds no samples. Record them: nissl.record(model, path, probe=(x, y), quantities=(..., 'samples'), "
            "layers=...); or project a model: nissl.projection(model, (x, y), layer=...)."
        )
    chosen = address.layer_name(layer, known) if layer is not None else known[max(len(known) - 2, 0)]
    key = trace.spec(chosen, "samples").key
    there = [entry.epoch for entry in trace.entries if key in entry.arrays]
    wanted = _epochs(epochs, there)
    inputs, given = _shown(data)
    moments = [_at(trace, chosen, known[-1], epoch) for epoch in wanted]
    count = len(moments[0].values)
    if inputs is not None and len(inputs) != count:
        raise BadValue(f"The trace holds {count} samples, the data {len(inputs)}: give the probe that was recorded.")
    if given is None and labels is None and any(spec.name == "probe_label" for spec in trace.specs(None)):
        given = trace.array("probe_label", wanted[-1])
    found, names = _labels(labels if labels is not None else given, classes or trace.classes or None, count)
    return Samples(chosen, found, names, inputs, not trace.closed), moments


def _epochs(epochs: Any, there: list[int]) -> list[int]:
    """Those asked for, of those there are."""
    if not there:
        raise NotHeard("The trace holds no epoch with samples yet: there is nothing to project.")
    if epochs is None:
        return there
    if isinstance(epochs, slice):
        found = address.chosen(there, epochs)
    else:
        single = isinstance(epochs, str) or not isinstance(epochs, Iterable)
        found = [address.epoch_number(epoch) for epoch in ([epochs] if single else epochs)]
    for epoch in found:
        if epoch not in there:
            raise address.missing_epoch(epoch, there)
    if not found:
        raise BadValue(f"epochs={epochs!r} names none of the epochs with samples: {listing(there)}.")
    return sorted(set(found))


def _at(trace: Trace, layer: str, last: str, epoch: int) -> Moment:
    values = np.asarray(trace.read(layer, "samples", [epoch])[0], np.float32)
    outputs = None
    if last == trace.layers[-1]:
        said = np.asarray(trace.read(last, "samples", [epoch])[0], np.float32)
        outputs = said if said.ndim == 2 else None
    predicted = None
    if any(spec.name == "probe_prediction" for spec in trace.specs(None)):
        predicted = np.asarray(trace.array("probe_prediction", epoch))
    elif outputs is not None and outputs.shape[1] > 1 and outputs.shape[1] == len(trace.classes):
        predicted = outputs.argmax(1)
    return Moment(f"epoch {epoch}", np.moveaxis(values, 1, -1), outputs, predicted, epoch, layer=layer)


def _shown(data: Any) -> tuple[Any, Any]:
    """Inputs and labels of a recorded probe."""
    if data is None:
        return None, None
    found = list(Probe(data))
    inputs = [x for x, _ in found]
    labels = [y for _, y in found]
    joined = np.concatenate([np.asarray(x) for x in inputs]) if all(_is_array(x) for x in inputs) else None
    return joined, None if any(y is None for y in labels) else np.concatenate([np.asarray(y) for y in labels])


# models


def _models(
    named: Iterable[tuple[str, Any]], data: Any, layer: str | None, labels: Any, classes: Any, batch: int
) -> tuple[Samples, list[Moment]]:
    if data is None:
        raise BadValue("data: a model is projected by what it says of samples; give (x, y), x, or a loader of such.")
    pool: Pool | None = None
    chosen = layer or ""
    moments: list[Moment] = []
    for name, model in named:
        net = network(model)
        if pool is None:
            pool = Pool(net, data, batch, classes)
            chosen = net.layer(layer).name if layer is not None else _before_last(net)
        moments = [
            replace(old, network=None) if _same(old, net) else old for old in moments
        ]  # its weights are others now
        moments.append(_said(net, pool, chosen, name))
    assert pool is not None
    found, names = pool.groups, pool.task.names
    if labels is not None or (found is None and pool.y is not None and names):
        found, names = _labels(labels, names or classes, pool.count)
    return Samples(chosen, found, names, pool.x), moments


def _same(old: Moment, net: Network) -> bool:
    return old.network is not None and old.network.model is net.model


def _before_last(net: Network) -> str:
    """The last hidden layer."""
    names = [layer.name for layer in net.layers]
    if not names:
        raise NotHeard(f"This network has no layer that could be projected. {net.unheard_reason()}")
    return names[max(len(names) - 2, 0)]


def _said(net: Network, pool: Pool, layer: str, name: str) -> Moment:
    values, answers = heard(net, layer, (pool.take(some) for some in pool.batches(np.arange(pool.count))))
    if len(values) != pool.count:
        raise BadValue(f"The layer {layer!r} gave {len(values)} rows for {pool.count} samples: it can't be projected.")
    outputs = settled(answers)
    several = pool.task.kind in ("multiclass", "binary") or (outputs.shape[1] > 1 and pool.task.kind == "unlabelled")
    predicted = guesses(outputs, squashed=looks_squashed(outputs)) if several else None
    return Moment(name, values, outputs, predicted, None, net, layer)


def heard(net: Network, layer: str, parts: Iterable[Any]) -> tuple[Array, Array]:
    """The layer's values, (sample, ..., unit), and the network's answers."""
    place = net.layer(layer)
    found: list[Array] = []

    def hear(_: str, value: Any) -> None:
        said = np.moveaxis(net.to_numpy(value), (place.batch_axis, place.unit_axis), (0, -1))
        found.append(np.array(said, np.float32))

    with net.evaluating(), net.watch(hear, [layer]):
        answers = [np.array(net.to_numpy(net.run(part))) for part in parts]
        net.settle()
    if not found:
        raise NotHeard(f"The layer {layer!r} never ran. {net.unheard_reason()}")
    return np.concatenate(found), np.concatenate(answers)
