"""What a network costs, and how well it does."""

import copy
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nissl.core.aim import looks_squashed
from nissl.core.capabilities import Tying
from nissl.core.network import Network
from nissl.core.pool import Pool, settled
from nissl.core.trial import guesses
from nissl.errors import Unsupported

Array = NDArray[Any]
BATCH = 256


def copied(net: Network) -> Network:
    """The network of a copy of its model."""
    return type(net)(copy.deepcopy(net.model), functional=net.functional, leaves=net.leaves)


def tying(net: Network) -> Any:
    """The network as one whose weights can be tied, or an error."""
    if not isinstance(net, Tying):
        raise Unsupported(
            f"Single weights of a {net.framework} network can't be kept at zero while it learns: PyTorch's can."
        )
    return net


def accuracy(net: Network, data: Any) -> float:
    """The share of examples whose class is recognised; NaN where labels are no classes."""
    pool = Pool(net, data, BATCH)
    if pool.groups is None:
        return float("nan")
    outputs = settled(pool.outputs(np.arange(pool.count)))
    return float(np.mean(guesses(outputs, squashed=looks_squashed(outputs)) == pool.groups))


def operations(net: Network, data: Any) -> int:
    """Multiplications of one example by weights other than zero, in dense and convolving layers."""
    layers = [layer for layer in net.layers if layer.kind in ("dense", "conv") and layer.units]
    heard = net.probe(Pool(net, data, BATCH).take(np.arange(1)), [layer.name for layer in layers])
    total = 0
    for layer in layers:
        weights = net.weights(layer.name).get("weight")
        if weights is not None:
            total += int(np.count_nonzero(weights)) * (heard[layer.name].size // len(weights))
    return total


def parameters(net: Network) -> int:
    """Trained numbers other than zero."""
    return sum(int(np.count_nonzero(array)) for array in tying(net).state(trained=True).values())
