"""A run in an object store, on a real server: who may write when several want to, who dies, who reads meanwhile."""

import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from obstore.store import from_url

from nissl.core.store import Record
from nissl.errors import NisslWarning, TraceBusy
from nissl.stores._format import bucket
from nissl.stores._format.bucket import Bucket
from nissl.stores.objects import Objects
from nissl.testing.ranks import COUNTS, NARROW, STATS, holds, part, until
from tests.stores import trace_of
from tests.stores.s3 import server
from tests.stores.trace_of import KEYS, SPECS, append, values, whole

ROOT = Path(__file__).parents[2]
RACER = """
import sys
from nissl.stores._format.bucket import Bucket
place, me = Bucket(sys.argv[1], 60.0), sys.argv[2]
print("ready", flush=True)
for line in sys.stdin:  # one line a key, to all of us at once
    try:
        place.write(place.commit(int(line)), [me.encode()], new=True)
        print("won", flush=True)
    except FileExistsError:
        print("lost", flush=True)
"""
WRITER = """
import sys, time
from nissl.stores.objects import Objects
from tests.stores.s3 import server
from tests.stores.trace_of import SPECS, append
store = Objects(sys.argv[1], block=3, lease=2.0)
store.create({})
store.declare(SPECS)
for epoch in range(int(sys.argv[2])):
    append(store, epoch)
    print(epoch, flush=True)
sys.argv[3:] and time.sleep(60)
store.close()
"""
ASKED = """
import sys
from nissl.stores.objects import Objects
from tests.stores.trace_of import SPECS, append
store = Objects(sys.argv[1], lease=2.0)
store.create({})
store.declare(SPECS)
print("ready", flush=True)
for epoch, _ in enumerate(sys.stdin):
    try:
        append(store, epoch)
        print("done", flush=True)
    except BlockingIOError as error:
        print(error, flush=True)
"""
RANK = """
import sys
from nissl.stores.objects import Objects
from nissl.testing.ranks import COUNTS, NARROW, STATS, part
store = Objects(sys.argv[1], block=3)
store.join(sys.argv[2], int(sys.argv[3]))
store.declare([STATS, NARROW, COUNTS])
for epoch in range(5):
    store.append(part(epoch, int(sys.argv[3])))
store.close()
"""


@pytest.fixture
def started():
    """Start a Python of ours; whatever still runs at the end is ended."""
    running = []

    def start(program, *arguments):
        command = [sys.executable, "-c", program, *map(str, arguments)]
        running.append(subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True))
        return running[-1]

    yield start
    for process in running:
        process.kill()
        process.communicate()


def begun(address, epochs=0, **options):
    return trace_of.begun(address, epochs, Objects, **options)


def test_of_four_processes_that_write_one_commit_just_one_does(address, started):
    racers, rounds, winners = [started(RACER, address, name) for name in range(4)], 100, Counter()
    assert {racer.stdout.readline() for racer in racers} == {"ready\n"}
    for key in range(rounds):
        for racer in racers[key % 4 :] + racers[: key % 4]:
            racer.stdin.write(f"{key}\n")
            racer.stdin.flush()
        told = [racer.stdout.readline().strip() for racer in racers]
        assert Counter(told) == {"won": 1, "lost": 3}
        winner = told.index("won")
        winners[winner] += 1
        assert Bucket(address, 60.0).read(f"_commits/{key:08d}.json") == str(winner).encode()
    assert len(winners) == 4, winners
    assert min(winners.values()) >= rounds // 20, winners  # they did contend: nobody always comes first


def test_who_took_over_writes_on_and_the_other_stops(address, started):
    first = started(ASKED, address)
    assert first.stdout.readline() == "ready\n"
    for _ in range(2):
        assert asked(first) == "done"
    first.send_signal(signal.SIGSTOP)  # it sleeps, and its lease is not renewed
    second = Objects(address)
    until(lambda: reopened(second))
    append(second, 2)
    first.send_signal(signal.SIGCONT)
    assert re.fullmatch(rf".*process {os.getpid()} on .* has taken over this trace.*", asked(first))
    append(second, 3)
    second.close()
    assert whole(second, range(4))


def asked(process):
    """Have it append its next epoch; what became of that."""
    process.stdin.write("\n")
    process.stdin.flush()
    return process.stdout.readline().strip()


def reopened(store):
    try:
        store.reopen()
    except TraceBusy:
        return False
    return True


@pytest.mark.parametrize("name", ["_hot/E_00000001.r00000.safetensors", "_commits/00000001.json"])
def test_what_somebody_else_has_written_of_an_epoch_stays(address, name):
    import obstore

    first = begun(address, 1)
    kept = from_url(address, client_options={"allow_http": True})
    obstore.put(kept, name, b"theirs")
    with pytest.raises(TraceBusy, match="another process has written epoch 1"):
        append(first, 1)
    assert bytes(obstore.get(kept, name).bytes()) == b"theirs"


def test_an_index_that_somebody_else_has_replaced_is_not_overwritten(address):
    import obstore

    first = begun(address, 1)
    kept = from_url(address, client_options={"allow_http": True})
    obstore.put(kept, "index.json", b"theirs")
    with pytest.raises(TraceBusy, match="gone on with this trace"):
        first.close()
    assert bytes(obstore.get(kept, "index.json").bytes()) == b"theirs"


def test_what_a_killed_writer_committed_is_there_and_its_claim_ends(address, started):
    process = started(WRITER, address, 7, "linger")
    assert [int(process.stdout.readline()) for _ in range(7)] == list(range(7))
    time.sleep(2.5)  # more than a lease: it is renewed as long as its holder lives
    with pytest.raises(TraceBusy, match=rf"process {process.pid} on {os.uname().nodename}.*ends in [123] s"):
        Objects(address).reopen()
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    store = Objects(address)
    assert whole(store, range(7))
    until(lambda: reopened(store))
    append(store, 7)
    assert whole(store, range(8))
    store.close()
    assert whole(Objects(address), range(8))


def test_a_reader_in_another_process_sees_whole_epochs_only(address, started):
    process, follower, seen = started(WRITER, address, 20), Objects(address), 0
    until(lambda: follower._place.exists("index.json"))
    while process.poll() is None or seen < 20:
        entries = follower.entries()
        assert [entry.epoch for entry in entries] == list(range(len(entries)))
        assert len(entries) >= seen
        for epoch in range(seen, len(entries)):
            assert all(np.array_equal(follower.read(key, [epoch])[0], values(epoch)[key]) for key in KEYS)
        seen = len(entries)
    assert process.wait() == 0
    assert follower.header["closed"]
    assert whole(follower, range(20))


def test_ranks_in_processes_of_their_own(address, started):
    store = Objects(address, block=3)
    store.create({})
    store.declare([STATS, NARROW, COUNTS])
    others = [started(RANK, address, store.header["run_id"], rank) for rank in (1, 2)]
    for epoch in range(5):
        store.append(part(epoch, 0))
    store.close()
    for epoch in range(5):
        holds(Objects(address), epoch)
    for other in others:
        other.communicate(timeout=60)
        assert other.returncode == 0


def test_a_store_that_cannot_be_reached_refuses_an_epoch_and_takes_the_next(monkeypatch):
    monkeypatch.setattr(bucket, "RETRIES", {"max_retries": 0})
    with server() as halted:
        store = begun("s3://traces/run", 2)
        with halted.overloaded(), pytest.raises(OSError, match=r"s3://traces/run/_hot/E_00000002"):
            append(store, 2)
        append(store, 2)
        assert whole(store, range(3))
        store.close()


def test_a_commit_whose_answer_was_lost_is_ours(monkeypatch):
    monkeypatch.setattr(bucket, "RETRIES", {"max_retries": 0})
    with server() as halted:
        store = begun("s3://traces/run", 1)
        first = store.entries()
        with halted.forgetful(), pytest.raises(OSError, match="503"):
            append(store, 1)
        assert whole(store, range(2))  # it is there, though we cannot know
        append(store, 1)
        assert whole(store, range(2))
        other = Objects("s3://traces/run")
        other.join(store.header["run_id"], 1)
        other.declare(SPECS)
        with halted.forgetful(), pytest.warns(NisslWarning, match="could not be committed"):
            other.append(Record(2, values(2), {}, 1, 2))
            store.append(Record(2, values(2), {}, 0, 2))
            time.sleep(0.5)
        other.close()
        store.close()
        assert [(entry.epoch, entry.missing) for entry in store.entries()] == [(0, ()), (1, ()), (2, ())]
        assert store.entries()[0] == first[0]
