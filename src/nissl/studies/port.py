"""`port`: a SavedModel of Keras 2 as a file of Keras 3, with equal outputs."""

from pathlib import Path

from nissl import plugins
from nissl.core.network import Network
from nissl.errors import MissingDependency


def port(saved: str | Path, to: str | Path) -> Network:
    """Read the SavedModel, make the network anew in Keras 3, compare their outputs, and write it; returns the network."""
    try:
        adapter = plugins.load("adapters", "tf_keras")
    except ImportError as error:
        raise MissingDependency(
            f"Porting a SavedModel takes TensorFlow, tf_keras and Keras 3 ({error.name} is missing): "
            "pip install 'nissl[tensorflow,keras]'."
        ) from error
    network: Network = adapter.saved(saved)  # type: ignore[attr-defined]
    network.save(to)  # type: ignore[attr-defined]
    return network
