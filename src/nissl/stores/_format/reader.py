"""Reading a run, closed or being written: a consistent view of what is committed, and arrays out of either form."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nissl.core import admission
from nissl.core.store import Entry, absent
from nissl.errors import DamagedTrace, NisslError, NoTrace
from nissl.stores._format import index as indices
from nissl.stores._format import row as rows
from nissl.stores._format import sealed
from nissl.stores._format.hot import Hot
from nissl.stores._format.index import Index
from nissl.stores._format.place import Identity, Place, parsed
from nissl.stores._format.row import Row

Array = NDArray[Any]
TRIES = 100  # a run is sealed every few seconds at most; so many changes in a row are none


@dataclass(frozen=True)
class View:
    """What was committed at one moment: sealed epochs in the index, the others beside it."""

    index: Index
    hot: tuple[Row, ...]

    @cached_property
    def _fresh(self) -> dict[int, Row]:
        return {row.epoch: row for row in self.hot}

    @property
    def last(self) -> int | None:
        """The last committed epoch."""
        return self.hot[-1].epoch if self.hot else self.index.last if self.index.rows else None

    def row(self, epoch: int) -> Row:
        """A committed epoch; UnknownKey if it isn't one."""
        at = self.index.position.get(epoch)
        found = self._fresh.get(epoch) if at is None else self.index.rows[at]
        if found is None:
            raise admission.unknown_epoch(epoch, [*self.index.position, *self._fresh])
        return found


class Reader:
    """Looks at files only when asked, keeps what cannot have changed."""

    def __init__(self, place: Place):
        self._place = place
        self._index: tuple[Identity, Index] | None = None
        self._header: tuple[Identity, dict[str, Any]] | None = None
        self._commits: dict[int, tuple[Identity, Row]] = {}
        self._found: dict[tuple[int, str], str] = {}  # damage met while reading
        self._hot: Hot | None = None

    @property
    def index(self) -> Index:
        """The index as it is now; the same object as long as the file is the same."""
        try:
            now = self._place.identity(self._place.index)
            if self._index is None or self._index[0] != now:
                self._index = now, indices.read(self._place)
        except (FileNotFoundError, NotADirectoryError):
            raise NoTrace(f"{self._place.root}: there is no trace here (no {self._place.index}).") from None
        return self._index[1]

    @property
    def header(self) -> dict[str, Any]:
        """What zarr.json says of the run."""
        closed, path = self.index.closed, self._place.where(self._place.group)
        try:
            now = self._place.identity(self._place.group)
            if self._header is None or self._header[0] != now:
                attributes = parsed(path, self._place.read(self._place.group)).get("attributes")
                said = attributes.get("nissl") if isinstance(attributes, dict) else None
                if not isinstance(said, dict):
                    raise DamagedTrace(f"{path}: attributes.nissl is missing.")
                indices.supported(path, said)
                self._header = now, said
        except FileNotFoundError:
            raise DamagedTrace(f"{path} is missing.") from None
        return self._header[1] | {"closed": closed}

    def view(self) -> View:
        """One moment of the run, though it may be written meanwhile."""
        for _ in range(TRIES):
            index = self.index
            if index.closed:
                return View(index, ())
            try:
                hot = self._unsealed(index)
            except FileNotFoundError:  # sealed while we looked
                continue
            if self.index is index:
                return View(index, hot)
        raise DamagedTrace(f"{self._place.root}: what it holds changes faster than it can be read.")

    def _unsealed(self, index: Index) -> tuple[Row, ...]:
        """The commits behind the sealed ones, in order, and what is seen from outside of their segments' damage."""
        committed = {e: who for e, who in self._place.committed().items() if e > index.last}
        segments, known = self._place.segments(), self._commits
        found = {e: known[e] for e, who in committed.items() if e in known and known[e][0] == who}

        def get(epoch: int) -> None:
            found[epoch] = committed[epoch], rows.read(self._place, epoch)

        self._place.each(get, [epoch for epoch in committed if epoch not in found])
        self._commits = found  # as a whole: other threads may be looking, at another moment of the run
        return tuple(self._examined(found[epoch][1], segments) for epoch in committed)

    def _examined(self, row: Row, segments: dict[tuple[int, int], Identity]) -> Row:
        for rank, size in enumerate(row.parts):
            found = segments.get((row.epoch, rank))
            if size is None:
                continue
            if found is None or found[1] != size:
                state = "missing" if found is None else f"cut short or changed: {found[1]} of {size} bytes"
                why = f"{self._place.where(self._place.segment(row.epoch, rank))} is {state}."
                return replace(row, damage={rows.WHOLE: why} | dict(row.damage))
        return row

    def entries(self) -> tuple[Entry, ...]:
        """Every committed epoch; what was found to be harmed says so."""
        view = self.view()
        entries = (*view.index.entries, *(row.entry for row in view.hot))
        if not self._found:
            return entries
        found: dict[int, dict[str, str]] = {}
        for (epoch, key), why in list(self._found.items()):
            found.setdefault(epoch, {})[key] = why
        harmed = {e.epoch: view.row(e.epoch) for e in entries if e.epoch in found}
        more = {epoch: replace(row, damage=found[epoch] | dict(row.damage)).entry for epoch, row in harmed.items()}
        return tuple(more.get(entry.epoch, entry) for entry in entries)

    def read(self, key: str, epochs: Sequence[int], where: tuple[slice, ...]) -> Array:
        """The store's `read`: again with a new view whenever a file has gone because its epoch was sealed."""
        for _ in range(TRIES):
            view = self.view()
            try:
                return self._read(view, key, epochs, where)
            except FileNotFoundError as error:
                if self.index is view.index:
                    raise DamagedTrace(f"{key}: {error.filename or error} is missing.") from None
        raise DamagedTrace(f"{self._place.root}: what it holds changes faster than it can be read.")

    def _read(self, view: View, key: str, epochs: Sequence[int], where: tuple[slice, ...]) -> Array:
        spec = admission.spec_of(key, view.index.specs)
        cut = admission.window(spec, where)
        units = range(*cut[0].indices(spec.shape[0])) if cut else range(1)
        first, last = (min(units), max(units) + 1) if units else (0, 0)
        old, new = self._sorted(view, key, epochs)
        try:
            shape = (len(epochs), last - first, *spec.shape[1:]) if spec.shape else (len(epochs),)
            result = np.full(shape, absent(spec), spec.dtype)
        except MemoryError:
            raise DamagedTrace(f"{key}: {shape} of {spec.dtype} is more than there is memory for.") from None
        if not result.size:
            old, new = {}, {}
        if old:
            result[list(old)] = self._sealed(view, key, old, first, last)

        def fill(one: tuple[int, Row]) -> None:
            result[one[0]] = self._fresh(view, key, one[1], first, last)

        self._place.each(fill, new.items())
        step = slice(None, None, units.step) if cut else ()
        return result[(slice(None), step, *cut[1:])] if cut else result

    def _sorted(self, view: View, key: str, epochs: Sequence[int]) -> tuple[dict[int, Row], dict[int, Row]]:
        """Which of the wanted epochs hold the array: sealed, and not sealed. DamagedTrace where one is known to be harmed."""
        old: dict[int, Row] = {}
        new: dict[int, Row] = {}
        for at, epoch in enumerate(epochs):
            row = view.row(epoch)
            why = row.why(key)
            if why is not None:
                raise DamagedTrace(f"Epoch {epoch} of {key} cannot be read: {why}")
            if key in row.arrays:
                (old if epoch in view.index.position else new)[at] = row
        return old, new

    def _sealed(self, view: View, key: str, wanted: dict[int, Row], first: int, last: int) -> Array:
        grid = view.index.grids[key]
        places = [view.index.position[row.epoch] for row in wanted.values()]
        try:
            return sealed.read(self._place, grid, places, first, last)
        except (DamagedTrace, FileNotFoundError) as error:
            if self.index is not view.index:  # gone, or written anew, because the run went on
                raise FileNotFoundError(str(error)) from None
            for row, at in zip(wanted.values(), places, strict=True):  # which one?
                try:
                    sealed.read(self._place, grid, [at], first, last)
                except (DamagedTrace, FileNotFoundError) as harm:
                    raise self._harmed(row, key, harm) from None
            raise

    def _fresh(self, view: View, key: str, row: Row, first: int, last: int) -> Array:
        if self._hot is None or self._hot.run_id != view.index.run_id:
            self._hot = Hot(self._place, view.index.run_id)
        specs = view.index.specs
        try:
            return self._hot.read(row, specs[key], specs, first, last if specs[key].shape else None)
        except DamagedTrace as error:
            raise self._harmed(row, key, error) from None

    def _harmed(self, row: Row, key: str, error: NisslError | OSError) -> DamagedTrace:
        """The error that names the epoch; remembered, so that `entries` can tell."""
        self._found[row.epoch, key] = str(error)
        return DamagedTrace(f"Epoch {row.epoch} of {key} cannot be read: {error}")
