"""What the disk does besides being a store: locks, ranks, full disks, live readers."""

import multiprocessing
import os
import resource
import shutil
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from nissl.errors import BadValue, NisslWarning, TraceBusy, TraceExists
from nissl.stores._format import background
from nissl.stores.disk import Disk
from tests.stores.trace_of import KEYS, append, begun, until, values, whole

ROOT = Path(__file__).parents[2]
WRITER = """
import sys, time
from tests.stores.trace_of import append, begun
store = begun(sys.argv[1], block=int(sys.argv[2]))
for epoch in range(int(sys.argv[3])):
    append(store, epoch)
    print(epoch, flush=True)
sys.argv[4:] and time.sleep(60)
store.close()
"""


def writer(path, block, epochs, *linger):
    command = [sys.executable, "-c", WRITER, str(path), str(block), str(epochs), *linger]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)


def sealed(path):
    return len(Disk(path)._reader.index.rows)


def test_a_seal_happens_behind_the_caller_s_back(run_path):
    store = begun(run_path, block=4)
    me = threading.get_ident()
    for epoch in range(11):
        append(store, epoch)
        assert threading.get_ident() == me
        whole(store, range(epoch + 1))
    until(lambda: sealed(run_path) == 8)
    until(lambda: not (run_path / "_sealing").exists())
    assert len(list(run_path.glob("_hot/*"))) == len(list(run_path.glob("_commits/*"))) == 3
    whole(Disk(run_path), range(11))
    store.close()
    whole(Disk(run_path), range(11))
    assert not [path.name for path in run_path.iterdir() if path.name in {"_hot", "_commits", "_sealing"}]


def test_what_a_killed_writer_committed_is_there_and_its_lock_is_free(run_path):
    process = writer(run_path, 20, 7, "linger")
    assert [int(process.stdout.readline()) for _ in range(7)] == list(range(7))
    with pytest.raises(TraceBusy, match=rf"process {process.pid} on {os.uname().nodename}"):
        Disk(run_path).reopen()
    process.kill()
    process.wait()
    process.stdout.close()
    store = Disk(run_path)
    store.reopen()
    append(store, 7)
    assert whole(store, range(8))
    store.close()


def test_a_forked_child_neither_writes_nor_keeps_the_lock(run_path):
    store = begun(run_path, 2)
    child = multiprocessing.get_context("fork").Process(target=_write_and_stay, args=(store, run_path))
    child.start()
    until((run_path.parent / "refused").exists)
    store.close()
    again = Disk(run_path)
    again.reopen()  # though the child lives on
    child.terminate()
    child.join()
    assert (run_path.parent / "refused").read_text() == "BadValue"
    assert whole(again, range(2))
    again.close()


def _write_and_stay(store, path):
    try:
        append(store, 2)
    except BadValue as error:
        (path.parent / "refused").write_text(type(error).__name__)
    time.sleep(60)


def test_a_reader_in_another_process_sees_whole_epochs_only(run_path):
    process, follower, seen = writer(run_path, 3, 60), Disk(run_path), 0
    until((run_path / "index.json").exists)
    polls = 0
    while process.poll() is None or seen < 60:
        entries = follower.entries()
        assert [entry.epoch for entry in entries] == list(range(len(entries)))
        assert len(entries) >= seen
        assert all(entry.damage is None for entry in entries)
        for epoch in {*range(seen, len(entries)), *range(0, len(entries), 7)}:
            assert all(np.array_equal(follower.read(key, [epoch])[0], values(epoch)[key]) for key in KEYS)
        seen, polls = len(entries), polls + 1
        assert polls < 100_000
    process.stdout.close()
    assert process.wait() == 0
    assert whole(follower, range(60))
    assert follower.header["closed"]


def test_a_follower_survives_that_the_run_is_taken_up_again(run_path):
    begun(run_path, 10, block=4).close()
    follower = Disk(run_path)
    for epoch in range(10, 16):
        store = Disk(run_path, block=4)
        store.reopen()
        assert whole(follower, range(epoch))
        append(store, epoch)
        assert whole(follower, range(epoch + 1))
        store.close()
        assert whole(follower, range(epoch + 1))


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 2 MB, where we may have one."""
    place = tmp_path / "small"
    place.mkdir()
    if (
        os.geteuid()
        or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", place], check=False).returncode
    ):
        pytest.skip("making a small file system takes root")
    yield place
    subprocess.run(["umount", place], check=True)


@pytest.mark.filterwarnings("default::nissl.errors.NisslWarning")
def test_a_full_disk_refuses_an_epoch_and_takes_the_next(small_disk, monkeypatch):
    monkeypatch.setattr(background, "PAUSE", 0.0)
    path = small_disk / "run"
    store = begun(path, 3, block=4)
    ballast = small_disk / "ballast"
    with pytest.raises(OSError), ballast.open("wb") as file:  # noqa: PT011 - whatever the system says
        while True:
            file.write(bytes(10_000))
            file.flush()
    for epoch in (3, 3, 4):
        with pytest.raises(OSError, match="space"):
            append(store, epoch)
        assert whole(store, range(3))
    ballast.unlink()
    for epoch in range(3, 9):
        append(store, epoch)
    assert whole(Disk(path), range(9))
    store.close()
    assert whole(Disk(path), range(9))


def test_a_seal_that_fails_is_a_warning_and_tried_again(small_disk, monkeypatch):
    monkeypatch.setattr(background, "PAUSE", 0.0)
    store = begun(small_disk / "run", 3, block=4)
    ballast = small_disk / "ballast"
    free = os.statvfs(small_disk).f_bavail * os.statvfs(small_disk).f_frsize
    ballast.write_bytes(bytes(free - 40_000))  # room for an epoch, not for a shard
    with pytest.warns(NisslWarning, match="could not be sealed.*space"):
        append(store, 3)
        until(lambda: not (small_disk / "run" / "_sealing").exists() or sealed(small_disk / "run") == 0, 1)
        time.sleep(0.3)
    assert sealed(small_disk / "run") == 0
    assert whole(store, range(4))
    ballast.unlink()
    append(store, 4)
    until(lambda: sealed(small_disk / "run") == 4)
    assert whole(store, range(5))
    store.close()


def test_a_file_that_may_not_grow_is_an_os_error(run_path):
    store = begun(run_path, 1)
    before, ignored = resource.getrlimit(resource.RLIMIT_FSIZE), signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2000, before[1]))
    try:
        with pytest.raises(OSError, match="large"):
            append(store, 1)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)
    assert whole(store, [0])
    append(store, 1)
    store.close()
    assert whole(store, range(2))


def test_a_place_that_may_only_be_read_is_read(tmp_path):
    place = tmp_path / "mount"
    store = begun(tmp_path / "live", 5, block=4)
    until(lambda: len(list(tmp_path.glob("live/_hot/*"))) == 1)
    shutil.copytree(tmp_path / "live", place / "run")  # one block sealed, one epoch not
    store.close()
    if os.geteuid():
        for folder, _, _ in os.walk(place):
            Path(folder).chmod(0o555)
    else:
        subprocess.run(["mount", "--bind", place, place], check=True)
        subprocess.run(["mount", "-o", "remount,ro,bind", place], check=True)
    try:
        assert whole(Disk(place / "run"), range(5))
        with pytest.raises(OSError, match=r"[Rr]ead-only|denied"):
            Disk(place / "run2").create({})
    finally:
        if os.geteuid():
            for folder, _, _ in os.walk(place):
                Path(folder).chmod(0o755)
        else:
            subprocess.run(["umount", place], check=True)


@pytest.fixture
def restless():
    """Threads take turns far more often than usual, so that what can come between does."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(usual)


@pytest.mark.parametrize("turn", range(3))
def test_threads_may_share_a_reader_while_epochs_are_sealed(run_path, restless, turn):
    store, reader, done = begun(run_path, 1, block=2), Disk(run_path), threading.Event()

    def look(_):
        while not done.is_set():
            found = [entry.epoch for entry in reader.entries()]
            assert found == list(range(len(found)))

    with ThreadPoolExecutor(4) as pool:
        looking = [pool.submit(look, number) for number in range(4)]
        for epoch in range(1, 30):
            append(store, epoch)
        store.close()
        done.set()
    for one in looking:
        one.result()


@pytest.mark.filterwarnings("ignore::nissl.errors.NisslWarning")
def test_a_folder_that_vanishes_is_not_made_again(run_path):
    store = begun(run_path, 3)
    run_path.rename(run_path.with_name("moved"))
    for epoch in (3, 4):
        with pytest.raises(FileNotFoundError):
            append(store, epoch)
    assert not run_path.exists()
    run_path.with_name("moved").rename(run_path)
    append(store, 5)
    assert whole(store, [0, 1, 2, 5])
    store.close()


def test_a_foreign_zarr_group_is_left_alone(run_path):
    run_path.mkdir()
    (run_path / "zarr.json").write_text("{}")
    with pytest.raises(TraceExists, match="no trace"):
        Disk(run_path).create({})
    assert [path.name for path in run_path.iterdir()] == ["zarr.json"]


def test_bad_choices_are_refused_at_once(run_path):
    for bad in ({"durability": "none"}, {"block": 0}):
        with pytest.raises(BadValue):
            Disk(run_path, **bad)
