"""Where several layers' values meet, as the page draws it: sums, concatenations, and what is not known to be either."""

from dataclasses import replace
from itertools import pairwise

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

import nissl
from nissl.core.layer import Layer
from nissl.core.trace import Trace
from nissl.stores.memory import Memory
from nissl.studies.feed import Feed
from nissl.testing.specimens import chain, conv, dense, specimen, trace
from tests.core.architectures import UNet
from tests.studies.joining_models import Attending, Dense, Gated, Pair, Residual
from tests.studies.test_feed import unpacked


def drawn(seen, name="graph/layers.bin"):
    head, _ = unpacked(Feed(seen).file(name))
    return head


def junctions(head):
    return [node for node in head["nodes"] if node["role"] == "junction"]


def reached(head):
    """By layer: those whose values come to it with no other layer between, found by walking up through junctions."""
    nodes = {node["id"]: node for node in head["nodes"]}
    above = {one: [] for one in nodes}
    for edge in head["edges"]:
        above[edge["target"]].append(edge["source"])
    found = {}
    for one, node in nodes.items():
        if node["role"] != "module":
            continue
        ahead, mine = list(above[one]), set()
        while ahead:
            source = ahead.pop()
            ahead += above[source] if nodes[source]["role"] == "junction" else []
            mine |= {nodes[source]["path"]} if nodes[source]["role"] == "module" else set()
        found[node["path"]] = mine
    return found


def wanted(seen):
    """The same as the header has it."""
    return {name: set(seen.place(name).inputs) for name in seen.layers}


def twenty():
    """ResNet-20 as the header of a trace has it that holds no junctions."""
    layers = [conv("conv1", 4)]
    stream = ["conv1"]
    for stage in range(1, 4):
        for block in range(3):
            name = f"layer{stage}.{block}"
            layers.append(replace(conv(f"{name}.conv1", 4), inputs=tuple(stream)))
            layers.append(conv(f"{name}.conv2", 4, layers[-1]))
            stream.append(layers[-1].name)
    return [*layers, replace(dense("fc", 10), inputs=tuple(stream))]


def test_residual_sums_are_a_chain_of_junctions_with_a_branch_each():
    seen = trace(twenty(), epochs=(0,))
    head = drawn(seen)
    assert sum(len(seen.place(name).inputs) for name in seen.layers) == 64
    assert len(head["edges"]) == 19 + 9 * 2
    assert reached(head) == wanted(seen)
    met = junctions(head)
    assert len(met) == 9
    assert {node["type"] for node in met} == {"meet"}
    assert head["signs"]["meet"] == ""
    assert head["every"] == 20
    came = {node["id"]: [edge["source"] for edge in head["edges"] if edge["target"] == node["id"]] for node in met}
    for before, after in pairwise(met):
        assert before["id"] in came[after["id"]]
        assert len(came[after["id"]]) == 2
    boxes = [(n["x"], n["y"], n["x"] + n["w"], n["y"] + n["h"]) for n in met]
    assert all(x1 - x0 == y1 - y0 < 30 for x0, y0, x1, y1 in boxes)


def test_a_closed_block_takes_in_the_junctions_of_what_is_in_it():
    seen = trace(twenty(), epochs=(0,))
    top = drawn(seen, "graph/layers.d1.bin")
    assert [node["path"] for node in top["nodes"]] == ["conv1", "layer1", "layer2", "layer3", "fc"]
    ids = [node["id"] for node in top["nodes"]]
    assert [(edge["source"], edge["target"]) for edge in top["edges"]] == list(pairwise(ids))
    middle = drawn(seen, "graph/layers.d2.bin")
    assert len(junctions(middle)) == 9
    assert sum(node["path"].startswith("layer1.") and node["role"] == "block" for node in middle["nodes"]) == 3


def dense_block():
    layers = [conv("stem", 4)]
    for number in range(8):
        layers.append(replace(conv(f"block.{number}", 4), inputs=tuple(layer.name for layer in layers)))
    return [*layers, replace(dense("fc", 10), inputs=tuple(layer.name for layer in layers))]


def test_a_dense_block_is_readable_and_is_not_said_to_add():
    seen = trace(dense_block(), epochs=(0,))
    head = drawn(seen)
    assert sum(len(seen.place(name).inputs) for name in seen.layers) == 45
    assert len(head["edges"]) == 9 + 8 * 2
    assert reached(head) == wanted(seen)
    assert {node["type"] for node in junctions(head)} == {"meet"}


@pytest.mark.parametrize("layers", [chain(16, 12, 10), specimen("deep").header["layers"]], ids=["mlp", "crossing"])
def test_where_nothing_tells_of_a_junction_none_is_drawn(layers):
    seen = trace([one if isinstance(one, Layer) else Layer.of(one) for one in layers], epochs=(0,))
    head = drawn(seen)
    assert junctions(head) == []
    assert len(head["edges"]) == sum(len(seen.place(name).inputs) for name in seen.layers)
    assert reached(head) == wanted(seen)


def test_what_one_layer_alone_takes_from_two_is_two_lines_as_in_an_old_trace_of_a_u():
    down = [conv("down.0", 4)]
    down.append(conv("down.1", 4, down[0]))
    up = conv("up", 4, down[1])
    join = replace(conv("join", 4), inputs=("up", "down.0"))
    seen = trace([*down, up, join, dense("fc", 10, join)], epochs=(0,))
    head = drawn(seen)
    assert junctions(head) == []
    assert len(head["edges"]) == 5


@st.composite
def wirings(draw):
    """Layers of which each takes from some before it, often from the same as another and one more."""
    layers = []
    for number in range(draw(st.integers(1, 14))):
        names = [layer.name for layer in layers]
        before = set(draw(st.sampled_from(layers)).inputs) if layers and draw(st.booleans()) else set()
        more = draw(st.sets(st.sampled_from(names), max_size=3)) if names else set()
        stage = draw(st.sampled_from(["", "a.", "a.b.", "c."]))
        layers.append(Layer(f"{stage}{number}", "dense", 3, inputs=tuple(sorted(before | more))))
    return layers


@settings(max_examples=200, deadline=None)
@given(wirings())
def test_whatever_feeds_what_it_is_drawn_so(layers):
    store = Memory("wired")
    store.create({"layers": [vars(layer) | {"junctions": ()} for layer in layers]})
    head = drawn(Trace(store))
    inputs = {layer.name: set(layer.inputs) for layer in layers}
    assert reached(head) == inputs
    came = [edge["target"] for edge in head["edges"]]
    went = [edge["source"] for edge in head["edges"]]
    assert all(came.count(one["id"]) > 1 and one["id"] in went for one in junctions(head))
    assert len(head["edges"]) <= sum(map(len, inputs.values())) + len(junctions(head))


# recorded: a pass has shown what is done


def recorded(model, *shape, tmp_path, labels=3, loss=None):
    torch.manual_seed(0)
    x, y = torch.randn(8, *shape), torch.arange(8) % labels
    optimizer = torch.optim.SGD(model.parameters(), 0.01)
    with nissl.record(model, tmp_path / "run", progress=False) as recorder:
        for _ in recorder.epochs(1):
            for xs, ys in recorder.batches([(x, y)]):
                optimizer.zero_grad()
                (loss or nn.functional.cross_entropy)(model(xs), ys).backward()
                optimizer.step()
    return nissl.open(tmp_path / "run")


def kinds(head):
    """By junction: what is done with what."""
    nodes = {node["id"]: node for node in head["nodes"]}
    return [
        (node["type"], sorted(nodes[e["source"]]["path"] for e in head["edges"] if e["target"] == node["id"]))
        for node in junctions(head)
    ]


def test_a_recorded_sum_is_called_one_and_there_are_as_many_as_the_model_makes(tmp_path):
    model = Residual()
    seen = recorded(model, 1, 8, 8, tmp_path=tmp_path)
    head = drawn(seen)
    assert reached(head) == wanted(seen)
    adds = [n for n in nissl.graph(model, torch.randn(1, 1, 8, 8)).nodes if n.type.startswith(("add", "iadd"))]
    assert [node["type"] for node in junctions(head)] == ["add"] * len(adds) == ["add"] * 3
    assert head["signs"]["add"] == "+"
    assert kinds(head)[0][1] == ["blocks.0.conv2", "stem"]


def test_a_recorded_concatenation_is_called_one_and_those_of_a_dense_block_are_a_chain(tmp_path):
    seen = recorded(Dense(), 1, 6, 6, tmp_path=tmp_path)
    head = drawn(seen)
    assert reached(head) == wanted(seen)
    assert [kind for kind, _ in kinds(head)] == ["concatenate"] * 4
    assert all(len(sources) == 2 for _, sources in kinds(head))


def test_gates_multiply_and_attention_is_itself(tmp_path):
    assert kinds(drawn(recorded(Gated(), 6, tmp_path=tmp_path / "gated"))) == [
        ("multiply", ["conv", "gate"]), ("add", ["multiply", "stem"])
    ]  # fmt: skip
    seen = recorded(Attending(), 5, 6, tmp_path=tmp_path / "attending")
    assert kinds(drawn(seen)) == [
        ("attention", ["k", "q", "v"]), ("add", ["out", "stem"]), ("matrix product", ["k2", "q2"]),
        ("matrix product", ["matrix product", "v2"]), ("add", ["add", "matrix product#2"]),
    ]  # fmt: skip
    assert reached(drawn(seen)) == wanted(seen)


def test_what_meets_in_a_layer_meets_nowhere_before_it(tmp_path):
    head = drawn(recorded(Pair(), 4, tmp_path=tmp_path))
    assert [kind for kind, _ in kinds(head)] == ["concatenate"]
    ids = {node["path"]: node["id"] for node in head["nodes"]}
    edges = {(edge["source"], edge["target"]) for edge in head["edges"]}
    assert {(ids[a], ids[b]) for a in ("a", "b") for b in ("one", "other")} <= edges


def test_what_comes_up_in_a_u_is_put_beside_what_went_down(tmp_path):
    model = UNet(2)
    seen = recorded(model, 1, 8, 8, tmp_path=tmp_path, loss=lambda out, _: out.square().mean())
    head = drawn(seen)
    assert reached(head) == wanted(seen)
    assert kinds(head) == [
        ("concatenate", ["downs.1.2", "ups.0"]), ("concatenate", ["downs.0.2", "ups.1"])
    ]  # fmt: skip
    top = drawn(seen, "graph/layers.d1.bin")
    assert sum(node["params"] for node in top["nodes"]) == top["params"]


def test_a_trace_of_some_layers_has_the_junctions_of_those(tmp_path):
    model = Residual()
    torch.manual_seed(0)
    x, y = torch.randn(8, 1, 8, 8), torch.arange(8) % 3
    with nissl.record(model, tmp_path / "run", layers=["stem", "blocks.*.conv2", "fc"], progress=False) as recorder:
        for _ in recorder.epochs(1):
            for xs, ys in recorder.batches([(x, y)]):
                nn.functional.cross_entropy(model(xs), ys).backward()
    head = drawn(nissl.open(tmp_path / "run"))
    assert reached(head)["fc"] == {"stem", *(f"blocks.{number}.conv2" for number in range(3))}
