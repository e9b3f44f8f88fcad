"""What a store that several ranks can write must keep to besides: subclass `RanksSuite`, give it your store, run pytest."""

import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from nissl.core.store import ArraySpec, Column, Record, Store
from nissl.errors import BadValue, NoTrace

COLUMNS = (Column("count", "sum"), Column("mean"), Column("std", "std"), Column("least", "min"))
STATS = ArraySpec("stats", ("neuron", "stat"), (11, 4), "a", "float64", COLUMNS)
NARROW = ArraySpec("narrow", ("neuron",), (11,), "a", "float16", (Column("narrow", "sum"),))
COUNTS = ArraySpec("counts", ("class", "predicted"), (2, 2), dtype="int64", columns=(Column("counts", "sum"),))
EXTRA = ArraySpec("extra", ("neuron",), (3,), "b")
SIZES = (5, 50, 8)


def seen(epoch: int, rank: int) -> NDArray[Any]:
    """The activations that a rank meets in an epoch: far from zero, so that sloppy merging shows."""
    return np.random.default_rng([epoch, rank]).normal(1000, 3, (SIZES[rank], 11))


def part(epoch: int, rank: int, world: int = 3) -> Record:
    """What the rank records of it."""
    rows = seen(epoch, rank)
    stats = np.stack([np.full(11, len(rows)), rows.mean(0), rows.std(0), rows.min(0)], 1)
    arrays = {STATS.key: stats, NARROW.key: rows.mean(0), COUNTS.key: np.full((2, 2), rank + 1)}
    scalars = {"loss": float(rows.mean()), "steps": 10.0 + rank, "seconds": 3.0 - rank}
    return Record(epoch, arrays, scalars, rank, world, weight=len(rows))


def holds(store: Store, epoch: int, ranks: Sequence[int] = range(3)) -> None:
    """The epoch is what these ranks saw together, as one process would have seen it."""
    rows = np.concatenate([seen(epoch, rank) for rank in ranks])
    stats = store.read(STATS.key, [epoch])[0]
    assert (stats[:, 0] == len(rows)).all()
    expected = np.stack([rows.mean(0), rows.std(0), rows.min(0)], 1)
    np.testing.assert_allclose(stats[:, 1:], expected, rtol=1e-11)
    assert (store.read(COUNTS.key, [epoch])[0] == sum(rank + 1 for rank in ranks)).all()
    narrow = np.sum([seen(epoch, rank).mean(0) for rank in ranks], 0)  # in float64; rounded once, at the end
    assert (store.read(NARROW.key, [epoch])[0] == narrow.astype("float16")).all()
    entry = next(entry for entry in store.entries() if entry.epoch == epoch)
    assert entry.missing == tuple(rank for rank in range(3) if rank not in ranks)
    assert entry.damage is None
    assert abs(entry.scalars["loss"] - rows.mean()) < 1e-9
    assert entry.scalars["steps"] == 10.0 + max(ranks)
    assert entry.scalars["seconds"] == 3.0 - min(ranks)


def until(true: Callable[[], object], seconds: float = 20.0) -> None:
    """Wait for what happens in the background."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.01)


class RanksSuite:
    """Subclass with `store(path, **options)` returning a new object for the store at that path."""

    def store(self, path: Path, **options: Any) -> Store:
        raise NotImplementedError("return the store to test")

    def begun(self, path: Path, **options: Any) -> tuple[Store, Store, Store]:
        """The stores of three ranks."""
        first = self.store(path, **options)
        first.create({})
        others = self.store(path, **options), self.store(path, **options)
        for rank, store in enumerate((first, *others)):
            if rank:
                store.join(first.header["run_id"], rank)
            store.declare([STATS, NARROW, COUNTS])
        return first, *others

    def test_several_ranks_are_as_one_process(self, tmp_path: Path) -> None:
        stores = self.begun(tmp_path / "run", block=2)
        for epoch in range(3):
            for rank in (2, 0, 1):
                assert stores[rank].append(part(epoch, rank)) > 0
        until(lambda: len(stores[1].entries()) == 3)
        for epoch in range(3):
            holds(stores[0], epoch)
        for store in reversed(stores):
            store.close()
        for epoch in range(3):
            holds(self.store(tmp_path / "run"), epoch)

    def test_nobody_waits_and_nothing_is_there_before_it_is_whole(self, tmp_path: Path) -> None:
        first, second, third = self.begun(tmp_path / "run")
        start = time.monotonic()
        for epoch in range(3):
            first.append(part(epoch, 0))
            third.append(part(epoch, 2))
        assert time.monotonic() - start < 10  # patience is minutes
        second.append(part(0, 1))
        until(lambda: len(first.entries()) == 1)
        time.sleep(0.1)
        assert [entry.epoch for entry in first.entries()] == [0]
        for epoch in (1, 2):
            second.append(part(epoch, 1))
        first.close()
        assert [entry.missing for entry in first.entries()] == [()] * 3

    def test_who_does_not_come_is_missing_and_who_comes_late_changes_nothing(self, tmp_path: Path) -> None:
        first, second, third = self.begun(tmp_path / "run", patience=0.2, block=2)
        for epoch in range(2):
            first.append(part(epoch, 0))
            third.append(part(epoch, 2))
        second.append(part(1, 1))  # nothing of epoch 0, and this in time
        until(lambda: len(first.entries()) == 2)
        assert third.append(part(2, 2)) > 0
        for _ in range(3):  # closed, taken up again, and closed once more
            holds(first, 0, [0, 2])
            holds(first, 1)
            first.close()
            first.reopen()
        second = self.store(tmp_path / "run")
        second.join(first.header["run_id"], 1)
        second.declare([STATS, NARROW, COUNTS])
        assert second.append(part(0, 1)) == 0
        holds(first, 0, [0, 2])
        first.close()

    def test_who_has_closed_is_not_waited_for(self, tmp_path: Path) -> None:
        first, second, third = self.begun(tmp_path / "run")
        second.append(part(0, 1))
        second.close()
        third.append(part(0, 2))
        for epoch in range(2):
            first.append(part(epoch, 0))
        third.close()  # before its part of epoch 1
        start = time.monotonic()
        first.close()
        assert time.monotonic() - start < 10
        holds(first, 0)
        holds(first, 1, [0])

    def test_when_training_failed_nobody_is_waited_for(self, tmp_path: Path) -> None:
        first, second, _ = self.begun(tmp_path / "run")
        first.append(part(0, 0))
        second.append(part(0, 1))
        start = time.monotonic()
        first.close(wait=False)
        assert time.monotonic() - start < 10
        holds(first, 0, [0, 1])

    def test_closing_waits_for_what_is_owed(self, tmp_path: Path) -> None:
        from threading import Timer

        first, second, third = self.begun(tmp_path / "run")
        first.append(part(0, 0))
        third.append(part(0, 2))
        late = Timer(0.4, lambda: second.append(part(0, 1)))
        late.start()
        first.close()
        late.join()
        holds(first, 0)

    def test_who_may_join(self, tmp_path: Path) -> None:
        with pytest.raises(NoTrace):
            self.store(tmp_path / "run").join("0" * 32, 1)
        first, second, _ = self.begun(tmp_path / "run")
        run_id = first.header["run_id"]
        for bad in (("0" * 32, 1), (run_id, 0)):
            with pytest.raises(BadValue):
                self.store(tmp_path / "run").join(*bad)
        with pytest.raises(BadValue, match=r"rank 1 .* rank 2"):
            second.append(part(0, 2))
        with pytest.raises(BadValue, match="not declared"):
            second.append(Record(0, {EXTRA.key: np.zeros(3)}, {}, 1, 3))
        first.close()
        for store in (second, self.store(tmp_path / "run")):
            with pytest.raises(BadValue, match="closed"):
                store.append(part(0, 1)) if store is second else store.join(run_id, 1)
        second.close()

    def test_what_only_another_rank_has_is_kept(self, tmp_path: Path) -> None:
        first, second, third = self.begun(tmp_path / "run")
        second.declare([EXTRA])
        second.append(Record(0, {EXTRA.key: np.array([1.0, np.nan, 3.0])}, {"odd": np.nan}, 1, 3, weight=0.0))
        third.append(Record(0, {}, {}, 2, 3))
        first.append(part(0, 0))
        first.close()
        assert np.array_equal(first.read(EXTRA.key, [0])[0], np.array([1, np.nan, 3], "float32"), equal_nan=True)
        assert np.isnan(first.entries()[0].scalars["odd"])
        assert (first.read(COUNTS.key, [0]) == 1).all()

    @given(st.permutations([rank for rank in range(3) for _ in range(4)]))
    @settings(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck))
    def test_any_order_of_arrival_gives_the_same(self, order: list[int]) -> None:
        with tempfile.TemporaryDirectory() as folder:
            stores, done = self.begun(Path(folder, "run"), block=3), [0, 0, 0]
            for rank in order:
                stores[rank].append(part(done[rank], rank))
                done[rank] += 1
                known = [entry.epoch for entry in stores[rank].entries()]
                assert known == list(range(len(known)))
                assert len(known) <= min(done)
            stores[0].close()
            for epoch in range(4):
                holds(stores[0], epoch)
