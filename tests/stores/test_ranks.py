"""Several ranks and one trace: whoever is killed, what the others saw is kept, and the trace says who is missing."""

import errno
import subprocess
import sys
import time
from pathlib import Path

import pytest

from nissl.errors import NisslWarning
from nissl.stores._format import background
from nissl.stores.disk import Disk
from nissl.stores.objects import Objects
from nissl.testing.ranks import COUNTS, NARROW, STATS, RanksSuite, holds, part, until

ROOT = Path(__file__).parents[2]
RANK = """
import sys, time
from nissl.stores.disk import Disk
from nissl.stores.objects import Objects
from nissl.testing.ranks import COUNTS, NARROW, STATS, part
path, rank, epochs, linger = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4:]
store = Disk(path, block=3, patience=600)
if rank == 0:
    store.create({})
else:
    while True:
        try:
            store.join(store.header["run_id"], rank)
            break
        except FileNotFoundError:
            time.sleep(0.02)
store.declare([STATS, NARROW, COUNTS])
for epoch in range(epochs):
    store.append(part(epoch, rank))
    print(epoch, flush=True)
linger and time.sleep(60)
store.close()
"""


class TestDisk(RanksSuite):
    def store(self, path, **options):
        return Disk(path, **options)


@pytest.mark.usefixtures("s3")
class TestObjects(RanksSuite):
    def store(self, path, **options):
        return Objects(f"s3://traces{path}", **options)


def rank(path, number, epochs, *linger):
    command = [sys.executable, "-c", RANK, str(path), str(number), str(epochs), *linger]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)


def ends(*processes):
    for process in processes:
        process.communicate(timeout=60)
        assert process.returncode == 0


def dies(process, epochs):
    """Kill it when it has done these epochs."""
    for epoch in range(epochs):
        assert int(process.stdout.readline()) == epoch
    process.kill()
    process.wait()
    process.stdout.close()


def test_three_processes_write_one_trace(run_path):
    ends(*[rank(run_path, number, 7) for number in (1, 0, 2)])
    store = Disk(run_path)
    assert [entry.epoch for entry in store.entries()] == list(range(7))
    for epoch in range(7):
        holds(store, epoch)
    assert not [path.name for path in run_path.iterdir() if path.name in {"_hot", "_commits", "_ranks"}]


def test_the_epochs_of_the_others_outlive_a_rank_that_is_killed(run_path):
    store = Disk(run_path, patience=2.0, block=2)
    store.create({})
    store.declare([STATS, NARROW, COUNTS])
    other, killed = rank(run_path, 1, 5), rank(run_path, 2, 3, "linger")
    dies(killed, 3)
    for epoch in range(5):
        store.append(part(epoch, 0))
    ends(other)
    store.close()
    for epoch in range(5):
        holds(store, epoch, range(3) if epoch < 3 else range(2))


def test_a_rank_that_comes_back_is_waited_for_again(run_path):
    store = Disk(run_path, patience=60.0)
    store.create({})
    store.declare([STATS, NARROW, COUNTS])
    ends(rank(run_path, 1, 1), rank(run_path, 2, 2))  # both have closed when they end
    again = Disk(run_path)
    again.join(store.header["run_id"], 1)
    again.declare([STATS, NARROW, COUNTS])
    for epoch in range(2):
        store.append(part(epoch, 0))
    until(lambda: len(store.entries()) == 1)
    time.sleep(0.2)
    assert len(store.entries()) == 1
    again.append(part(1, 1))
    store.close()
    for epoch in range(2):
        holds(store, epoch)


def test_rank_0_is_killed_between_the_parts(run_path):
    first, second, third = (
        rank(run_path, 0, 4, "linger"),
        rank(run_path, 1, 4, "linger"),
        rank(run_path, 2, 2, "linger"),
    )
    dies(third, 2)
    dies(second, 4)
    until((run_path / "_hot/E_00000003.r00000.safetensors").exists)
    until(lambda: len(Disk(run_path).entries()) == 2)
    dies(first, 4)
    store = Disk(run_path, block=3)
    store.reopen()
    assert [entry.epoch for entry in store.entries()] == [0, 1]
    assert len(list(run_path.glob("_hot/*"))) == 6  # of an epoch without a commit nothing is left
    for epoch in (2, 3):
        for number in (1, 2):
            other = Disk(run_path)
            other.join(store.header["run_id"], number)
            other.declare([STATS, NARROW, COUNTS])
            other.append(part(epoch, number))
        store.append(part(epoch, 0))
    store.close()
    for epoch in range(4):
        holds(store, epoch)


def test_a_commit_that_is_refused_is_tried_again(run_path, monkeypatch):
    monkeypatch.setattr(background, "PAUSE", 0.0)
    store = Disk(run_path)
    store.create({})
    store.declare([STATS, NARROW, COUNTS])
    other = Disk(run_path)
    other.join(store.header["run_id"], 1)
    other.declare([STATS, NARROW, COUNTS])
    (run_path / "_commits").rename(run_path / "away")
    (run_path / "_commits").write_text("")  # a file where the folder was: nothing can be committed
    with pytest.warns(NisslWarning, match="could not be committed"):
        assert store.append(part(0, 0, 2)) > 0
        assert other.append(part(0, 1, 2)) > 0
        time.sleep(0.5)
    (run_path / "_commits").unlink()
    (run_path / "away").rename(run_path / "_commits")
    until(lambda: len(store.entries()) == 1)
    store.close()
    assert store.entries()[0].missing == ()


def test_a_part_of_rank_0_that_is_refused_leaves_nothing(run_path):
    store = Disk(run_path)
    store.create({})
    store.declare([STATS, NARROW, COUNTS])
    (run_path / "_hot").rename(run_path / "away")
    with pytest.raises(OSError) as refused:  # noqa: PT011
        store.append(part(0, 0, 2))
    assert refused.value.errno == errno.ENOENT
    (run_path / "away").rename(run_path / "_hot")
    store.append(part(0, 0, 2))
    store.close(wait=False)
    assert [(entry.epoch, entry.missing) for entry in store.entries()] == [(0, (1,))]
