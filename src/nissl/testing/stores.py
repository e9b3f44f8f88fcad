"""What every store must keep to: subclass `StoreSuite`, give it your store, and run pytest."""

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from nissl.core.store import ArraySpec, Column, Record, Store
from nissl.errors import BadValue, NoTrace, TraceBusy, TraceExists, UnknownKey
from nissl.stores.memory import Memory

Array = NDArray[Any]
STATS = ArraySpec(
    "stats",
    ("neuron", "stat"),
    (37, 3),
    "conv.1/a b",
    columns=(Column("count", "sum"), Column("mean"), Column("std", "std")),
)
PROFILE = ArraySpec(
    "class_mean", ("neuron", "class"), (37, 2), "conv.1/a b", columns=(Column("m"),), labels={"class": ("cat", "dög")}
)
CONFUSION = ArraySpec("confusion", ("class", "predicted"), (2, 2), dtype="int64", columns=(Column("confusion", "sum"),))
RATE = ArraySpec("rate", (), (), dtype="float64")
SAMPLES = ArraySpec("samples", ("sample", "neuron", "y", "x"), (3, 2, 2, 4), "_fc", dtype="float16")
MASK = ArraySpec("mask", ("neuron",), (5,), "_fc", dtype="bool")
NOTHING = ArraySpec("nothing", ("neuron", "class"), (4, 0), "_fc")
SPECS = {spec.key: spec for spec in (STATS, PROFILE, CONFUSION, RATE, SAMPLES, MASK, NOTHING)}


def values(epoch: int, keys: Sequence[str] = tuple(SPECS), rank: int = 0) -> dict[str, Array]:
    """Arrays that differ by epoch, rank, array and place, in the types that were declared."""
    rng = np.random.default_rng([epoch, rank])
    made = {key: rng.normal(0, 50, spec.shape).astype(spec.dtype) for key, spec in SPECS.items()}
    return {key: made[key] for key in keys}


def same(found: Array, expected: Array) -> bool:
    """Alike to the last bit, NaN included."""
    return found.dtype == expected.dtype and found.shape == expected.shape and found.tobytes() == expected.tobytes()


class StoreSuite:
    """Subclass with `store(path)` returning the store at that path: a new object, or, in memory, the same for the same path."""

    def store(self, path: Path) -> Store:
        raise NotImplementedError("return the store to test")

    def filled(self, path: Path, epochs: Sequence[int] = (0, 3, 4)) -> Store:
        store = self.store(path)
        store.create({"seed": 1})
        store.declare(tuple(SPECS.values()))
        for epoch in epochs:
            store.append(Record(epoch, values(epoch), {"loss": epoch / 7}))
        return store

    def test_where_nothing_was_written_is_no_trace(self, tmp_path: Path) -> None:
        store = self.store(tmp_path / "none")
        for ask in (
            lambda: store.header,
            lambda: store.specs,
            store.entries,
            store.reopen,
            lambda: store.read("a", [0]),
        ):
            with pytest.raises(NoTrace, match="none"):
                ask()
        assert not (tmp_path / "none").exists()

    def test_what_was_written_is_read_by_anyone_bit_for_bit(self, tmp_path: Path) -> None:
        writer = self.filled(tmp_path / "run")
        for reader in (writer, self.store(tmp_path / "run")):
            for key in SPECS:
                expected = np.stack([values(epoch)[key] for epoch in (0, 3, 4)])
                assert same(reader.read(key, (0, 3, 4)), expected), key
        writer.close()
        for key in SPECS:
            assert same(self.store(tmp_path / "run").read(key, [3]), values(3)[key][None]), key

    def test_what_is_not_a_number_stays_what_it_is(self, tmp_path: Path) -> None:
        store = self.filled(tmp_path / "run", ())
        odd = np.full(STATS.shape, np.nan, np.float32)
        odd[0], odd[1] = np.inf, -0.0
        store.append(Record(0, {STATS.key: odd}, {"a": np.nan, "b": np.inf, "c": -np.inf}))
        for _ in range(2):
            assert same(store.read(STATS.key, [0])[0], odd)
            scalars = store.entries()[0].scalars
            assert np.isnan(scalars["a"])
            assert (scalars["b"], scalars["c"]) == (np.inf, -np.inf)
            store.close()

    def test_cuts_are_those_of_numpy(self, tmp_path: Path) -> None:
        store = self.filled(tmp_path / "run", range(7))
        whole = np.stack([values(epoch)[STATS.key] for epoch in range(7)])
        cuts = [
            (),
            (slice(5, 9),),
            (slice(None, None, -4), slice(1, None)),
            (slice(30, 3, -5),),
            (slice(9, 2),),
            (slice(-3, 99),),
        ]
        for _ in range(2):
            for cut in cuts:
                assert same(store.read(STATS.key, [5, 0, 5, 6], cut), whole[[5, 0, 5, 6]][(slice(None), *cut)]), cut
            assert store.read(STATS.key, []).shape == (0, *STATS.shape)
            with pytest.raises(BadValue):
                store.read(STATS.key, [0], (slice(None),) * 3)
            store.close()

    def test_what_an_epoch_does_not_have_is_nan_or_nothing(self, tmp_path: Path) -> None:
        store = self.filled(tmp_path / "run")
        store.append(Record(9, values(9, [RATE.key])))
        for _ in range(2):
            assert store.entries()[-1].arrays == {RATE.key}
            assert np.isnan(store.read(STATS.key, [4, 9])[1]).all()
            assert not store.read(CONFUSION.key, [9]).any()
            store.close()

    def test_what_is_not_there_is_named(self, tmp_path: Path) -> None:
        store = self.filled(tmp_path / "run")
        with pytest.raises(UnknownKey, match="network/rate"):
            store.read("network/rat", [0])
        with pytest.raises(UnknownKey, match="2"):
            store.read(RATE.key, [2])

    def test_entries_tell_what_was_committed(self, tmp_path: Path) -> None:
        store = self.filled(tmp_path / "run")
        entries = store.entries()
        assert [entry.epoch for entry in entries] == [0, 3, 4]
        assert [entry.scalars for entry in entries] == [{"loss": epoch / 7} for epoch in (0, 3, 4)]
        assert all(entry.arrays == set(SPECS) and entry.damage is None for entry in entries)
        assert entries[0].time <= entries[-1].time
        store.close()
        assert store.entries() == entries

    def test_the_header_is_kept_and_amended(self, tmp_path: Path) -> None:
        store = self.filled(tmp_path / "run")
        store.amend({"seed": 2, "edges": [["a", "b"]]})
        for closed in (False, True):
            header = self.store(tmp_path / "run").header
            assert (header["seed"], header["edges"], header["closed"]) == (2, [["a", "b"]], closed)
            store.close()
        for bad in ({"closed": True}, {"run": object()}):
            with pytest.raises(BadValue):
                self.store(tmp_path / "other").create(bad)

    def test_arrays_are_declared_once(self, tmp_path: Path) -> None:
        store = self.filled(tmp_path / "run")
        store.declare([STATS])
        assert dict(store.specs) == SPECS
        for bad in (
            ArraySpec("stats", ("neuron", "stat"), (38, 3), "conv.1/a b"),
            ArraySpec("../../out", ("neuron",), (3,), "a"),
            ArraySpec("a", ("neuron",), (3, 4), "a"),
            ArraySpec("a", ("neuron",), (1 << 40,), "a"),
            ArraySpec("a", ("neuron",), (3,), "a", dtype="object"),
            ArraySpec("a", ("neuron",), (3,), "a", labels={"neuron": ("one",)}),
        ):
            with pytest.raises(BadValue):
                store.declare([bad])
        assert dict(store.specs) == SPECS

    def test_a_refused_record_leaves_nothing(self, tmp_path: Path) -> None:
        store = self.filled(tmp_path / "run")
        short = {STATS.key: np.zeros((36, 3), np.float32)}
        for bad in (
            Record(4, {}),
            Record(3, {}),
            Record(-1, {}),
            Record(5, short),
            Record(5, {"network/x": np.ones(1)}),
        ):
            with pytest.raises(BadValue):
                store.append(bad)
        assert [entry.epoch for entry in store.entries()] == [0, 3, 4]
        assert store.append(Record(5, values(5))) > 0
        assert same(store.read(STATS.key, [5])[0], values(5)[STATS.key])

    def test_it_keeps_nothing_of_the_caller_s(self, tmp_path: Path) -> None:
        store = self.filled(tmp_path / "run", ())
        given = values(0)
        store.append(Record(0, given))
        given[STATS.key][:] = 0
        assert same(store.read(STATS.key, [0])[0], values(0)[STATS.key])

    def test_there_is_one_writer(self, tmp_path: Path) -> None:
        first, second = self.filled(tmp_path / "run"), self.store(tmp_path / "run")
        with pytest.raises(TraceBusy, match="run"):
            second.create({})
        with pytest.raises(TraceBusy, match="run"):
            second.reopen()
        first.append(Record(5, values(5)))
        first.close()
        with pytest.raises(TraceExists, match="run"):
            second.create({})
        with pytest.raises(BadValue, match="run"):
            second.append(Record(6, values(6)))
        with pytest.raises(BadValue, match="run"):
            second.amend({})
        second.reopen()
        second.append(Record(6, values(6)))
        assert [entry.epoch for entry in second.entries()] == [0, 3, 4, 5, 6]

    def test_a_closed_trace_goes_on(self, tmp_path: Path) -> None:
        self.filled(tmp_path / "run").close()
        for epoch in range(5, 12):
            store = self.store(tmp_path / "run")
            store.reopen()
            assert not store.header["closed"]
            store.append(Record(epoch, values(epoch), {"loss": 1.0}))
            store.close()
            store.close()
            assert store.header["closed"]
        epochs = [0, 3, 4, *range(5, 12)]
        assert same(store.read(STATS.key, epochs), np.stack([values(epoch)[STATS.key] for epoch in epochs]))

    @given(
        st.lists(
            st.one_of(
                st.tuples(st.integers(1, 3), st.sets(st.sampled_from(list(SPECS)))),
                st.sampled_from(["close", "reopen", "wrong"]),
            ),
            max_size=30,
        ),
        st.tuples(st.slices(37), st.slices(3)),
        st.randoms(use_true_random=False),
    )
    @settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
    def test_it_is_what_memory_is(self, steps: list[Any], cut: tuple[slice, slice], random: Any) -> None:
        with tempfile.TemporaryDirectory() as folder:
            store, model = self.filled(Path(folder, "run"), ()), Memory()
            model.create({"seed": 1})
            model.declare(tuple(SPECS.values()))
            epoch = -1
            for step in steps:
                if isinstance(step, tuple):
                    epoch += step[0]
                outcomes = [_done(one, step, epoch) for one in (store, model)]
                assert outcomes[0] == outcomes[1], step
                _alike(store, model, cut, random)
            store.close()
            model.close()
            _alike(self.store(Path(folder, "run")), model, cut, random)


def _done(store: Store, step: Any, epoch: int) -> object:
    """What becomes of one step: nothing, or the kind of error."""
    try:
        if step == "close":
            store.close()
        elif step == "reopen":
            store.reopen()
        elif step == "wrong":
            store.append(Record(epoch + 1, {STATS.key: np.zeros(3)}))
        else:
            store.append(Record(epoch, values(epoch, sorted(step[1])), {"loss": float(epoch)}))
    except (BadValue, TraceBusy) as error:
        return type(error)
    return None


def _alike(store: Store, model: Store, cut: tuple[slice, slice], random: Any) -> None:
    told: list[Mapping[int, Any]] = [
        {e.epoch: (e.scalars, e.arrays, e.damage) for e in s.entries()} for s in (store, model)
    ]
    assert told[0] == told[1]
    assert store.header["closed"] == model.header["closed"]
    epochs = random.choices(list(told[1]), k=5) if told[1] else []
    for key in SPECS:
        assert same(store.read(key, epochs), model.read(key, epochs)), key
    assert same(store.read(STATS.key, epochs, cut), model.read(STATS.key, epochs, cut))
