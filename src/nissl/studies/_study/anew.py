"""Training what has learned already: from where, and with what of it held."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

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


class Held:
    """Layers that learn no more, and structures that are away, while it is open."""

    def __init__(self, model: Any, x: Any, freeze: str | Sequence[str] | None, delete: Sequence[str | Path] | None):
        """`x`: inputs as the model takes them."""
        if isinstance(delete, str | Path):
            raise BadValue(f"delete={delete!r}: a list of files, such as [{str(delete)!r}].")
        away = [Structure.load(file, model).delete() for file in delete or ()]
        self._model, self._x, self._all = model, x, _together([*_frozen(model, freeze), *away])
        self._away = _together(away)
        self.lasting()  # what can't be made part of the weights is refused before anything is trained

    def __enter__(self) -> Self:
        if self._all is not None:
            self._all.attach()
        return self

    def __exit__(self, *_: object) -> None:
        if self._all is not None:
            self._all.detach()

    def lasting(self) -> Any:
        """The network as it is in use: in weights that are kept, what was deleted stays deleted."""
        return self._model if self._away is None else self._away.commit(self._x)[0]


def _frozen(model: Any, freeze: str | Sequence[str] | None) -> list[Edit]:
    if not freeze:
        return []
    net = network(model)
    names = net.select(freeze)
    if not names:
        raise UnknownName(f"freeze={freeze!r} is none of the layers: {listing(layer.name for layer in net.layers)}.")
    return [edit(model)[name].freeze() for name in names]


def _together(found: Sequence[Edit]) -> Edit | None:
    """As one; a sum is an edit of its own, so that what is in use can also be made part of the weights."""
    return sum(found[1:], Edit(found[0].network, found[0].changes, found[0].sample)) if found else None


def told(**given: Any) -> dict[str, Any]:
    """What was asked for, as plain values for the header."""
    return {
        name: [str(one) for one in value] if isinstance(value, list | tuple) else str(value)
        for name, value in given.items()
        if value
    }
