"""The page's server: who is answered, what is handed out, what is not."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request

import pytest

import nissl
from nissl.apps.server import prepared, view
from nissl.core.store import ArraySpec, Record
from nissl.core.trace import Trace
from nissl.errors import BadValue
from nissl.stores.disk import Disk
from nissl.testing.specimens import specimen
from tests.apps import terminal
from tests.apps.answering import Server, serving


@pytest.fixture(scope="module")
def server(run):
    with serving(run) as found:
        yield found


def test_the_page_and_all_that_it_needs_are_there(server):
    page = server.get("")
    assert page.status == 200
    assert page.headers["content-type"].startswith("text/html")
    needed = re.findall(r'(?:src|href)="([^"]+)"', page.body.decode())
    local = [name for name in needed if not name.startswith("data:")]
    assert {"app.js", "app.css", "fonts.css"} <= set(local)
    for name in (*local, "inter.woff2", "jetbrains-mono.woff2", "licences.txt"):
        assert server.get(name).status == 200, name
    assert server.get("app.js").headers["content-type"].startswith("text/javascript")
    assert server.get("").headers["cache-control"] == "no-store"


def test_what_the_page_reads_is_the_trace(server, run):
    index = server.get("data/index.json").said
    trace = nissl.open(run)
    assert index["epochs"] == trace.epochs
    assert index["classes"] == list(trace.classes)
    assert [one["name"] for one in index["layers"]] == ["hidden_1"]
    assert server.get(f"data/cells/{trace.epochs[0]}.bin?v=1").body[:2] == b"\x1f\x8b"


@pytest.mark.parametrize(("path", "words"), [
    ("data/cells/77.bin", "Epoch 77 is not in the trace"),
    ("data/paths/1.causal.bin", "No structures were recorded"),
    ("data/nothing", "The page has no file"),
    ("data/cells/-1.bin", "The page has no file"),
    ("data/cells/99999999999999999999999.bin", "The page has no file"),
])  # fmt: skip
def test_what_is_not_there_is_refused_in_words(server, path, words):
    found = server.get(path)
    assert found.status == 404
    assert words in found.said["error"]


@pytest.mark.parametrize(
    "host",
    ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example:80", "", "127.0.0.2", "[::2]", "a@localhost"],
)
def test_another_hosts_name_is_refused(server, host):
    """A page elsewhere can point its own name at this machine; its requests carry that name."""
    found = server.get("data/index.json", Host=host)
    assert found.status in (400, 403)
    assert b"epochs" not in found.body


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:1", "127.0.0.1", "[::1]:8000"])
def test_this_machines_names_are_fine_on_any_port(server, host):
    assert server.get("data/index.json", Host=host).status == 200


def test_without_the_key_nothing_is_told(server):
    wrong = [
        "/",
        "/data/index.json",
        "/x/",
        f"/{server.key[:-1]}/",
        f"/{server.key}x/data/index.json",
        f"//{server.key}/",
        "/%00/",
    ]
    for path in wrong:
        found = server.get(path, bare=True)
        assert found.status == 403, path
        assert b"lacks its key" in found.body
    assert len(server.key) >= 24


def test_keys_differ_from_run_to_run(run):
    addresses = []
    for _ in range(2):
        _, held, address, _ = prepared(run)
        held.close()
        addresses.append(address)
    assert addresses[0].split("/")[3] != addresses[1].split("/")[3]


@pytest.mark.parametrize("path", [
    "../index.json", "../../../../etc/passwd", "%2e%2e/%2e%2e/etc/passwd", "..%2f..%2fetc%2fpasswd", "/etc/passwd", "%2fetc%2fpasswd",
    "..\\..\\x", "layers/../../x", "link/passwd", "%00", "a%00b", "", ".", "layers", "C:/Windows/win.ini", "x" * 5000,
])  # fmt: skip
def test_no_path_leads_out_of_the_run(server, run, path):
    link = run / "link"
    if not link.exists():
        link.symlink_to("/etc", target_is_directory=True)
    for root in ("run/", "data/", ""):
        if path not in ("", ".") or root == "run/":
            found = server.get(root + path)
            assert found.status in (400, 403, 404), (root, path)
            assert b"root:" not in found.body


def test_the_traces_own_files_may_be_read_whole_or_by_range(server, run):
    whole = (run / "index.json").read_bytes()
    found = server.get("run/index.json")
    assert (found.status, found.body) == (200, whole)
    assert found.headers["accept-ranges"] == "bytes"
    part = server.get("run/index.json", Range="bytes=2-9")
    assert (part.status, part.body) == (206, whole[2:10])
    assert part.headers["content-range"] == f"bytes 2-9/{len(whole)}"
    assert server.get("run/index.json", Range="bytes=-5").body == whole[-5:]
    assert server.get("run/index.json", Range=f"bytes={len(whole)}-").status == 416


def test_nobody_elsewhere_may_read_or_frame_it(server):
    for path in ("", "data/index.json", "run/index.json", "nothing"):
        found = server.get(path, Origin="https://evil.example").headers
        assert "access-control-allow-origin" not in found
        assert found["x-content-type-options"] == "nosniff"
        assert found["cross-origin-resource-policy"] == "same-origin"
        assert found["referrer-policy"] == "no-referrer"
        policy = dict(part.split(" ", 1) for part in found["content-security-policy"].split("; "))
        assert policy["default-src"] == "'none'"
        assert policy["script-src"] == policy["connect-src"] == "'self'"
        assert policy["frame-ancestors"] == "'none'"


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
def test_it_is_only_read(server, method):
    assert server.get("data/index.json", method=method).status == 405


def test_only_this_machine_can_reach_it(run):
    _, held, address, _ = prepared(run)
    try:
        assert held.getsockname()[0] == "127.0.0.1"
        assert address.startswith(f"http://127.0.0.1:{held.getsockname()[1]}/")
    finally:
        held.close()


def test_a_port_that_is_taken_is_named(run):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(BadValue, match=f"port={port} cannot be had"):
            prepared(run, port)
    with pytest.raises(BadValue, match="up to 65535"):
        view(run, port=70000, browser=False)


def test_a_growing_trace_is_served_as_it_grows(tmp_path):
    spec = ArraySpec("probe_class_mean", ("neuron", "class"), (3, 2), layer="hidden", labels={"class": ("a", "b")})
    store = Disk(tmp_path / "live")
    store.create({"classes": ["a", "b"]})
    store.declare([spec])
    with serving(tmp_path / "live") as server:
        assert server.get("data/index.json").said["epochs"] == []
        for epoch in range(3):
            store.append(Record(epoch, {spec.key: [[epoch + 1.0, 0.0]] * 3}, {"loss": 1.0}))
            index = server.get("data/index.json").said
            assert index["epochs"] == list(range(epoch + 1))
            assert index["closed"] is False
            assert server.get(f"data/cells/{epoch}.bin").status == 200
        before = server.get("data/cells/0.bin").body
        store.append(Record(3, {spec.key: [[40.0, 0.0]] * 3}, {"loss": 1.0}))
        assert server.get("data/index.json").said["epochs"][-1] == 3
        assert server.get("data/cells/0.bin").body != before, "what counts as full has changed"
        store.close()
        assert server.get("data/index.json").said["closed"] is True


def growing(path):
    """A trace that is being recorded, and how to add an epoch."""
    spec = ArraySpec("probe_class_mean", ("neuron", "class"), (3, 2), layer="hidden", labels={"class": ("a", "b")})
    store = Disk(path)
    store.create({"classes": ["a", "b"]})
    store.declare([spec])
    return store, lambda epoch: store.append(Record(epoch, {spec.key: [[1.0, 0.0]] * 3}, {"loss": 1.0}))


def listening(server):
    """A line of the stream at a time."""
    stream = urllib.request.urlopen(f"{server.address}live", timeout=10)
    assert stream.headers["content-type"].startswith("text/event-stream")
    lines = (line.decode().strip() for line in stream)
    return stream, (json.loads(line.removeprefix("data: ")) for line in lines if line.startswith("data: "))


def test_a_growing_trace_tells_by_itself(tmp_path):
    store, grow = growing(tmp_path / "live")
    with serving(tmp_path / "live") as server:
        assert server.get("data/index.json").said["live"] is True
        stream, told = listening(server)
        with stream:
            assert next(told) == {"epochs": 0, "last": None, "closed": False}
            for epoch in (3, 4):
                grow(epoch)
                began = time.monotonic()
                assert next(told) == {"epochs": epoch - 2, "last": epoch, "closed": False}
                assert time.monotonic() - began < 2
            store.close()
            assert next(told) == {"epochs": 2, "last": 4, "closed": True}
            assert next(told, None) is None, "there is nothing more to tell"
        assert server.get("data/index.json").said["live"] is False
        assert server.get(f"/{server.key}x/live", bare=True).status == 403


def test_whoever_leaves_is_no_longer_told_and_nobody_holds_up_the_end(tmp_path):
    store, _ = growing(tmp_path / "live")
    server, held, address, _ = prepared(tmp_path / "live")
    live = server.config.app.state.live
    thread = threading.Thread(target=server.run, kwargs={"sockets": [held]}, daemon=True)
    thread.start()
    streams = [listening(Server(address)) for _ in range(12)]
    assert all(next(told) for _, told in streams)
    assert live.listening == 12
    for stream, _ in streams[:10]:
        stream.close()
    end = time.monotonic() + 5
    while live.listening > 2:
        assert time.monotonic() < end, live.listening
        time.sleep(0.05)
    server.should_exit = True
    began = time.monotonic()
    thread.join(10)
    assert time.monotonic() - began < 2
    assert not thread.is_alive()
    held.close()
    store.close()


def test_a_trace_that_nothing_can_be_seen_of_says_why():
    with serving(specimen("mlp")) as server:
        assert server.get("run/index.json").status == 404, "it has no folder"
    store = specimen("mlp").store
    bare = type(store)("bare")
    bare.create({})
    bare.declare([ArraySpec("weight", ("neuron", "input"), (2, 2), layer="a")])
    bare.append(Record(0, {"layers/a/weight": [[1.0, 2.0]] * 2}, {}))
    with serving(Trace(bare)) as server:
        assert "No layer's activity is in this trace" in server.get("data/index.json").said["refused"]


def test_the_address_without_its_last_stroke_leads_there(server):
    found = server.get(f"/{server.key}", bare=True)
    assert (found.status, found.headers["location"]) == (307, f"/{server.key}/")


def test_in_a_terminal_it_prints_the_address_and_ends_with_ctrl_c(run):
    """Also while a page listens. Without a screen nothing is opened, and that is said."""
    quiet = {name: value for name, value in os.environ.items() if name not in ("DISPLAY", "WAYLAND_DISPLAY")}
    with subprocess.Popen(
        [sys.executable, "-m", "nissl", "view", str(run)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=quiet,
        preexec_fn=terminal.heeding,  # noqa: PLW1509 - no thread is needed there
    ) as process:  # fmt: skip
        assert process.stdout is not None
        try:
            first, second = process.stdout.readline(), process.stdout.readline()
            found = re.fullmatch(r"digits, 3 epochs: (http://127\.0\.0\.1:\d+/[\w-]+/)\n", first)
            assert found, first
            assert "Ctrl-C ends it. No screen was found" in second or sys.platform != "linux"
            with urllib.request.urlopen(f"{found[1]}data/index.json") as answer:
                assert json.load(answer)["epochs"] == nissl.open(run).epochs
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=20)
            assert (process.returncode, out, err) == (0, "", "")
        finally:
            process.kill()


def test_in_a_terminal(run):
    done = terminal.nissl("view", str(run / "nowhere"), "--no-browser")
    assert done.returncode == 2
    assert "nowhere" in done.stderr
    assert terminal.nissl("view", str(run), "--port", "99999", "--no-browser").returncode == 2
