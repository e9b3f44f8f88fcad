"""Files that were cut, flipped, lost, or made by somebody who means harm: the epoch is named and all others are read."""

import contextlib
import json
import os
import shutil
import tempfile
from pathlib import Path

import google_crc32c
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nissl.errors import DamagedTrace, NewerFormat, NisslError, NoTrace, TraceExists
from nissl.stores.disk import Disk
from tests.stores.trace_of import KEYS, PROFILE, STATS, append, begun, values

EPOCHS = range(7)  # four are sealed, three are not


@pytest.fixture(scope="module")
def pristine(tmp_path_factory):
    """A run that was killed: one block sealed, three epochs in segments."""
    path = tmp_path_factory.mktemp("pristine") / "run"
    store = begun(path, len(EPOCHS), block=4)
    while (path / "_sealing").exists() or len(list(path.glob("_hot/*"))) != 3:
        pass
    copy = path.with_name("copy")
    shutil.copytree(path, copy)
    store.close()
    return copy


@pytest.fixture
def run(pristine, tmp_path):
    shutil.copytree(pristine, tmp_path / "run")
    return tmp_path / "run"


def judged(path):
    """Which (epoch, key) cannot be read; everything else must be what was written. Never another error."""
    store, bad = Disk(path), set()
    for epoch in [entry.epoch for entry in store.entries() if entry.epoch in EPOCHS]:
        for key in KEYS:
            try:
                assert np.array_equal(store.read(key, [epoch])[0], values(epoch)[key])
            except DamagedTrace as error:
                said = str(error)
                bad.add((epoch, key))
                assert f"Epoch {epoch} of {key}" in said
    entries = {entry.epoch: entry for entry in store.entries()}
    assert all(entries[epoch].damage for epoch, _ in bad)
    return bad, entries


def flip(path, at, bit=0):
    data = bytearray(path.read_bytes())
    data[at % len(data)] ^= 1 << bit
    path.write_bytes(data)


def signed(path, content):
    """Write JSON with a checksum that is right, as somebody could who means harm."""
    body = json.dumps(content).encode()[:-1]
    path.write_bytes(body + f',"crc32c":"{google_crc32c.value(body):08x}"}}\n'.encode())


def plain(path):
    content = json.loads(path.read_bytes())
    content.pop("crc32c", None)
    return content


def test_nothing_is_harmed_to_begin_with(run):
    assert judged(run)[0] == set()


def test_a_cut_segment_is_named_before_it_is_read(run):
    segment = run / "_hot/E_00000005.r00000.safetensors"
    os.truncate(segment, segment.stat().st_size - 1)
    assert [entry.epoch for entry in Disk(run).entries() if entry.damage] == [5]
    assert judged(run)[0] == {(5, key) for key in KEYS}


def test_a_missing_segment_is_named(run):
    (run / "_hot/E_00000004.r00000.safetensors").unlink()
    assert judged(run)[0] == {(4, key) for key in KEYS}


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b"\xff\xfe", b"{}", b'{"epoch":5}', b"[" * 100_000])
def test_a_commit_that_cannot_be_read_is_named(run, content):
    (run / "_commits/00000005.json").write_bytes(content)
    bad, entries = judged(run)
    assert bad == {(5, key) for key in KEYS}
    assert "00000005.json" in entries[5].damage


def test_a_flipped_bit_harms_one_array(run):
    segment = run / "_hot/E_00000005.r00000.safetensors"
    flip(segment, segment.stat().st_size - 1)  # in the last array
    store = Disk(run)
    assert not [entry for entry in store.entries() if entry.damage]  # not known before somebody looks
    (harmed,) = judged(run)[0]
    assert harmed[0] == 5
    with pytest.raises(DamagedTrace):
        store.read(harmed[1], list(EPOCHS), (slice(1, 2),))  # a small part is checked as well
    assert [entry.epoch for entry in store.entries() if entry.damage] == [5]


def test_a_harmed_epoch_is_sealed_without_it_and_stays_named(run):
    segment = run / "_hot/E_00000005.r00000.safetensors"
    flip(segment, segment.stat().st_size - 1)
    (run / "_hot/E_00000006.r00000.safetensors").write_bytes(b"")
    before = judged(run)[0]
    for _ in range(3):  # closed, un-sealed and closed again
        store = Disk(run, block=4)
        store.reopen()
        store.close()
        assert judged(run)[0] == before
        assert [entry.epoch for entry in store.entries() if entry.damage] == [5, 6]
    assert {path.name for path in run.glob("_damaged/*")} >= {segment.name, "00000005.json"}
    store.reopen()
    append(store, 7)
    store.close()
    assert np.array_equal(store.read(STATS.key, [7])[0], values(7)[STATS.key])


def test_a_harmed_shard_harms_its_block_alone(run):
    shards = sorted(run.glob("layers/hidden_1/stats/c/0/*/*"))
    for shard in shards:
        flip(shard, 100)
    assert judged(run)[0] == {(epoch, STATS.key) for epoch in range(4)}
    shutil.rmtree(run / "layers/hidden_1/class_mean/c")
    assert judged(run)[0] == {(epoch, key) for epoch in range(4) for key in (STATS.key, PROFILE.key)}
    untouched = Disk(run).read(STATS.key, [5, 6])
    assert np.array_equal(untouched, np.stack([values(5)[STATS.key], values(6)[STATS.key]]))


def test_a_harmed_last_shard_does_not_stop_a_run_from_going_on(run):
    store = Disk(run)
    store.reopen()
    store.close()
    for shard in run.glob("layers/hidden_1/stats/c/1/*/*"):
        flip(shard, 100)
    store.reopen()
    append(store, 7)
    store.close()
    assert judged(run)[0] == {(epoch, STATS.key) for epoch in (4, 5, 6)}
    assert [path for path in run.glob("_damaged/*") if "stats" in path.name]


files = st.sampled_from(["index.json", "zarr.json", "_commits/*", "_hot/*", "layers/*/*/c/**/*", "network/*/c/**/*"])


@given(files, st.integers(0, 1 << 30), st.integers(0, 1 << 30), st.one_of(st.none(), st.integers(0, 7)))
@settings(max_examples=30, suppress_health_check=list(HealthCheck))
def test_whatever_is_cut_or_flipped_no_wrong_number_is_read(pristine, kind, which, at, bit):
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder, "run")
        shutil.copytree(pristine, run)
        found = sorted(path for path in run.glob(kind) if path.is_file())
        path = found[which % len(found)]
        if bit is None:
            os.truncate(path, at % path.stat().st_size)
        else:
            flip(path, at, bit)
        try:
            bad, entries = judged(run)
        except NisslError:
            assert kind == "index.json"
            return
        assert set(entries) == set(EPOCHS)
        assert len({epoch for epoch, _ in bad}) <= (4 if "c/**" in kind else 1)
        store = Disk(run)
        try:
            store.reopen()
        except NisslError:
            assert kind == "zarr.json"
            return
        store.close()
        assert judged(run)[0] == bad


junk = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@given(st.data())
@settings(max_examples=30, suppress_health_check=list(HealthCheck))
def test_json_of_any_kind_is_refused_or_read(pristine, data):
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder, "run")
        shutil.copytree(pristine, run)
        path = run / data.draw(st.sampled_from(["index.json", "_commits/00000005.json"]))
        content = plain(path)
        member = data.draw(st.sampled_from(sorted(content)))
        place = content
        if member == "arrays" and path.name == "index.json" and data.draw(st.booleans()):
            place = content["arrays"][0]
            member = data.draw(st.sampled_from(sorted(place)))
        place[member] = data.draw(junk)
        signed(path, content)
        store = Disk(run)
        for ask in (
            lambda: store.header,
            store.entries,
            lambda: store.read(KEYS[0], [5, 1]),
            store.reopen,
            store.close,
        ):
            with contextlib.suppress(NisslError):
                ask()


def test_names_that_lead_out_are_refused(run, tmp_path):
    before = {path for path in tmp_path.rglob("*") if run not in path.parents}
    names = [{"name": name} for name in ("../../../out", "/tmp/out", "zarr.json")]
    for change in (*names, {"layer": "../../out"}, {"layer": ""}):
        content = plain(run / "index.json")
        content["arrays"][0] |= change
        signed(run / "index.json", content)
        store = Disk(run)
        with contextlib.suppress(DamagedTrace):
            store.reopen()
        store.close()
        assert {path for path in tmp_path.rglob("*") if run not in path.parents} == before


def test_links_that_lead_out_are_not_written_through(run, tmp_path):
    shutil.move(run / "_hot", tmp_path / "elsewhere")
    (run / "_hot").symlink_to(tmp_path / "elsewhere")
    there = sorted((tmp_path / "elsewhere").iterdir())
    assert judged(run)[0] == set()
    with pytest.raises(DamagedTrace, match="link"):
        Disk(run).reopen()
    assert sorted((tmp_path / "elsewhere").iterdir()) == there


@pytest.mark.parametrize("length", [0, 7, 1 << 62, (1 << 64) - 1])
def test_a_header_of_impossible_length_is_refused(run, length):
    segment = run / "_hot/E_00000005.r00000.safetensors"
    data = segment.read_bytes()
    segment.write_bytes(length.to_bytes(8, "little") + data[8:])
    assert judged(run)[0] == {(5, key) for key in KEYS}


def test_a_size_beyond_all_measure_is_refused(run):
    content = plain(run / "index.json")
    content["arrays"][0]["shape"] = [1 << 40, 4]
    signed(run / "index.json", content)
    with pytest.raises(DamagedTrace, match=r"index\.json"):
        Disk(run).entries()


@pytest.mark.parametrize("name", ["index.json", "zarr.json"])
def test_a_newer_format_is_named(run, name):
    content = plain(run / name)
    (content if name == "index.json" else content["attributes"]["nissl"])["format"] = "2.3"
    signed(run / name, content)
    store = Disk(run)
    for ask in (lambda: store.header, store.reopen):
        with pytest.raises(NewerFormat, match=r"2\.3.*1\.0"):
            ask()


def test_a_newer_minor_format_is_read(run):
    content = plain(run / "index.json") | {"format": "1.7", "a_new_member": 1}
    signed(run / "index.json", content)
    assert judged(run)[0] == set()


def test_a_run_without_its_header_is_damaged_not_gone(run):
    (run / "zarr.json").unlink()
    with pytest.raises(DamagedTrace, match=r"zarr\.json is missing"):
        _ = Disk(run).header
    assert judged(run)[0] == set()
    with pytest.raises(TraceExists):
        Disk(run).create({})


def test_a_file_instead_of_a_folder_is_no_trace(tmp_path):
    (tmp_path / "file").write_text("hello")
    with pytest.raises(NoTrace):
        Disk(tmp_path / "file").entries()


def test_a_segment_of_another_run_is_refused(run, tmp_path):
    other = begun(tmp_path / "other", 6)
    shutil.copy(tmp_path / "other/_hot/E_00000005.r00000.safetensors", run / "_hot")
    other.close()
    assert {epoch for epoch, _ in judged(run)[0]} == {5}
