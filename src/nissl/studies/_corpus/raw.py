"""Every activation and gradient of a corpus, written file by file: gigabytes, for whoever asks for them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nissl.core.capabilities import Differentiable
from nissl.core.network import Network
from nissl.core.progress import progress as shown
from nissl.studies._corpus import folders
from nissl.studies._corpus.averaging import INPUT, channels
from nissl.studies._corpus.reading import Corpus

Array = NDArray[Any]


def written(network: Network, names: Sequence[str], corpus: Corpus, out: Path, align_to: str, progress: bool) -> None:
    """acts/ of the input and all layers, grads/ of all but the last, units last."""
    with shown("activations", progress) as tick:
        for number, (row, x) in enumerate(corpus.batches(), 1):
            values = {INPUT: x} | network.probe(x, list(names))
            outputs = network.forward(x).reshape(len(x), -1)
            slopes: dict[str, Array] = {}
            if isinstance(network, Differentiable):
                which = outputs.argmax(1) if align_to == "prediction" else np.full(len(x), row.output)
                found = network.gradient(x, which, at=[INPUT, *names[:-1]])
                slopes = {name: network.to_numpy(value) for name, value in found.items()}
            for place, (name, value) in enumerate(values.items()):
                layer = folders.layer_id(place)
                folders.put(out / folders.ACTS / layer / row.file, _units_last(network, name, value))
                if name in slopes:
                    folders.put(out / folders.GRADS / layer / row.file, _units_last(network, name, slopes[name]))
            tick(number / len(corpus.rows))


def _units_last(network: Network, name: str, value: Array) -> Array:
    layer = None if name == INPUT else network.layer(name)
    unit = layer.unit_axis if layer is not None else channels(network)
    value = value if layer is None or layer.batch_axis == 0 else value.swapaxes(0, layer.batch_axis)
    return np.ascontiguousarray(np.moveaxis(value, unit, -1)) if value.ndim > 2 else value
