"""Networks that lie in files, of whichever framework."""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nissl import plugins
from nissl.core.network import Network
from nissl.core.network import network as seen
from nissl.errors import (
    BadValue,
    MissingData,
    MissingDependency,
    NisslWarning,
    UnknownName,
    Unsupported,
    listing,
    near,
)
from nissl.studies._corpus.averaging import INPUT
from nissl.studies.subject import named

ENDINGS = {".keras": "keras", ".h5": "keras", ".hdf5": "keras", ".onnx": "onnx"}


@dataclass(frozen=True, eq=False)
class Watched:
    """A network, and the layers of it that profiles are made of, in its own order."""

    network: Network
    names: tuple[str, ...]
    origin: str | None = None
    """The file that it was loaded from."""


def load_model(path: str | Path) -> Watched:
    """A SavedModel's folder, a .keras, .h5 or .onnx file, or FILE.py:NAME for whatever else."""
    net = opened(path)
    return Watched(net, tuple(layer.name for layer in net.layers), str(path))


def create_model_with_layer_outputs(model: Any, layer_names_of_interest: Sequence[str] | None = None) -> Watched:
    """The layers to look at, by the names that the model's framework gives them; None: every layer. The last is always one."""
    origin = model.origin if isinstance(model, Watched) else None
    if layer_names_of_interest is None:
        net = model.network if origin else seen(model)
        return Watched(net, tuple(layer.name for layer in net.layers), origin)
    net = model.network if isinstance(model, Watched) else every(model)
    known = [layer.name for layer in net.layers]
    own = _own(net)
    wanted = [own.get(str(name), str(name)) for name in layer_names_of_interest]
    strange = [name for name in wanted if name not in (*known, *_inputs(net.model))]
    if strange and len(strange) == len(wanted):
        raise UnknownName(f"No layer is called {listing(strange)}. There are: {listing(known, 20)}.")
    for name in strange:
        warnings.warn(f"nissl: no layer is called {name!r}, which is left out.{near(name, known)}", NisslWarning, 2)
    return Watched(net, tuple(name for name in known if name in wanted or name == known[-1]), origin)


def _own(net: Network) -> dict[str, str]:
    """What Keras counts through a process (`conv2d_24`) by the names that it has here, counted in the model alone (`conv2d`)."""
    given = [one.name for one in getattr(net.model, "layers", ()) if "Input" not in type(one).__name__]
    return dict(zip(given, (layer.name for layer in net.layers), strict=True)) if len(given) == len(net.layers) else {}


def _inputs(model: Any) -> list[str]:
    """What Keras calls the layers by which examples enter, which here are always the first."""
    return [INPUT, *(layer.name for layer in getattr(model, "layers", ()) if "Input" in type(layer).__name__)]


def opened(where: str | Path) -> Network:
    """A SavedModel's folder, a file of Keras' or ONNX', or FILE.py:NAME; with layers of every module, where there are modules."""
    path = Path(where)
    kind = "tf_keras" if (path / "saved_model.pb").exists() else ENDINGS.get(path.suffix)
    if kind is None and ":" in str(where):
        return every(named(str(where)))
    if not path.exists():
        raise MissingData(f"There is no model at {where}.")
    if kind is None:
        raise BadValue(
            f"{where} is no model that can be opened: a SavedModel's folder, a {', '.join(ENDINGS)} file, or FILE.py:NAME, a model or "
            "a function that makes one."
        )
    try:
        adapter: Any = plugins.load("adapters", kind)
    except ImportError as error:
        wanted = {"tf_keras": "tensorflow,keras"}.get(kind, kind)
        raise MissingDependency(
            f"Opening {where} takes {error.name}, which is missing: pip install 'nissl[{wanted}]'."
        ) from error
    found: Network = adapter.saved(where, leaves=kind != "onnx")
    return found


def every(model: Any) -> Network:
    """With layers of every module, pooling and flattening too, where the framework has modules."""
    if isinstance(model, Network):
        return model
    try:
        return seen(model, leaves=True)
    except Unsupported:
        return seen(model)


def again(told: Mapping[str, Any], model: Any) -> Network:
    """The network that a corpus was passed through: `model`, or the file that it was loaded from."""
    if model is None and told["model"] is None:
        raise MissingData(
            "Single activations were not kept: pass model=, or process_corpus_file(..., raw_activations=True) before."
        )
    found = told["model"] if model is None else model
    if isinstance(found, Watched):
        return found.network
    return opened(found) if model is None else every(found)
