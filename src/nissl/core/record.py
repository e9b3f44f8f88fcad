"""`nissl.record`: open a recorder on a model of any framework."""

import platform
import sys
import time
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from nissl import plugins
from nissl.core.network import network
from nissl.core.places import store_at
from nissl.core.ranks import Ranks
from nissl.core.recorder import Recorder
from nissl.core.settings import Settings
from nissl.core.store import Store
from nissl.errors import BadValue, NoTrace, TraceExists


def record(
    model: Any, path: str | Path | None = None, *, classes: int | Sequence[Any] | None = None, bins: Any = None,
    probe: Any = None, resume: bool = False, overwrite: bool = False, config: Mapping[str, Any] | None = None,
    settings: Settings | None = None, **options: Any,
) -> Recorder:  # fmt: skip
    """Record `model` into a trace at `path` (None: in memory) while the returned recorder's `with` is open.

    classes: names or number of the classes, where labels and the last layer do not tell; bins: for regression, how many
    bins (or which edges) targets are divided into; probe: (x, y) or a loader, shown to the network in evaluation mode at
    the end of every recorded epoch, so that epochs are comparable; resume: go on with the trace that is there;
    overwrite: delete it; config: anything of yours to keep in the header. All fields of `nissl.core.settings.Settings`
    are options too: layers, quantities, epoch_intervals, drop_batches, every, functional, leaves, rounding, budget,
    durability, precision, patience, progress.
    """
    unknown = set(options) - {name for name in Settings.__dataclass_fields__ if name not in ("schedule", "recorded")}
    if unknown:
        raise BadValue(f"record() has no option {', '.join(sorted(unknown))}. {record.__doc__}")
    if settings is not None and options:
        raise BadValue(f"Give either settings or single options, not both: {', '.join(options)}.")
    settings = settings or Settings(**options)
    if resume and overwrite:
        raise BadValue("resume=True goes on with the trace that is there, overwrite=True deletes it: choose one.")
    heard = network(model, functional=settings.functional, leaves=settings.leaves)
    ranks = Ranks(heard)
    if ranks.several:
        _mergeable(path, settings, isinstance(bins, int) and probe is None)
    resumes = ranks.agree(lambda: {"resume": _ready(path, settings, resume, overwrite)})["resume"]
    header = _header(model, heard.framework, config or {})
    return Recorder(
        heard, _store(path, settings), settings, classes=classes, bins=bins, probe=probe, header=header, resume=resumes
    )


def _mergeable(path: str | Path | None, settings: Settings, guessed: bool) -> None:
    """Refuse what several processes cannot record together."""
    if path is None:
        raise BadValue("Several processes record one trace together: give a path that all of them reach.")
    if not settings.drop_batches:
        raise BadValue(
            "drop_batches=False: each of several processes has batches of its own. Record them with one process."
        )
    if guessed:
        raise BadValue(
            "bins=NUMBER takes its edges from the first targets, which differ from process to process: give bins=[edges], or a probe."
        )


def _ready(path: str | Path | None, settings: Settings, resume: bool, overwrite: bool) -> bool:
    """Is there a trace to go on with? One that is in the way is deleted, if that is what was asked for."""
    if path is None:
        return False
    store = _store(path, settings)
    try:
        store.header  # noqa: B018 - is there one?
    except NoTrace:
        return False
    if not resume:
        if not overwrite and store.entries():  # one without an epoch was refused before it began: nothing is lost
            raise TraceExists(
                f"There is a trace at {path} already: pass resume=True to go on with it, or overwrite=True."
            )
        store.delete()
    return resume


def _store(path: str | Path | None, settings: Settings) -> Store:
    if path is None:
        memory: Store = plugins.load("stores", "memory")()
        return memory
    return store_at(path, durability=settings.durability, patience=settings.patience)


def _header(model: Any, framework: str, config: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "created": time.time(),
        "nissl": version("nissl"),
        "framework": framework,
        "framework_version": str(getattr(sys.modules.get(framework), "__version__", "")),
        "model": type(model).__qualname__,
        "python": platform.python_version(),
        "config": dict(config),
    }
