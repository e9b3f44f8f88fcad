"""`graph`: what a model by name is made of, drawn of one example, and as a file that other programs open."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from nissl.core.capabilities import Exportable
from nissl.core.graph import Graph
from nissl.core.graph import graph as drawn
from nissl.core.layer import Layer
from nissl.core.network import Network, batches
from nissl.core.probe import streamed
from nissl.core.trace import open as opened_trace
from nissl.errors import BadValue, MissingData, NisslError, Unsupported
from nissl.studies._corpus.models import ENDINGS, every, opened
from nissl.studies._feed.recorded import recorded
from nissl.studies.subject import examples_of, is_pair, subject


@dataclass(frozen=True, eq=False)
class Drawn:
    """A network, what it was given, and its graph; of recorded layers the graph alone."""

    network: Network | None
    x: Any
    graph: Graph
    where: str

    def export(self, file: Path) -> None:
        """As an ONNX file."""
        if file.exists():
            raise BadValue(f"There is something at {file} already; nothing is overwritten: name another place.")
        if self.network is None:
            raise Unsupported(
                "Recorded layers are no model that could be written as an ONNX file: leave out kind='layers'."
            )
        if not isinstance(self.network, Exportable):
            raise Unsupported(
                f"{type(self.network).__name__} models can't be written as ONNX files here: torch models can. Netron opens "
                ".keras and .h5 files as they are."
            )
        file.parent.mkdir(parents=True, exist_ok=True)
        self.network.export(file, self.x)

    def file(self, beside: Path) -> Path:
        """What Netron can open: the file that the model is in, or else an ONNX file of it at `beside`."""
        if Path(self.where).suffix in ENDINGS:
            return Path(self.where)
        if not beside.exists():
            self.export(beside)
        return beside


def graph(
    where: str, *, data: str | None = None, input_shape: Sequence[int] | None = None, kind: str = "modules"
) -> Drawn:
    """`where`: a run of `nissl train`, a .keras, .h5 or .onnx file, or FILE.py:NAME; `data`: see `nissl.studies.subject`.

    `input_shape`: of one example, which is then all zeros (whole numbers, where the first layer is an embedding).
    `kind="layers"`: those that a trace was recorded of, for which neither the model nor an example is needed.
    """
    if kind == "layers":
        return Drawn(None, None, _recorded(where, needless=data is not None or input_shape is not None), where)
    if data is not None and input_shape is not None:
        raise BadValue("Examples are given by data or by input_shape, not by both.")
    file = Path(where).suffix in ENDINGS
    if file or (":" in where and "://" not in where):
        net = opened(where)
        x = None if data is None else _first(examples_of(data))
    else:
        made = subject(where, data, 1)
        net, x = every(made.model), _first(made.discovery)
    if input_shape is not None:
        x = _zeros(net, input_shape)
    try:
        return Drawn(net, x, _drawn(where, net, x, kind, input_shape), where)
    except NisslError as error:
        if x is not None or file:
            raise
        raise MissingData(  # of a model that does not say what it takes
            f"What {where} does shows when it is run: give --input-shape 3,224,224 (of one example), or --data FILE.py:NAME."
        ) from error


def _recorded(where: str, *, needless: bool) -> Graph:
    if needless:
        raise BadValue("The layers of a trace were recorded with it: they need neither data nor input_shape.")
    header = opened_trace(where).header
    layers = [Layer.of(said) for said in header.get("layers", ())]
    if not layers:
        raise MissingData(f"The header of {where} names no layers.")
    return recorded(header.get("model") or "network", layers)


def _drawn(where: str, net: Network, x: Any, kind: str, shape: Sequence[int] | None) -> Graph:
    try:
        return drawn(net, x, kind)
    except NisslError:
        raise
    except (RuntimeError, ValueError, TypeError, IndexError, NotImplementedError) as error:
        told = next(iter(str(error).strip().splitlines()), type(error).__name__)
        given = "the example of its data" if shape is None else f"an example of the shape {tuple(shape)}"
        raise BadValue(f"{where} does not take {given}: {told}") from error


def _first(data: Any) -> Any:
    """One example, still in a batch."""
    if hasattr(data, "train"):
        data = data.train
    if is_pair(data):
        data = data[0]
    x, _ = next(iter(streamed(data, 1)))
    return next(batches(x, 1))


def _zeros(net: Network, shape: Sequence[int]) -> Any:
    if any(size < 1 for size in shape):
        raise BadValue(f"input_shape={tuple(shape)}: the sizes of one example's axes, each from 1, without the batch.")
    whole = bool(net.layers) and net.layers[0].kind == "embedding"
    return np.zeros((1, *shape), np.int64 if whole else np.float32)
