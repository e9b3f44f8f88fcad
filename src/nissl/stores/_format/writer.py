"""The one process (and rank 0) that writes a run: appends, declares, amends, seals, closes."""

import os
import threading
import time
import uuid
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from nissl.core import admission
from nissl.core.merge import siblings
from nissl.core.store import ArraySpec, Record
from nissl.errors import BadValue, NoTrace, TraceBusy, TraceExists
from nissl.stores._format import plain, row, segment
from nissl.stores._format.background import Background
from nissl.stores._format.index import FORMAT, Index
from nissl.stores._format.part import beside
from nissl.stores._format.place import Hold, Place
from nissl.stores._format.ranks import Ranks
from nissl.stores._format.reader import Reader
from nissl.stores._format.recover import recover
from nissl.stores._format.row import Row
from nissl.stores._format.seal import clear, seal
from nissl.stores._format.shard import Grid

AT_ONCE = 16  # blocks sealed with one new index, when the sealer is behind


class Writer:
    """Holds the lock from `create` or `reopen` to `close`."""

    def __init__(
        self, place: Place, lock: Hold, index: Index, hot: Sequence[Row], header: Mapping[str, Any], patience: float
    ):
        self._place, self._lock, self._index = place, lock, index
        self._header = dict(header)
        self._hot = list(hot)  # committed and not sealed, in order
        self._last = self._hot[-1].epoch if self._hot else index.last
        self._began: dict[
            int, float
        ] = {}  # when epochs were first tried to commit: tried again they are the same bytes
        self._unsaid = False  # declared, and not yet on disk
        self._described = (0, 0)  # how long the arrays are said to be, and how many
        self._mutex = threading.Lock()  # around the index, which the sealer changes too
        self._process = os.getpid()
        failed = f"epochs of {place.root} could not be sealed and stay readable as they are"
        self._sealer = Background(self._seal, f"seals {place.root}", failed)
        self._sealer.nudge()
        self._ranks = Ranks(place, patience, self._commit_whole)

    @classmethod
    def create(cls, place: Place, header: Mapping[str, Any], block: int, patience: float) -> "Writer":
        header = admission.kept(header)
        if place.exists(place.group) and not (place.exists(place.lock_name) or place.exists(place.index)):
            raise TraceExists(f"{place.root} holds a Zarr group that is no trace; choose another path.")
        place.begin()
        lock = place.lock()
        try:
            index, said = _begun(place, header, block)
        except BaseException:
            lock.release()
            raise
        return cls(place, lock, index, (), said, patience)

    @classmethod
    def reopen(cls, place: Place, patience: float) -> "Writer":
        if not place.exists(place.index):
            raise NoTrace(f"{place.root}: there is no trace here to go on with.")
        lock = place.lock()
        try:
            index, hot = recover(place)
            header = Reader(place).header
        except BaseException:
            lock.release()
            raise
        header.pop("closed")
        return cls(place, lock, index, hot, header, patience)

    @property
    def open(self) -> bool:
        """Whether this still is the trace's writer."""
        return self._lock.held

    @property
    def specs(self) -> Mapping[str, ArraySpec]:
        return self._index.specs

    def declare(self, specs: Sequence[ArraySpec]) -> None:
        """Known at once. A full disk cannot fail here: what could not be written is, before the next epoch."""
        self._own()
        with self._mutex:
            known = admission.declared(self._index.specs, specs)
            new = {key: Grid.of(spec, self._index.block) for key, spec in known.items() if key not in self._index.grids}
            if new:
                self._index = self._index.next(grids={**self._index.grids, **new})
                self._unsaid = True
        if new:
            with suppress(OSError):
                self._say()

    def _say(self) -> None:
        """Write what was declared, if it is not there yet."""
        with self._mutex:
            if self._unsaid:
                self._index.write(self._place)
                self._unsaid = False

    def amend(self, changes: Mapping[str, Any]) -> None:
        self._own()
        self._header |= admission.kept(changes)
        plain.write_root(self._place, self._header)

    def append(self, record: Record) -> int:
        self._own()
        arrays = admission.arrays(record, self.specs, self._last if self._last >= 0 else None)
        scalars = admission.scalars(record)
        if record.rank:
            raise BadValue(f"{self._place.root}: rank 0 writes here; rank {record.rank} joins.")
        if self._ranks.waiting and record.world == 1:
            raise BadValue(f"{self._place.root}: epoch {record.epoch} of one rank cannot follow one of several.")
        self._say()
        tag = segment.Tag(self._index.run_id, record.epoch, record.rank, record.world)
        if record.world > 1:
            return self._append_part(record, tag, arrays)
        try:
            size = segment.write(self._place, tag, arrays)
            when = self._began.setdefault(record.epoch, time.time())
            size += self._commit(Row(record.epoch, when, scalars, frozenset(arrays), {}, (size,)))
        except FileExistsError:
            raise self._overtaken(record.epoch) from None
        except BaseException:
            self._withdraw(record.epoch)
            raise
        self._began.clear()
        self._last = record.epoch
        return size

    def _append_part(self, record: Record, tag: segment.Tag, arrays: Mapping[str, Any]) -> int:
        """Rank 0's own part; the epoch is committed when those of the others are there."""
        for key in arrays:
            siblings(self.specs[key], self.specs)  # BadValue now, not when the parts are merged
        try:
            size = segment.write(self._place, tag, arrays, beside(record))
        except FileExistsError:
            raise self._overtaken(record.epoch) from None
        except BaseException:
            self._withdraw(record.epoch)
            raise
        self._last = record.epoch
        self._ranks.owe(tag)
        return size

    def _commit_whole(self, whole: Row, new: Sequence[ArraySpec]) -> None:
        """An epoch of which every part is there, or will not come; `new` are arrays that only other ranks have."""
        for spec in new:
            with suppress(BadValue):  # declared otherwise here: then it is left out
                self.declare([spec])
        self._say()
        try:
            self._commit(replace(whole, arrays=whole.arrays & set(self.specs)))
        except FileExistsError:
            raise self._overtaken(whole.epoch) from None
        except BaseException:
            with suppress(OSError):
                self._place.remove(self._place.commit(whole.epoch))
            raise

    def _commit(self, committed: Row) -> int:
        size = row.write(self._place, committed)
        with self._mutex:
            self._hot.append(committed)
        if len(self._hot) >= self._index.block:
            self._sealer.nudge()
        return size

    def _withdraw(self, epoch: int) -> None:
        """Leave nothing of an epoch that could not be committed; the record goes before what it stands for."""
        with suppress(OSError):
            self._place.remove(self._place.commit(epoch), self._place.segment(epoch, 0))

    def _overtaken(self, epoch: int) -> TraceBusy:
        """What is there is another's: it stays."""
        return TraceBusy(
            f"{self._place.root}: another process has written epoch {epoch}; this one writes no more of this trace."
        )

    def _own(self) -> None:
        if os.getpid() != self._process or not self._lock.held:
            raise BadValue(
                f"{self._place.root}: this process does not write this trace; it was closed, or opened by its parent."
            )
        self._lock.assure()

    def _seal(self, least: int | None = None) -> bool:
        """Seal the oldest block if it is whole (or has at least so many epochs), and those behind it that are; whether it was."""
        with self._mutex:
            index, waiting = self._index, list(self._hot)
        size, before = index.block, len(index.rows)
        if len(waiting) < (size if least is None else least):
            return False
        for first in range(0, min(max(len(waiting) // size, 1), AT_ONCE) * size, size):
            index = seal(self._place, index, waiting[first : first + size])
        done = index.rows[before:]
        self._describe(index)
        with self._mutex:
            index = self._index.next(rows=index.rows)
            index.write(self._place)
            self._index, self._unsaid = index, False
            del self._hot[: len(done)]
        clear(self._place, done)
        return True

    def _describe(self, index: Index) -> None:
        """Say what arrays there are to those who read with Zarr alone, seldom: longer than they are yet."""
        blocks = max((len(index.rows) - 1) // index.block, 1)
        said = index.block << blocks.bit_length(), len(index.grids)
        if said != self._described:
            plain.write_nodes(self._place, index, said[0])
            self._described = said

    def close(self, *, wait: bool) -> None:
        if not self._lock.held:
            return
        self._own()
        try:
            self._ranks.finish(wait=wait)
            self._sealer.stop()
            while self._seal(1):
                pass
            plain.finish(self._place, self._index, self._header)
            self._index = self._index.next(closed=True)
            self._index.write(self._place)
            for folder in (self._place.hot, self._place.commits, self._place.ranks):
                self._place.remove_folder(folder)
        finally:
            self._sealer.stop()
            self._lock.release()


def _begun(place: Place, header: Mapping[str, Any], block: int) -> tuple[Index, dict[str, Any]]:
    """A trace without epochs, where there is none."""
    if place.exists(place.index):
        raise TraceExists(f"{place.root}: there is a trace here already; resume it or choose another path.")
    place.prepare()
    index = Index(uuid.uuid4().hex, block)
    said = {"format": FORMAT, "run_id": index.run_id, **header}
    plain.write_root(place, said)
    index.write(place)  # from here on there is a trace
    return index, said
