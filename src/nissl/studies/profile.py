"""`profile`: a measure of every unit's responses over a whole trace, reckoned here or on a cluster, written as Zarr."""

import os
import shutil
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from nissl.core.trace import open as opened
from nissl.errors import BadValue, MissingDependency


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
