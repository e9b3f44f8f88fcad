"""What tells one model from another: its layers and their weights, to the last bit."""

import hashlib

import numpy as np

from nissl.core.network import Network


def fingerprint(network: Network) -> str:
    """Sixteen hexadecimal digits."""
    found = hashlib.sha256()
    for layer in network.layers:
        found.update(f"{layer.name} {layer.kind} {layer.units}".encode())
        for name, array in sorted(network.weights(layer.name).items()):
            found.update(f"{name} {array.shape}".encode())
            found.update(np.ascontiguousarray(array, np.float32).tobytes())
    return found.hexdigest()[:16]
