"""Which units or weights go first."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nissl.core.network import Network
from nissl.core.question import candidates
from nissl.core.search import structures
from nissl.errors import BadValue

Array = NDArray[Any]


def units(net: Network, data: Any, by: str, layers: Any, seed: int, options: Mapping[str, Any]) -> dict[str, Array]:
    """By layer, how much each unit is needed: the less, the sooner it goes."""
    if by == "structure":
        found = structures(net, data, layers=layers, seed=seed, progress=False, **options)
        several = list(found.values())
        # the sum over classes: by the largest alone, units that help many classes a little go too soon
        return {name: np.sum([np.maximum(one.scores[name], 0) for one in several], 0) for name in several[0].scores}
    if options:
        raise BadValue(f"by={by!r} takes no {', '.join(options)}: these go to nissl.structures, by='structure'.")
    draw = np.random.default_rng(seed)
    needed = {}
    for layer in candidates(net, layers):
        weights = net.weights(layer.name).get("weight")
        if layer.units is None or weights is None:
            continue
        norms = np.linalg.norm(weights.reshape(len(weights), -1).astype(np.float64), axis=1)
        needed[layer.name] = norms if by == "norm" else draw.random(layer.units)
    return needed


def weights(state: Mapping[str, Array], by: str, seed: int) -> dict[str, Array]:
    """By parameter, how much each weight is needed. Biases and normalising layers' numbers are few, and stay."""
    draw = np.random.default_rng(seed)
    many = {name: array for name, array in state.items() if array.ndim > 1 and array.dtype.kind == "f"}
    if not many:
        raise BadValue("The network has no matrices of weights, so that there is nothing to prune.")
    return {name: np.abs(array) if by == "magnitude" else draw.random(array.shape) for name, array in many.items()}


def staying(needed: Mapping[str, Array], share: float, *, globally: bool, least: int = 0) -> dict[str, Array]:
    """By name what stays, as bools, when this share goes; of each name at least so many stay."""
    if not globally:
        return {name: _most(values, round(values.size * (1 - share)), least) for name, values in needed.items()}
    flat = np.concatenate([values.reshape(-1) for values in needed.values()]).astype(np.float64)
    safe = np.concatenate([_most(values, 0, least).reshape(-1) for values in needed.values()])
    flat[safe] = np.inf
    kept = _most(flat, round(flat.size * (1 - share)), int(safe.sum()))
    parts = np.split(kept, np.cumsum([values.size for values in needed.values()])[:-1])
    return {name: part.reshape(values.shape) for (name, values), part in zip(needed.items(), parts, strict=True)}


def _most(values: Array, count: int, least: int) -> Array:
    """The `count` largest, equals in their order."""
    kept = np.zeros(values.size, bool)
    kept[np.argsort(-values.reshape(-1), kind="stable")[: max(count, least)]] = True
    return kept.reshape(values.shape)
