"""The widget's own side: files and answers by messages, from a network at hand or the one that the run kept."""

import json
import sys

import numpy as np
import pytest
import torch
from torch import nn

import nissl
from nissl.errors import BadValue

pytest.importorskip("anywidget", reason="pip install 'nissl[notebook]'")

from nissl.apps.notebook import view, widget

CUT = {"edits": [{"layer": "hidden", "units": [0, 2], "verb": "delete"}]}


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.hidden, self.out = nn.Linear(5, 6), nn.Linear(6, 3)

    def forward(self, x):
        return self.out(torch.relu(self.hidden(x)))


@pytest.fixture(scope="module")
def learnt():
    """A network in a loop of its own, in memory, as in a notebook."""
    torch.manual_seed(0)
    draw = np.random.default_rng(0)
    x = draw.normal(size=(90, 5)).astype("float32")
    y = x[:, :3].argmax(1)
    net = Net()
    optimiser = torch.optim.Adam(net.parameters(), 0.02)
    with nissl.record(net, classes=["a", "b", "c"], progress=False) as recorder:
        for _ in recorder.epochs(4):
            for rows in np.arange(90).reshape(6, 15):
                optimiser.zero_grad()
                nn.functional.cross_entropy(net(torch.tensor(x[rows])), torch.tensor(y[rows])).backward()
                optimiser.step()
    return net, (x, y), recorder.trace


class Front:
    """What a front end does with a widget: it sends messages, and hears what is sent."""

    def __init__(self, shown, monkeypatch):
        self.shown, self.heard = shown, []
        monkeypatch.setattr(shown, "send", lambda content, buffers=(): self.heard.append((content, list(buffers))))

    def ask(self, **content):
        self.heard.clear()
        self.shown._handle_custom_msg(content, [])
        return list(self.heard)


def right(net, x, y):
    guess = net(torch.tensor(x)).argmax(1).numpy()
    return [int(((guess == y) & (y == k)).sum()) for k in range(3)]


def test_a_cut_is_asked_of_the_network_at_hand(learnt, monkeypatch):
    net, data, trace = learnt
    before = {name: value.clone() for name, value in net.state_dict().items()}
    front = Front(widget(trace, model=net, data=data), monkeypatch)
    ((_, (index,)),) = front.ask(id="1", name="index.json")
    assert json.loads(index)["alive"] is True
    *shares, (last, buffers) = front.ask(id="2", kind="accuracy", question=CUT)
    assert last["id"] == "2"
    assert buffers == []
    assert all(0 <= said["share"] <= 1 and said["id"] == "2" for said, _ in shares)
    assert shares
    assert last["answer"]["before"] == right(net, *data)
    with nissl.edit(net, data)["hidden"][[0, 2]].delete():
        assert last["answer"]["after"] == right(net, *data)
    assert last["answer"]["after"] != last["answer"]["before"]
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())


@pytest.mark.parametrize(
    ("kind", "question", "said"),
    [("sorcery", {}, "sorcery"), ("accuracy", {"edits": [{"layer": "hidden_9", "units": [0], "verb": "delete"}]}, "hidden_9")],
)  # fmt: skip
def test_a_question_that_means_nothing_is_answered_in_words(learnt, monkeypatch, kind, question, said):
    net, data, trace = learnt
    (*_, (last, _)) = Front(widget(trace, model=net, data=data), monkeypatch).ask(id="1", kind=kind, question=question)
    assert said in last["error"]


def test_without_a_network_it_says_what_to_type(learnt, monkeypatch):
    front = Front(widget(learnt[2]), monkeypatch)
    ((_, (index,)),) = front.ask(id="1", name="index.json")
    assert json.loads(index)["alive"] is False
    ((last, _),) = front.ask(id="2", kind="accuracy", question=CUT)
    assert "nissl.view(trace, model=net, data=(x, y))" in last["error"]


@pytest.mark.parametrize("content", [{}, {"id": 3, "name": "index.json"}, {"id": "1"}, {"id": "1", "kind": "accuracy", "question": "?"}, "words"], ids=str)  # fmt: skip
def test_what_is_no_question_is_let_lie(learnt, monkeypatch, content):
    front = Front(widget(learnt[2]), monkeypatch)
    front.shown._handle_custom_msg(content, [])
    assert front.heard == []


def test_a_network_that_breaks_says_so(learnt, monkeypatch):
    net, data, trace = learnt
    front = Front(widget(trace, model=net, data=data), monkeypatch)
    monkeypatch.setattr(net, "forward", lambda x: 1 / 0)
    (*_, (last, _)) = front.ask(id="1", kind="accuracy", question=CUT)
    assert "ZeroDivisionError" in last["error"]


def test_other_weights_or_no_examples_are_refused(learnt, monkeypatch):
    net, data, trace = learnt
    with pytest.raises(BadValue, match="Net has no examples"):
        widget(trace, model=net)
    (*_, (last, _)) = Front(widget(trace, model=Net(), data=data), monkeypatch).ask(id="1", kind="accuracy", question=CUT)  # fmt: skip
    assert "name the trained network" in last["error"]


def test_outside_a_notebook_the_page_is_served_with_it(learnt, monkeypatch):
    net, data, trace = learnt
    given = {}
    monkeypatch.setattr("nissl.apps.server.view", lambda run, at, **more: given.update(more, run=run, at=at))
    assert "ipykernel" not in sys.modules
    view(trace, "e2", model=net, data=data, port=0, browser=False)
    assert given["model"] is net
    assert given["data"] is data
    assert (given["run"], given["at"], given["port"], given["browser"]) == (trace, "e2", 0, False)
