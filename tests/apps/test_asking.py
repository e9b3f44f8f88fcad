"""Questions to the live network over a real socket: who may ask, what is refused, that answers are nissl's own."""

import http.client
import json
import threading
import time

import numpy as np
import pytest

import nissl
from nissl.errors import BadValue
from nissl.studies.bench import Bench
from nissl.studies.subject import named, subject
from nissl.testing.specimens import specimen
from tests.apps.answering import serving

pytest.importorskip("torch")
CUT = {"edits": [{"layer": "hidden_1", "units": [0, 3, 5, 7], "verb": "delete"}]}


@pytest.fixture(scope="module")
def server(run):
    with serving(run) as found:
        yield found


def right(model, data, count=10):
    x, y = data
    guess = nissl.network(model).forward(x).argmax(1)
    return [int(((guess == y) & (y == k)).sum()) for k in range(count)]


def test_a_cut_is_the_same_as_in_python(server, run):
    assert server.get("data/index.json").said["alive"] is True
    answer = server.ask("accuracy", CUT).last["answer"]
    seen = subject(str(run))
    assert answer["before"] == right(seen.model, seen.held_out)
    with nissl.edit(seen.model, seen.discovery)["hidden_1"][[0, 3, 5, 7]].delete():
        assert answer["after"] == right(seen.model, seen.held_out)
    assert answer["before"] != answer["after"]
    assert sum(times for _, _, times in answer["turned"]) >= max(
        abs(a - b) for a, b in zip(answer["before"], answer["after"], strict=True)
    )
    assert answer["counts"] == np.bincount(seen.held_out[1], minlength=10).tolist()
    trace = nissl.open(run)
    assert answer["before"] == trace.array("probe_confusion", answer["epoch"]).diagonal().tolist()
    assert answer["held_out"] is True
    assert (
        server.ask("accuracy", {"edits": [CUT["edits"][0] | {"verb": "scale", "value": 1}]}).last["answer"]["after"]
        == (answer["before"])
    )


@pytest.mark.parametrize(("verb", "value"), [("scale", 2.0), ("scale", 0), ("clamp", 1.5), ("keep", None)], ids=str)
def test_every_verb_is_the_interventions_own(server, run, verb, value):
    edit = {"layer": "hidden_1", "units": [1, 2], "verb": verb} | ({} if value is None else {"value": value})
    answer = server.ask("accuracy", {"edits": [edit]}).last["answer"]
    seen = subject(str(run))
    units = nissl.edit(seen.model, seen.discovery)["hidden_1"][[1, 2]]
    with getattr(units, verb)(*([] if value is None else [value])):
        assert answer["after"] == right(seen.model, seen.held_out)


@pytest.mark.parametrize(("question", "words"), [
    ({}, "edits holds 0"),
    ({"edits": []}, "edits holds 0"),
    ({"edits": [{}] * 65}, "edits holds 65"),
    ({"edits": "all"}, "may hold edits"),
    ({"edits": [3]}, "Each edit is"),
    ({"edits": [{"layer": "hidden_1", "units": [0], "verb": "explode"}]}, "verb is one of"),
    ({"edits": [{"layer": "hidden_1", "units": [0], "verb": "__class__"}]}, "verb is one of"),
    ({"edits": [{"layer": "hidden_9", "units": [0], "verb": "delete"}]}, "hidden_9"),
    ({"edits": [{"layer": "hidden_1", "units": [12], "verb": "delete"}]}, "units 0 to 11"),
    ({"edits": [{"layer": "hidden_1", "units": [True], "verb": "delete"}]}, "whole numbers"),
    ({"edits": [{"layer": "hidden_1", "units": [-1], "verb": "delete"}]}, "whole numbers"),
    ({"edits": [{"layer": "hidden_1", "units": [1, 1], "verb": "delete"}]}, "twice"),
    ({"edits": [{"layer": "hidden_1", "units": [0], "verb": "scale"}]}, "value is a number"),
    ({"edits": [{"layer": "hidden_1", "units": [0], "verb": "scale", "value": 1e9}]}, "value is a number"),
    ({"edits": [*CUT["edits"], *CUT["edits"]]}, "changed twice"),
    ({"edits": CUT["edits"], "file": "/etc/passwd"}, "has no 'file'"),
], ids=lambda value: value[:20] if isinstance(value, str) else "")  # fmt: skip
def test_what_makes_no_sense_is_refused_in_words(server, question, words):
    found = server.ask("accuracy", question)
    assert found.status == 200
    assert words in found.last["error"]
    assert server.ask("accuracy", CUT).last["answer"]["units"] == 4, "and the network is whole"


def test_another_origin_cannot_ask(server):
    for told in (
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": f"http://127.0.0.1:{server.port + 1}"},
        {"Origin": f"http://localhost:{server.port}"},
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
        {"Host": "evil.example"},
    ):
        found = server.ask("accuracy", CUT, **told)
        assert found.status == 403, told
        assert b"before" not in found.body
        assert "access-control-allow-origin" not in found.headers
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""):
        assert server.ask("accuracy", CUT, Content_Type=kind).status == 415, kind
    options = server.get("ask/accuracy", method="OPTIONS", Origin="https://evil.example")
    assert options.status == 405
    assert not any(name.startswith("access-control") for name in options.headers)


def test_without_the_key_nothing_is_asked(server):
    asking = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
    for path in ("/ask/accuracy", f"/{server.key[:-1]}/ask/accuracy", f"/x{server.key}/ask/accuracy"):
        asking.request("POST", path, json.dumps(CUT), {"Content-Type": "application/json"})
        found = asking.getresponse()
        assert found.status == 403
        assert b"lacks its key" in found.read()
    asking.close()


@pytest.mark.parametrize("body", [b"", b"{", b"[1]", b"3", b"\xff\xfe", b"[" * 100_000], ids=range(6))
def test_what_is_no_question_is_refused(server, body):
    found = server.ask("accuracy", body)
    assert found.status == 400
    assert "JSON object" in found.said["error"]


def test_a_question_is_of_bounded_size(server):
    found = server.ask("accuracy", b'{"edits": "' + b"x" * 2**20 + b'"}')
    assert found.status == 413
    assert "at most" in found.said["error"]
    assert "Nobody answers 'secrets'" in server.ask("secrets", {}).last["error"]


def test_a_question_is_only_posted(server):
    assert server.get("ask/accuracy").status == 405


def test_without_the_network_it_is_said_how_to_have_it():
    with serving(specimen("followed")) as served:
        assert served.get("data/index.json").said["alive"] is False
        found = served.ask("accuracy", CUT)
        assert found.status == 409
        assert "--model FILE.py:NAME" in found.said["error"]


def test_who_leaves_is_not_worked_for(server, monkeypatch):
    """A page that moved on aborts its request: the work for it ends, and the next one's turn comes."""
    began, ended = threading.Event(), []

    def slow(self, kind, question, tick):
        began.set()
        try:
            for step in range(200):
                tick(step / 200)
                time.sleep(0.05)
        except BaseException as error:
            ended.append(type(error).__name__)
            raise
        return {"done": True}

    whole = Bench.answer
    monkeypatch.setattr(Bench, "answer", slow)
    asking = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
    asking.request("POST", f"/{server.key}/ask/accuracy", b"{}", {"Content-Type": "application/json"})
    assert began.wait(10)
    monkeypatch.setattr(Bench, "answer", whole)
    asking.close()
    start = time.monotonic()
    assert server.ask("accuracy", CUT).last["answer"]["units"] == 4
    assert time.monotonic() - start < 6, "not after the ten seconds that the other would take"
    assert ended == ["Left"]


def test_a_network_is_had_by_name_too(tmp_path):
    made = tmp_path / "mine.py"
    made.write_text(
        "import torch\n"
        "torch.manual_seed(0)\n"
        "net = torch.nn.Sequential(torch.nn.Linear(4, 6), torch.nn.ReLU(), torch.nn.Linear(6, 3))\n"
        "other = torch.nn.Sequential(torch.nn.Linear(4, 5), torch.nn.ReLU(), torch.nn.Linear(5, 3))\n"
        "twin = torch.nn.Sequential(torch.nn.Linear(4, 6), torch.nn.ReLU(), torch.nn.Linear(6, 3))\n"
        "x = torch.randn(60, 4)\n"
        "data = (x, x[:, :3].argmax(1))\n"
    )
    net, data = named(f"{made}:net"), named(f"{made}:data")
    with nissl.record(net, tmp_path / "run", classes=["a", "b", "c"], probe=data, progress=False) as recorder:
        for _ in recorder.epochs(1):
            for x, _ in recorder.batches([data]):
                net(x)
    question = {"edits": [{"layer": "0", "units": [1, 4], "verb": "delete"}]}
    with serving(tmp_path / "run", model=f"{made}:net", data=f"{made}:data") as served:
        answer = served.ask("accuracy", question).last["answer"]
    plain = tuple(part.numpy() for part in data)
    assert answer["before"] == right(net, plain, 3)
    with nissl.edit(net, data)["0"][[1, 4]].delete():
        assert answer["after"] == right(net, plain, 3)
    assert (answer["held_out"], answer["epoch"]) == (False, 1)
    with serving(tmp_path / "run", model=f"{made}:other", data=f"{made}:data") as served:
        assert "not the one that was recorded" in served.ask("accuracy", question).last["error"]
    with serving(tmp_path / "run", model=f"{made}:twin", data=f"{made}:data") as served:
        assert "weights that it had at no recorded epoch" in served.ask("accuracy", question).last["error"]
    with serving(tmp_path / "run", model=f"{made}:nothing", data=f"{made}:data") as served:
        assert "has no 'nothing'" in served.ask("accuracy", question).last["error"]
    for given, words in (({"model": f"{made}:net"}, "no examples"), ({"data": f"{made}:data"}, "name it too")):
        with pytest.raises(BadValue, match=words), serving(tmp_path / "run", **given):
            pass
