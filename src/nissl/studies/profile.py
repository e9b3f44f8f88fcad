"""`profile`: what groups of inputs make of a network's units; or a measure over a whole trace, here or on a cluster, as Zarr."""

import os
import shutil
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from nissl.core.profiles import Profiles, Trait
from nissl.core.profiling import profile as profiled
from nissl.core.trace import open as opened
from nissl.core.view import View
from nissl.errors import BadValue, MissingDependency
from nissl.studies.kinship import kinship
from nissl.studies.subject import named, subject
from nissl.views.contrasts import Contrasts
from nissl.views.dendrogram import Dendrogram

ALPHA = 0.05
EVERY = 10**12


@dataclass(frozen=True)
class Told:
    """What is told of one layer."""

    layer: str
    traits: tuple[Trait, ...]
    """The most characteristic units, group by group."""
    significant: Mapping[str, int]
    """How many units tell each group from the others, at q < 0.05."""
    tests: int
    """How many contrasts could be tested."""
    units: int
    dead: int
    """How many units say the same to everything."""


@dataclass(frozen=True, eq=False)
class Grouped:
    """What `grouped` leaves behind."""

    profiles: Profiles
    told: tuple[Told, ...]
    pictures: Mapping[str, View] = field(default_factory=dict)


def grouped(
    where: str, groups: Sequence[str] = ("label",), *, data: str | None = None, only: Sequence[str] | None = None,
    contrast: str = "others", within: str | None = None, layers: Sequence[str] | None = None, align: str | None = None,
    output: Path | None = None, **options: Any,
) -> Grouped:  # fmt: skip
    """Profiles of a run's model, or of FILE.py:NAME, for groups of its held-out examples, and what sets each group apart.

    `groups`: words of `nissl.profile`, and columns as FILE.py:NAME, to be crossed. `only`: groups of interest, compared with each
    other alone. `contrast`: with the others, or with all. The rest is `nissl.profile`'s. `output`: an .npz file.
    """
    if output is not None and (output.exists() or output.suffix != ".npz"):
        raise BadValue(f"{output}: name a new file that ends in .npz; nothing is overwritten.")
    seen = subject(where, data, EVERY)
    given = _columns(groups)
    examples = seen.held_out if seen.held_out is not None else seen.discovery
    found = profiled(
        seen.model, examples, given, layers=layers, align=align,
        classes=seen.classes or None, **options,
    )  # fmt: skip
    found = found.only(only) if only else found
    pictures: dict[str, View] = {}
    for layer in found.layers:
        pictures[f"profiles_{layer}"] = Contrasts(found, layer, against=contrast, within=within)
        if len(found.groups) > 2:
            pictures[f"dendrogram_{layer}"] = Dendrogram(kinship(found, layer))
    told = tuple(_told(found, layer, {"against": contrast, "within": within}) for layer in found.layers)
    if output is not None:
        found.save(output)
    return Grouped(found, told, pictures)


def _columns(groups: Sequence[str]) -> dict[str, Any]:
    """Words, and columns under the names that they have in their files."""
    found: dict[str, Any] = {}
    for word in groups:
        name = word.rpartition(":")[2]
        if name in found:
            raise BadValue(f"--groups names {name} twice: to cross columns, give them names of their own.")
        found[name] = named(word) if ":" in word else word
    return found


def _told(found: Profiles, layer: str, options: dict[str, Any]) -> Told:
    q = found.measure(layer, "significance", **options)["q"].values
    counts = dict(zip(found.groups, (int(n) for n in (q < ALPHA).sum(1)), strict=True))
    dead = int(found.measure(layer, "dead")["dead"].values.sum())
    return Told(
        layer, tuple(found.characteristic(layer, **options)), counts, int(np.isfinite(q).sum()), q.shape[1], dead
    )


def profile(
    path: str | Path,
    measure: str,
    out: str | Path,
    *,
    layers: Sequence[str] | None = None,
    options: Mapping[str, Any] | None = None,
    scheduler: str | None = None,
) -> Path:
    """Write the measure of the trace at `path` to the folder `out`, a group for each layer; overwrites nothing.

    scheduler: the address of a Dask scheduler, whose workers reach both places; None: this machine's threads.
    """
    target = Path(out)
    if target.exists():
        raise BadValue(f"There is something at {target} already: name another place with out.")
    tree = opened(path).profile(measure, layers, **(options or {}))
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f"{target.name}.{os.getpid()}.part").absolute()
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, part, ignore_errors=True)
        if scheduler is not None:
            stack.enter_context(_client(scheduler))
        for name, node in tree.children.items():
            layer = node.to_dataset()
            even = layer.chunk({dim: max(sizes) for dim, sizes in layer.chunks.items()})  # as Zarr's must be
            even.to_zarr(part, group=name, mode="a", consolidated=False)
        part.replace(target)
    return target


def _client(scheduler: str) -> Any:
    try:
        import distributed
    except ImportError as error:
        raise MissingDependency("scheduler= needs Dask: pip install 'nissl[cluster]'") from error
    client: Any = distributed.Client  # which says nothing of its types
    try:
        return client(scheduler, timeout=10)
    except (OSError, ValueError) as error:
        raise BadValue(f"scheduler={scheduler!r}: nothing answers there: {error}") from None
