"""Training what has learned already: from where, and with what of it held."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from nissl import plugins
from nissl.core.edit import Edit
from nissl.core.network import network
from nissl.core.structure import Structure
from nissl.core.trace import open as opened
from nissl.core.verbs import edit
from nissl.errors import BadValue, MissingData, UnknownName, listing
from nissl.studies.checkpoints import Checkpoints


def begun(start: str | Path) -> tuple[str, str, dict[str, Any], dict[str, Any]]:
    """Data and model by name with their options, the model with the run's best weights."""
    config, kept = opened(start).header.get("config", {}), Checkpoints(start)
    found = []
    for kind in ("data", "models"):
        said = config.get(kind.removesuffix("s"))
        name = said.get("name") if isinstance(said, Mapping) else None
        known = [one for one in plugins.names(kind) if plugins.class_name(one) == name]
        if not known:
            raise MissingData(
                f"{start} was not trained by names with `nissl train`: load its model, and train(model=...)."
            )
        fixed = ("name", "shape", "classes") if kind == "models" else ("name",)
        found.append((known[0], {k: tuple(v) if isinstance(v, list) else v for k, v in said.items() if k not in fixed}))
    if not kept.best.is_file():
        raise MissingData(f"The best weights of {start} are not at {kept.best}.")
    (data, of_data), (model, of_model) = found
    return data, model, of_data, of_model | {"weights": str(kept.best)}


def edits(model: Any, freeze: str | Sequence[str] | None, delete: Sequence[str | Path] | None) -> Edit | None:
    """Layers that learn no more, and structures that are away, as one edit."""
    if isinstance(delete, str | Path):
        raise BadValue(f"delete={delete!r}: a list of files, such as [{str(delete)!r}].")
    found: list[Edit] = []
    if freeze:
        net = network(model)
        names = net.select(freeze)
        if not names:
            raise UnknownName(
                f"freeze={freeze!r} is none of the layers: {listing(layer.name for layer in net.layers)}."
            )
        found += [edit(model)[name].freeze() for name in names]
    found += [Structure.load(file, model).delete() for file in delete or ()]
    whole = None
    for one in found:
        whole = one if whole is None else whole + one
    return whole


def told(**given: Any) -> dict[str, Any]:
    """What was asked for, as plain values for the header."""
    return {
        name: [str(one) for one in value] if isinstance(value, list | tuple) else str(value)
        for name, value in given.items()
        if value
    }
