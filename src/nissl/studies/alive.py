"""`alive`: the network that a trace was recorded of, to be asked again: the one that its run kept, or one by name."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from nissl.core.network import Network, network
from nissl.core.trace import Trace
from nissl.core.traced import fitting
from nissl.errors import BadValue
from nissl.studies.checkpoints import Checkpoints
from nissl.studies.subject import Subject, at_hand, subject

EXACT = 1e-5
"""Weights that differ by less, in parts of the largest, are the same: a trace may keep fewer digits."""


def alive(
    trace: Trace, where: str, model: Any = None, data: Any = None
) -> Callable[[], Subject] | None:  # fmt: skip
    """What makes the network and its examples when it is called; None where neither the run nor a name gives it.

    `where`: the trace's folder or address, empty for one in memory. `model`, `data`: as `nissl.studies.subject` takes
    them, or themselves; a run of `nissl train` needs neither.
    """
    if model is None:
        config = trace.header.get("config", {})
        named = all(isinstance(config.get(part), Mapping) for part in ("model", "data"))
        if named and where and Checkpoints(where).best.is_file():
            return lambda: _fitting(trace, subject(where, data))
        if data is not None:
            raise BadValue(
                "data alone gives no network, and this run kept none: name it too, as model FILE.py:NAME (`--model`)."
            )
        return None
    if data is None:
        called = model if isinstance(model, str) else type(model).__name__
        raise BadValue(f"{called} has no examples: name them too, as data FILE.py:NAME or digits (`--data`).")
    if isinstance(model, str):
        return lambda: _recorded(trace, _fitting(trace, subject(model, data)))
    return lambda: _recorded(trace, _fitting(trace, at_hand(model, data)))


def epoch_of(trace: Trace, net: Network) -> int | None:
    """The last recorded epoch at which the network had just these weights; None where there is none, or none were recorded."""
    layers = [name for name in trace.layers if "weight" in trace.names(name)]
    if not layers:
        return None
    first = min(layers, key=lambda name: int(np.prod(trace.spec(name, "weight").shape)))  # it alone tells most apart
    near = [epoch for epoch in reversed(trace.epochs) if _same(trace, net, first, epoch)]
    return next((epoch for epoch in near if all(_same(trace, net, name, epoch) for name in layers)), None)


def _same(trace: Trace, net: Network, layer: str, epoch: int) -> bool:
    then = np.asarray(trace.read(layer, "weight", [epoch])[0], np.float64)
    now = net.weights(layer).get("weight")
    if now is None or now.size != then.size:
        return False
    most = float(np.abs(then).max(initial=0.0))
    return bool(np.abs(then - np.reshape(now, then.shape)).max(initial=0.0) <= EXACT * most)


def _fitting(trace: Trace, seen: Subject) -> Subject:
    """BadValue unless the model has the layers and units of the trace."""
    fitting(seen.model, {name: np.empty(trace.units(name)) for name in trace.layers if trace.units(name)})
    return seen


def _recorded(trace: Trace, seen: Subject) -> Subject:
    """BadValue if weights were recorded, and at no epoch were they the model's."""
    kept: Any = [name for name in trace.layers if "weight" in trace.names(name)]
    if kept and epoch_of(trace, network(seen.model)) is None:
        raise BadValue(
            f"{seen.name} has the layers of this trace, but weights that it had at no recorded epoch: name the trained network."
        )
    return seen
