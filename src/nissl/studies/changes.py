"""`changes`: what stays the same in a run and what changes, when; of two runs, which units answer to which and what differs."""

from pathlib import Path
from typing import overload

from nissl.core.change.found import Changes
from nissl.core.change.search import changes as within
from nissl.core.change.twins import Twins
from nissl.core.trace import Trace
from nissl.core.trace import open as opened
from nissl.studies._twins.search import twins

Run = Trace | str | Path


@overload
def changes(
    run: Run, other: None = None, *, level: float = ..., lasting: int = ..., seed: int = ..., progress: bool = ...
) -> Changes: ...


@overload
def changes(
    run: Run, other: Run, *, level: float = ..., lasting: int = ..., seed: int = ..., progress: bool = ...
) -> Twins: ...


def changes(
    run: Run, other: Run | None = None, *, level: float = 0.05, lasting: int = 3, seed: int = 0, progress: bool = True
) -> Changes | Twins:
    """What of each unit, layer and relation stays the same in a trace and what changes, when; `other`: what differs between two.

    A jump is a step beyond a unit's usual motion, by bootstrapped paths of that motion, at the false discovery rate `level`
    over all units. Births, deaths and changed preferences count when they last for `lasting` recorded epochs. `seed`
    decides the bootstrap. Layers are compared as wholes where the trace has samples, else by class profiles.
    """
    one = _trace(run)
    if other is None:
        return within(one, level=level, lasting=lasting, seed=seed, shown=progress)
    return twins(one, _trace(other), level=level, seed=seed)


def _trace(run: Run) -> Trace:
    return run if isinstance(run, Trace) else opened(run)
